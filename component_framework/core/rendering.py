"""From a component to its markup: the template's functions, the children in it, and the stamp on the root element."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from .binding import bind
from .effects import ELEMENT_ID
from .errors import BindingError, ConfigurationError, Invalid, TooLarge
from .host import Alone, Host
from .marked import Markup
from .plain import require_json
from .topics import digest, handle, share_key, topics_of

if TYPE_CHECKING:
    from .component import Component
    from .effects import Effect

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ROOT = re.compile(
    r"(?:\s|<!--(?:(?!-->).)*-->)*<([A-Za-z][A-Za-z0-9-]*)((?:\s+[^\s=>\"'/]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)\s*(?=/?>)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=>\"'/]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+)))?")
_SLOT = re.compile(r'<component-slot id="(\d{1,6})"></component-slot>')
_STATE_FIELD = "<!--component-state-->"


@runtime_checkable
class Renderer(Protocol):
    """Turns a template and its variables into markup; every variable is escaped.

    Optional: `render_inline(source, context)` for a template written into the class, `source(template_name)` for
    `Engine.check()`, and `blocking = True` where rendering may touch a database.
    """

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of `template_name` with the variables of `context`."""
        ...


class RendererMissing(ConfigurationError):
    """Markup was asked for, and nothing can make it."""


class Runner(Protocol):
    """Calls a method, awaits it if it must, and takes it off the event loop if it should."""

    def __call__(self, method: Callable[..., Any], *args: Any, kind: str | None = None) -> Awaitable[Any]: ...


class Slot(msgspec.Struct, frozen=True):
    """A child that the template asked for; it is mounted once the template is done."""

    name: str
    key: str
    params: Mapping[str, Any]


class TemplateFunctions:
    """`on`, `live_component`, `component_fields` and `component_scripts`, as a component's template sees them."""

    __slots__ = ("component", "host", "slots", "spec")

    def __init__(self, component: Component, host: Host) -> None:
        self.component = component
        self.host = host
        self.spec = component._compiled
        self.slots: list[Slot] = []

    def on(self, event: str, /, *, trigger: str | None = None, **args: Any) -> Markup:
        """The attributes that send `event` with `args`, at `trigger` (htmx's hx-trigger) or at the element's own.

        Raises BindingError for an event that the class does not have, or an argument that its handler does not take.
        """
        root = self.component.context.root_path
        return Markup(bind(self.spec, f"{root}{self.host.url}/{self.spec.name}", event, trigger, args))

    def form(self, event: str, /) -> Markup:
        """`on(event)` for a form that is sent to the same address without a script, too: never as a query, which would show it."""
        sent = self.on(event)
        address = f"{self.component.context.root_path}{self.host.url}/{self.spec.name}"
        files = ' enctype="multipart/form-data"' if self.spec.handlers[event].uploads else ""
        return Markup(f'method="post" action="{address}?event={event}"{files} {sent}')

    def live_component(self, name: str, /, *, key: str | int | None = None, **params: Any) -> Markup:
        """A child component. `key` tells siblings of one kind apart; their params do it where there is none."""
        require_json(msgspec.to_builtins(params), f"live_component({name!r})")
        own = _key(name, params, self.host.secret_params(name)) if key is None else _as_id(str(key))
        self.slots.append(Slot(name, own, params))
        return Markup(f'<component-slot id="{len(self.slots) - 1}"></component-slot>')

    def component_fields(self) -> Markup:
        """Hidden fields with the state, for a form that is to work without component.js."""
        return Markup(_STATE_FIELD)

    def component_scripts(self, nonce: str | None = None) -> Markup:
        """The tags that load htmx and the framework's script."""
        return Markup(self.host.scripts(nonce, self.component.context))


def _as_id(key: str) -> str:
    """`key` as a part of an element's id, where a visitor may have chosen it: what is not plain becomes a digest."""
    return key if _PLAIN_KEY.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()[:16]


def _key(name: str, params: Mapping[str, Any], secret: frozenset[str]) -> str:
    """The part of a child's id that its name and params give: the same for the same, in every process.

    A page could try values against a digest, so that what is secret has no part in it.
    """
    stem = name.replace(".", "-")
    told = {key: value for key, value in params.items() if key not in secret}
    if not told:
        return stem
    text = msgspec.json.encode(told, order="deterministic")
    return f"{stem}-{hashlib.sha256(text).hexdigest()[:8]}"


