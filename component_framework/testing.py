"""Drive a component through its markup, with no server and no browser.

    page = mount(Counter, count=40)
    page.click("button", text="Add")
    assert page.text("output") == "41"

Every step does what htmx 4 does: it collects the fields that belong to the element, sends them with the token that is on
the page, and swaps the answer in. What a visitor could not do is an error here: a dead binding, a disabled button, an
event that the element does not have.
"""

from __future__ import annotations

import inspect
import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

try:
    from selectolax.lexbor import LexborHTMLParser, LexborNode
except ImportError as exc:
    raise ImportError("selectolax is not installed. Run: pip install 'live-component-framework[testing]'") from exc

from .core.component import Component, Context
from .core.engine import Engine
from .core.registry import Registry
from .core.request import HttpRequest
from .core.spec import spec_of
from .exchange import ask, wait
from .markup import (
    KEPT,
    TAG,
    attribute,
    field_values,
    messages,
    multipart,
    option_value,
    pieces,
    plain,
    set_attribute,
    span,
    trigger_of,
    vals,
)

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=component-framework-testing"
_FIELDS = "input, select, textarea"
_PASSWORDS = "input[type=password][id]"


class DeadBinding(LookupError):
    """The markup has nothing that would do what the test wants to do."""


def mount(
    component: type[Component] | str,
    *,
    engine: Engine | None = None,
    user: Any = None,
    session: Any = None,
    raises: bool = True,
    **params: Any,
) -> Page:
    """A page with one component on it, mounted with `params` as `user` would see it.

    Without an `engine` the class is served by one of the test's own, and needs an inline template or a `renderer`.
    What a handler raises is raised in the test, too; `raises=False` shows what a visitor would see of it (status 500).
    """
    if engine is None:
        assert not isinstance(component, str), "a component's name needs the engine that knows it"
        engine = _own_engine(component)
    name = component if isinstance(component, str) else spec_of(component).name
    context = engine.context(user=user, session=session)
    if inspect.iscoroutinefunction(engine.registry.find(name).mount):
        return Page(engine, context, wait(engine.async_mount(name, context=context, **params)), raises)
    return Page(engine, context, engine.mount(name, context=context, **params), raises)


def _own_engine(component: type[Component]) -> Engine:
    from .adapters.jinja import inline_renderer

    registry = Registry()
    registry.register(spec_of(component).name)(component)
    return Engine(
        renderer=component.renderer or inline_renderer(), secret_key=secrets.token_hex(), registry=registry, debug=True
    )


