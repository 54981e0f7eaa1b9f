"""Find the mistakes in a component's markup before a visitor's click does.

Run over the first rendering of each class (over every one in debug mode): one root element, every binding names an
event that exists, every argument that its handler needs is sent along, and no field that it does not take.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from .errors import BindingError, ConfigurationError

if TYPE_CHECKING:
    from .rendering import Renderer
    from .spec import Handler, Spec

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_INPUTS = frozenset({"input", "select", "textarea"})
_OWN = frozenset({"_state", "_id", "_event_id", "event", "csrfmiddlewaretoken"})
_DOM_TRIGGERS = frozenset(
    [
        "click",
        "change",
        "input",
        "submit",
        "keyup",
        "keydown",
        "blur",
        "focus",
        "focusout",
        "focusin",
        "load",
        "revealed",
        "dblclick",
        "search",
        "every",
    ]
)


class Element:
    """An element of the markup, with the names of the fields in and around it."""

    __slots__ = ("attributes", "fields", "form", "parent", "password", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], parent: Element | None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.fields: set[str] = set()
        self.form: Element | None = self if tag == "form" else parent.form if parent else None
        self.password = False
        """Whether one of a form's fields is a password."""

    def add_field(self, name: str) -> None:
        """Note a field for this element and every one around it."""
        element: Element | None = self
        while element is not None:
            element.fields.add(name)
            element = element.parent


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[Element] = []
        self.roots: list[Element] = []
        self.bindings: list[Element] = []
        self.forms: dict[str, set[str]] = {}
        self.stray = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.open[-1] if self.open else None)
        if not self.open:
            self.roots.append(element)
        if tag in _INPUTS or tag == "button":
            name = element.attributes.get("name")
            if name and tag != "button" and "disabled" not in element.attributes:
                element.add_field(name)
                if "form" in element.attributes:
                    self.forms.setdefault(element.attributes["form"], set()).add(name)
        if element.form is not None and tag == "input" and element.attributes.get("type", "").lower() == "password":
            element.form.password = True
        if "hx-post" in element.attributes:
            self.bindings.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, -1, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.stray += data.strip()


def examine(markup: str, spec: Spec, url: str) -> None:
    """Raise ConfigurationError (BindingError for a binding) for the first mistake in the markup of a component."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    if len(reader.roots) != 1 or reader.stray:
        found = ", ".join(f"<{root.tag}>" for root in reader.roots) + (
            f", {reader.stray[:40]!r}" if reader.stray else ""
        )
        raise ConfigurationError(
            f"The template of {spec.title} must give one root element. It gives {found or 'none'}."
        )
    for element in reader.bindings:
        if element.form is not None:
            element.form.fields |= reader.forms.get(element.form.attributes.get("id", ""), set())
        address = urlsplit(element.attributes["hx-post"])
        if address.path == f"{url}/{spec.name}":
            _examine_binding(element, spec, parse_qs(address.query).get("event"))


def _examine_binding(element: Element, spec: Spec, named: list[str] | None) -> None:
    values = _values(element)
    event = named[0] if named else values.get("event")
    if event is None:
        return
    handler = spec.handlers.get(str(event))
    if handler is None:
        raise BindingError(f"{spec.unknown(str(event))}.")
    form = element.form
    if form is not None and form.password and form.attributes.get("method", "").lower() != "post":
        raise BindingError(
            f"The form that sends {spec.title}.on_{event} has a password. Sent before the scripts are there, it would put "
            'it into the address of the page: write <form method="post" …>.'
        )
    sent = _sent(element) | values.keys()
    _refuse_surplus(element, spec, handler, sent)
    missing = handler.shape.required - sent - {name for name, field in handler.shape.fields.items() if field.is_bool}
    if missing and not _open_ended(element):
        name = min(missing)
        raise BindingError(
            f"{spec.title}.on_{event} needs {name!r}, which <{element.tag}> does not send. "
            f'Write on("{event}", {name}=…), or put a field named {name!r} into its form.'
        )


def _refuse_surplus(element: Element, spec: Spec, handler: Handler, sent: set[str]) -> None:
    surplus = sent - handler.shape.names - spec.bound.names - _OWN
    if surplus and not handler.shape.open:
        name = min(surplus)
        raise BindingError(
            f"{spec.title}.on_{handler.event} takes no {name!r}, but <{element.tag}> sends it: htmx sends every field of "
            f"the form around an element. Move the element out of the form, or accept {name!r} (or **fields) in the handler."
        )


def _sent(element: Element) -> set[str]:
    """The names that htmx 4 collects for a POST: the form's, an input's own, or those inside any other element."""
    if element.form is not None:
        return set(element.form.fields) | _own_name(element)
    return _own_name(element) if element.tag == "button" else set(element.fields)


def _own_name(element: Element) -> set[str]:
    name = element.attributes.get("name")
    return {name} if name else set()


def _values(element: Element) -> dict[str, object]:
    text = element.attributes.get("hx-vals", "")
    try:
        values = msgspec.json.decode(text) if text.startswith("{") else {}
    except msgspec.DecodeError:
        return {}  # htmx's own relaxed notation: left to htmx
    return values if isinstance(values, dict) else {}


def _open_ended(element: Element) -> bool:
    """Whether more than the markup shows may be sent: included elements, or the detail of a custom event."""
    triggers = re.findall(r"(?:^|,)\s*([\w:.-]+)", element.attributes.get("hx-trigger", ""))
    return "hx-include" in element.attributes or any(name not in _DOM_TRIGGERS for name in triggers)


_BINDING = re.compile(r"""\{[{%]-?\s*on(?:\(\s*|\s+)["']([^"']+)["']""")


def check_template(spec: Spec, renderer: Renderer | None) -> list[str]:
    """Mistakes in the template of a class that its text shows: it is missing, or binds an event that does not exist."""
    if spec.cls.template is not None:
        return _dead_bindings(spec, spec.cls.template)
    name = spec.cls.template_name
    if name is None:
        return [] if "render" in spec.overrides else [f"{spec.title} has no template. Set template_name or template."]
    source = getattr(renderer, "source", None)
    try:
        return _dead_bindings(spec, source(name)) if source else []
    except Exception as exc:  # each template engine has its own error for a template that is missing or broken
        return [f"{spec.title}: the template {name!r} cannot be read: {exc}"]


def _dead_bindings(spec: Spec, source: str) -> list[str]:
    return [
        f"{spec.unknown(event)}, but its template binds it."
        for event in dict.fromkeys(_BINDING.findall(source))
        if event not in spec.handlers
    ]


def describe(spec: Spec) -> dict[str, dict[str, str]]:
    """For each handler: where it runs, and how it is triggered."""
    return {
        event: {
            "where": "server",
            "trigger": "call" if handler.is_call else "work" if handler.is_outcome else "event",
        }
        for event, handler in spec.handlers.items()
    }