def render_template(component: Component, context: Mapping[str, Any]) -> str:
    """The component's template with `context` and the template functions."""
    if context is None:
        raise ConfigurationError(f"{type(component).__qualname__}.get_context() gave {context!r}. Return a dict.")
    host = component._host or Alone()
    functions = component._functions
    if functions is None:
        functions = component._functions = TemplateFunctions(component, host)
    variables = {
        **context,  # first: a free key of the state must not hide a function
        "on": functions.on,
        "live_component": functions.live_component,
        "component_fields": functions.component_fields,
        "component_scripts": functions.component_scripts,
    }
    renderer = type(component).renderer or host.renderer
    title = type(component).__qualname__
    if (inline := component.template) is not None:
        render_inline = getattr(renderer or inline_renderer(title), "render_inline", None)
        if render_inline is None:
            raise ConfigurationError(
                f"{title}.template is written into the class, but {type(renderer).__qualname__} has no "
                "render_inline(source, context). Put the template into a file and set template_name."
            )
        return str(render_inline(inline, variables))
    if renderer is None:
        raise RendererMissing(
            f"{title} cannot be shown: there is no renderer. Build an Engine(renderer=…) and ask it for the component, "
            f"set {title}.renderer, or write `template = '<div>…</div>'` into the class."
        )
    if component.template_name is None:
        raise ConfigurationError(f"{title} has no template. Set template_name, template, or write render().")
    return str(renderer.render(component.template_name, variables))


def inline_renderer(title: str) -> Renderer:
    """What shows an inline template where nobody chose a renderer: Jinja2, if it is there."""
    import importlib

    try:
        module = importlib.import_module("component_framework.adapters.jinja")
    except ImportError as exc:
        raise RendererMissing(f"{title}.template needs a renderer. {exc}") from exc
    renderer: Renderer = module.inline_renderer()
    return renderer


async def show(component: Component, run: Any, effects: Sequence[Effect] = ()) -> str:
    """Render `component`, mount the children that its template asked for, put its state away and stamp its root."""
    host: Host = component._host or Alone()
    functions = component._functions = TemplateFunctions(component, host)
    renderer = type(component).renderer or host.renderer
    try:
        kind = "plain" if getattr(renderer, "blocking", False) else "coroutine"
        if "render" in component._compiled.overrides:
            text = str(await run(component.render, kind=kind))
        else:
            text = await run(render_template, component, await run(component.get_context, kind=kind), kind=kind)
    except RendererMissing as exc:
        if not isinstance(host, Alone):
            raise
        host.trouble = exc
        return ""
    finally:
        component._functions = None  # they know the component: left there, only the garbage collector frees the two
    root, written = _root_of(component, text), text
    if functions.slots:
        text = await _fill(component, host, functions.slots, text, run)
    else:
        component._children = {}
    host.inspect(component, text)
    component._token = await host.seal(component, effects)
    if component._compiled.live:
        component._live = _live_marks(component, functions), digest(written)
    return _stamp(component, text, root)


class Root(msgspec.Struct, frozen=True):
    """The root element of a rendering: its name, where attributes may be added, those that it has, and its own id.

    `bare` says that it has none of the framework's attributes yet, as nearly every template leaves it.
    """

    tag: str
    end: int
    attributes: frozenset[str]
    own_id: str | None
    opening: str
    closing: str
    bare: bool


def _root_of(component: Component, text: str) -> Root:
    """The root of `text`; a class's template mostly begins as it did before, and then nothing has to be parsed."""
    spec = component._compiled
    root: Root | None = spec.last_root
    if root is None or not text.startswith(root.opening) or not text.endswith(root.closing):
        root = spec.last_root = _parse_root(component, text)
    if root.own_id is not None:
        component.id = root.own_id
    return root


def _parse_root(component: Component, text: str) -> Root:
    match = _ROOT.match(text)
    if match is None or (not text.rstrip().endswith((f"</{match[1]}>", "/>")) and not _is_void(text, match)):
        raise ConfigurationError(
            f"The template of {type(component).__qualname__} must give one root element, but it begins with "
            f"{text.strip()[:40]!r} and ends with {text.strip()[-20:]!r}."
        )
    names = set()
    own_id = None
    for attribute in _ATTRIBUTE.finditer(match[2]):
        names.add(attribute[1].lower())
        if attribute[1].lower() == "id":
            own_id = _own_id(component, html.unescape(attribute[2] or attribute[3] or attribute[4] or ""))
    stripped = text.rstrip()
    closing = f"</{match[1]}>" if stripped.endswith(f"</{match[1]}>") else text[match.end() :]
    closing += text[len(stripped) :]
    return Root(
        match[1], match.end(), frozenset(names), own_id, text[: match.end() + 1], closing, _STAMPED.isdisjoint(names)
    )


def _is_void(text: str, match: re.Match[str]) -> bool:
    return text[match.end() :].strip() == ">"


def _own_id(component: Component, own: str) -> str:
    if not ELEMENT_ID.fullmatch(own):
        raise ConfigurationError(
            f"The root element of {type(component).__qualname__} has the id {own!r}. An id begins with a letter and has "
            "letters, digits and _ . : - only."
        )
    return own


def inner_markup(markup: str) -> str:
    """What is inside of the root element."""
    match = _ROOT.match(markup)
    assert match is not None  # it was parsed before it was stamped
    return markup[match.end() + 1 : markup.rindex("</")]