class Page:
    """A page as a browser would have it: its markup, what has been typed into it, and what events did."""

    def __init__(self, engine: Engine, context: Context, markup: str, raises: bool = True) -> None:
        self.engine = engine
        self.raises = raises
        self.context = context
        self.status = 200
        self.headers: dict[str, str] = {}
        self.frames: list[str] = []
        self.events: list[tuple[str, Any]] = []
        """DOM events that the last step dispatched: their names and details."""
        self._chosen: dict[tuple[str, str], list[tuple[str, bytes]]] = {}
        self._tree = LexborHTMLParser(f"<body>{markup}</body>")
        self._root = self._component(self._tree.css("[data-component]")[0])

    # -- look ------------------------------------------------------------------------------------------------------

    @property
    def html(self) -> str:
        """The markup of the whole page."""
        body = self._tree.body
        return (body.inner_html or "") if body is not None else ""

    @property
    def location(self) -> str | None:
        """Where the last step sent the visitor, or what it put into the address bar; None: nowhere."""
        names = ("HX-Redirect", "HX-Push-Url", "HX-Replace-Url")
        return next((self.headers[name] for name in names if name in self.headers), None)

    @property
    def code(self) -> str | None:
        """Why the last step was refused ("invalid", "forbidden", …); None where it was not."""
        return self.headers.get("X-Component-Code")

    def has(self, selector: str, *, text: str | None = None) -> bool:
        """Whether the page has an element that fits `selector`, and contains `text`."""
        return bool(self._all(selector, text))

    def text(self, selector: str) -> str:
        """The text of the one element that fits `selector`, with single spaces."""
        return " ".join(self._one(selector).text().split())

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that fit `selector`."""
        return [" ".join(node.text().split()) for node in self._all(selector, None)]

    def attribute(self, selector: str, name: str) -> str | None:
        """The attribute `name` of the one element that fits `selector`; None where it has none."""
        return self._one(selector).attributes.get(name)

    def attributes(self, selector: str, name: str) -> list[str]:
        """The attribute `name` of all elements that fit `selector` and have it."""
        return [value for node in self._all(selector, None) if (value := node.attributes.get(name)) is not None]

    def value(self, selector: str) -> str:
        """What stands in the one field that fits `selector`."""
        values = field_values(self._one(selector))
        return values[0] if values else ""

    # -- act -------------------------------------------------------------------------------------------------------

    def fill(self, selector: str = "", value: str | list[str] = "", /, **fields: str | list[str]) -> Page:
        """Type `value` into the field that fits `selector`; or into fields by name: `fill(email="a@b.c")`.

        A list is what is chosen in a select of several.
        """
        typed = {selector: value} if selector else {}
        typed |= {f'[name="{name}"]': text for name, text in fields.items()}
        for place, text in typed.items():
            self._type(self._one(place), text)
        return self

    def check(self, selector: str, ticked: bool = True) -> Page:
        """Tick the box, or take the radio button, that fits `selector`."""
        node = self._enabled(self._one(selector))
        if node.attributes.get("type") == "radio":
            for other in self._all(f'input[type=radio][name="{node.attributes.get("name")}"]', None):
                set_attribute(other, "checked", None)
        set_attribute(node, "checked", "" if ticked else None)
        return self

    def choose(self, selector: str, *files: Path | tuple[str, bytes]) -> Page:
        """Choose `files` in the file input that fits `selector`: paths, or names with contents; none: clear it."""
        node = self._enabled(self._one(selector))
        if node.attributes.get("type") != "file":
            raise DeadBinding(f"{node.html!r} is no file input: nothing can be chosen in it.")
        if len(files) > 1 and "multiple" not in node.attributes:
            raise DeadBinding(f"{node.html!r} takes one file: it has no multiple.")
        self._chosen[self._place_of(node)] = [
            (file.name, file.read_bytes()) if isinstance(file, Path) else file for file in files
        ]
        return self

    def click(self, selector: str, *, text: str | None = None) -> Page:
        """Click the one element that fits: it sends its own event, or submits the form that it stands in."""
        node = self._enabled(self._one(selector, text))
        if trigger_of(node) == "click" and "hx-post" in node.attributes:
            return self._send(node, submitter=node)
        form = self._form(node)
        if form is not None and "hx-post" in form.attributes and node.attributes.get("type", "submit") == "submit":
            return self._send(form, submitter=node)
        raise DeadBinding(
            f"A click on {node.html!r} does nothing: no hx-post on it, and no form around it that has one."
        )

    def submit(self, selector: str = "form") -> Page:
        """Submit the one form that fits, as Enter in one of its fields would."""
        return self._send(self._one(selector))

    def trigger(self, selector: str, event: str = "change") -> Page:
        """Let `event` happen on the one element that fits: change, input, a custom event."""
        node = self._enabled(self._one(selector))
        if trigger_of(node) != event and event not in (node.attributes.get("hx-trigger") or ""):
            raise DeadBinding(f"{node.html!r} does not listen to {event!r}.")
        return self._send(node)

    def send(self, event: str, **payload: Any) -> Page:
        """Send `event` to the page's first component as a program would, past its markup; typed, as JSON."""
        node = self._by_id(self._root)
        name = node.attributes["data-component"] or ""
        body = {"event": event, "payload": payload, "state": node.attributes["data-state"], "component_id": self._root}
        answer = self._answer(name, "", json.dumps(body).encode(), {"content-type": "application/json"})
        data = json.loads(answer)
        self.events = [(effect["emit"], effect["detail"]) for effect in data.get("effects", ()) if "emit" in effect]
        if data.get("html"):
            self._swap(data["html"])
        return self

    # -- what htmx does --------------------------------------------------------------------------------------------

    def _send(self, node: LexborNode, submitter: LexborNode | None = None, extra: dict[str, Any] | None = None) -> Page:
        address = node.attributes.get("hx-post")
        if not address:
            raise DeadBinding(f"{node.html!r} has no hx-post: nothing is sent.")
        path = urlsplit(address)
        fields = self._collect(node, submitter) if extra is None else {}
        fields |= {name: [plain(value)] for name, value in {**vals(node), **(extra or {})}.items()}
        name = path.path.removeprefix(f"{self.context.root_path}{self.engine.url}/")
        owner = self._by_id(self._component(node))
        headers = {
            "content-type": FORM,
            "hx-request": "true",
            "accept": "text/html, text/event-stream",
            "x-component-state": owner.attributes.get("data-state") or "",
            "x-component-id": owner.attributes.get("id") or "",
        }
        files = {name: chosen for name, chosen in self._files(node).items() if chosen} if extra is None else {}
        encoding = node.attributes.get("hx-encoding") or (self._form(node) or node).attributes.get("enctype")
        if files and encoding is None:
            raise DeadBinding(f"The form around {node.html!r} sends no files: its event takes no Upload.")
        body = urlencode(fields | dict.fromkeys(files, "[object File]"), doseq=True).encode()  # as htmx does
        if encoding == "multipart/form-data":
            headers["content-type"], body = MULTIPART, multipart(MULTIPART.partition("=")[2], fields, files)
        if "event" not in parse_qs(path.query) and "event" not in fields:
            raise DeadBinding(f"{node.html!r} names no event.")
        self._take(self._answer(name, path.query, body, headers), owner.attributes.get("id") or "")
        return self

    def _answer(self, name: str, query: str, body: bytes, headers: dict[str, str]) -> str:
        request = HttpRequest(component=name, headers=headers, query=query, body=body, context=self.context)
        self.status, self.headers, content = ask(self.engine, request, raises=self.raises)
        return content.decode()

    def _take(self, text: str, owner: str) -> None:
        self.events, self.frames = [], []
        if self.headers["Content-Type"].startswith("text/event-stream"):
            for name, data in messages(text):
                if name is None:
                    self.frames.append(data)
                    self._swap(data)
                elif not name.startswith("component:"):
                    self.events.append((name, json.loads(data)))
        else:
            if self.headers.get("HX-Reswap") != "none":
                self._swap(text)
            triggers = json.loads(self.headers.get("HX-Trigger", "{}"))
            again = triggers.pop("component:emit", [])
            self.events = [*triggers.items(), *map(tuple, again)]
        self._bubble(owner)

    def _bubble(self, owner: str) -> None:
        """Let the components around hear what the last step dispatched."""
        for name, detail in list(self.events):
            for node in self._all("[hx-trigger]", None):
                listens = node.attributes.get("hx-trigger", "") or ""
                around = self._component(node)
                if name in listens.replace(",", " ").split() and around != owner and self._inside(owner, around):
                    heard, status = self.events, self.status
                    self._send(node, extra=detail if isinstance(detail, dict) else {})
                    self.events, self.status = heard, status

    def _swap(self, markup: str) -> None:
        """Put every root of `markup` in the place of the element with its id; what is kept (hx-preserve) stays as it is.

        So does a typed password, which no answer brings back.
        """
        html = self.html
        typed = {node.attributes.get("id"): node.attributes.get("value") for node in self._tree.css(_PASSWORDS)}
        for piece in pieces(markup):
            for kept in KEPT.finditer(piece):
                if (old := span(html, kept[2])) is not None:
                    piece = piece.replace(kept[0], html[slice(*old)])
            opening = TAG.match(piece)
            place = span(html, attribute(opening[3], "id")) if opening else None
            if place is not None:
                html = html[: place[0]] + piece + html[place[1] :]
        self._tree = LexborHTMLParser(f"<body>{html}</body>")
        for node in self._tree.css(_PASSWORDS):
            set_attribute(node, "value", typed.get(node.attributes.get("id")))

    # -- find ------------------------------------------------------------------------------------------------------

    def _all(self, selector: str, text: str | None) -> list[LexborNode]:
        nodes = self._tree.css(selector)
        return nodes if text is None else [node for node in nodes if text in " ".join(node.text().split())]

    def _one(self, selector: str, text: str | None = None) -> LexborNode:
        nodes = self._all(selector, text)
        if len(nodes) != 1:
            wanted = selector if text is None else f"{selector} with the text {text!r}"
            found = "nothing fits" if not nodes else f"{len(nodes)} elements fit"
            raise DeadBinding(f"{found} {wanted}. The page is:\n{self.html}")
        return nodes[0]

    def _by_id(self, id: str) -> LexborNode:
        return next(node for node in self._tree.css("[id]") if node.attributes.get("id") == id)

    def _component(self, node: LexborNode) -> str:
        at: LexborNode | None = node
        while at is not None:
            if "data-component" in at.attributes:
                return at.attributes.get("id") or ""
            at = at.parent
        raise DeadBinding(f"{node.html!r} is not inside a component.")

    def _inside(self, inner: str, outer: str) -> bool:
        at: LexborNode | None = self._by_id(inner)
        while at is not None:
            if at.attributes.get("id") == outer:
                return True
            at = at.parent
        return False

    def _enabled(self, node: LexborNode) -> LexborNode:
        if "disabled" in node.attributes:
            raise DeadBinding(f"{node.html!r} is disabled: a visitor cannot use it.")
        return node

    def _type(self, node: LexborNode, typed: str | list[str]) -> None:
        self._enabled(node)
        text = typed if isinstance(typed, str) else ", ".join(typed)
        if node.tag == "textarea":
            node.inner_html = text.replace("&", "&amp;").replace("<", "&lt;")
        elif node.tag == "select":
            options = node.css("option")
            chosen = [typed] if isinstance(typed, str) else typed
            if not {*chosen} <= {option_value(option) for option in options}:
                raise DeadBinding(f"{text!r} is none of the options: {[option_value(option) for option in options]}.")
            if len(chosen) != 1 and "multiple" not in node.attributes:
                raise DeadBinding(f"{node.html!r} takes one option, and not {text!r}.")
            for option in options:
                set_attribute(option, "selected", "" if option_value(option) in chosen else None)
        elif node.tag == "input":
            set_attribute(node, "value", text)
        else:
            raise DeadBinding(f"{node.html!r} is no field: nothing can be typed into it.")

    def _form(self, node: LexborNode) -> LexborNode | None:
        if named := node.attributes.get("form"):
            return self._by_id(named)
        at: LexborNode | None = node
        while at is not None and at.tag != "form":
            at = at.parent
        return at

    def _fields(self, node: LexborNode) -> list[LexborNode]:
        form = self._form(node)
        if form is not None:
            own = [field for field in form.css(_FIELDS) if not field.attributes.get("form")]
            id = form.attributes.get("id")
            return own + [field for field in self._tree.css(_FIELDS) if id and field.attributes.get("form") == id]
        if node.tag in ("input", "select", "textarea"):
            return [node]
        return node.css(_FIELDS) if node.tag != "button" else []

    def _files(self, node: LexborNode) -> dict[str, list[tuple[str, bytes]]]:
        """What was chosen in the file inputs that belong to `node`, by their names."""
        return {
            field.attributes.get("name") or "": self._chosen.get(self._place_of(field), [])
            for field in self._fields(node)
            if field.attributes.get("type") == "file" and "disabled" not in field.attributes
        }

    def _place_of(self, node: LexborNode) -> tuple[str, str]:
        return self._component(node), node.attributes.get("name") or ""

    def _collect(self, node: LexborNode, submitter: LexborNode | None) -> dict[str, list[str]]:
        """The fields that htmx 4 sends for a POST: the form's, an input's own, or those inside any other element."""
        collected: dict[str, list[str]] = {}
        for field in self._fields(node):
            name = field.attributes.get("name")
            if field.attributes.get("type") == "file":
                continue
            if name and "disabled" not in field.attributes and (values := field_values(field)):
                collected.setdefault(name, []).extend(values)
        if submitter is not None and (name := submitter.attributes.get("name")):
            collected.setdefault(name, []).append(submitter.attributes.get("value") or "")
        return collected