def _live_marks(component: Component, functions: TemplateFunctions) -> str:
    """The words by which pushes find the root."""
    spec = component._compiled
    if not type(component).shared:
        return " ".join(map(handle, topics_of(component)))
    if functions.slots:
        raise ConfigurationError(
            f"{spec.title} is shared, so that it cannot have children: each page has its own of them."
        )
    return share_key(spec.name, msgspec.json.encode(component.params, order="deterministic"))


async def _fill(component: Component, host: Host, slots: list[Slot], text: str, run: Any) -> str:
    """Put each child where its slot is: a stub for one that is on the page already, its markup for a new one."""
    mounted: dict[str, str] = {}
    parts: dict[str, str] = {}
    count = _Count.of_this_answer(host.limits.components)
    for number in _SLOT.findall(text):  # and not of `slots`: a template may ask for a child and then not show it
        if number in parts or int(number) >= len(slots):
            raise ConfigurationError(
                f"The template of {type(component).__qualname__} shows one child twice. Call live_component() for each place."
            )
        slot = slots[int(number)]
        child_id = unique(f"{component.id}-{slot.key}", mounted)
        tag = component._children.get(child_id)
        if tag is not None:
            markup = f'<{tag} id="{child_id}" hx-preserve></{tag}>'
        else:
            with count.one_more(component):
                markup, tag = await _mount_child(component, host, slot, child_id, run)
        if tag is not None:
            mounted[child_id] = tag
        parts[number] = markup
    component._children = mounted
    return _SLOT.sub(lambda found: parts[found[1]], text)


class _Count:
    """How many components one answer mounts, children of children counted."""

    _present: ContextVar[_Count | None] = ContextVar("_present", default=None)

    def __init__(self, most: int) -> None:
        self.most = most
        self.mounted = 0

    @classmethod
    def of_this_answer(cls, most: int) -> _Count:
        """That of the answer under way, or a new one."""
        return cls._present.get() or cls(most)

    @contextmanager
    def one_more(self, parent: Component) -> Iterator[None]:
        """Around the mounting of one; raises TooLarge where it is one too many."""
        self.mounted += 1
        if self.mounted > self.most:
            raise TooLarge(f"{parent._compiled.title} shows more than {self.most} new components: Limits(components=…)")
        token = self._present.set(self)
        try:
            yield
        finally:
            self._present.reset(token)


async def _mount_child(component: Component, host: Host, slot: Slot, child_id: str, run: Any) -> tuple[str, str | None]:
    """A child's markup and the name of its root element; None for what is shown in place of a refused child."""
    try:
        frame = await host.show_other(
            slot.name, target=child_id, params=slot.params, context=component.context, offload=run.offload
        )
    except Invalid as exc:
        raise BindingError(f"live_component({slot.name!r}) in {type(component).__qualname__}: {exc}") from exc
    match = _ROOT.match(frame.html)
    return frame.html, match[1] if match and frame.token else None


def unique(wanted: str, taken: Mapping[str, Any]) -> str:
    """`wanted`, or with the first number behind it that is not taken yet."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


_BEHAVIOUR = (
    ("hx-target:inherited", "this"),
    ("hx-swap:inherited", "outerMorph"),
    ("hx-sync:inherited", "this:queue all"),
    ("hx-status:5xx:inherited", "swap:none"),
)
_BEHAVIOUR_TEXT = "".join(f' {name}="{value}"' for name, value in _BEHAVIOUR)
_STAMPED = frozenset({"id", "data-component", "data-state", "data-version", *(name for name, _ in _BEHAVIOUR)})


def _stamp(component: Component, text: str, root: Root) -> str:
    """Write the framework's attributes into the root; those that the template brings stay as they are."""
    token, name, version = component._token, component._compiled.name, component._version
    if root.bare and token is not None:
        added = f' id="{component.id}" data-component="{name}" data-state="{token}" data-version="{version}"{_BEHAVIOUR_TEXT}'
    else:
        own = (
            ("id", component.id),
            ("data-component", name),
            ("data-state", token),
            ("data-version", version),
            *_BEHAVIOUR,
        )
        added = "".join(f' {key}="{value}"' for key, value in own if value is not None and key not in root.attributes)
    if component._record:  # there is a memory of the events that were applied, so that one may be sent again
        added += ' data-retry="1"'
    if component._live is not None:
        added += ' data-live="{}" data-digest="{}"'.format(*component._live)
    stamped = f"{text[: root.end].lstrip()}{added}{text[root.end :].rstrip()}"
    if _STATE_FIELD in stamped:
        fields = f'<input type="hidden" name="_id" value="{component.id}">'
        fields += f'<input type="hidden" name="_state" value="{token}">' if token else ""
        stamped = stamped.replace(_STATE_FIELD, fields)
    return stamped
