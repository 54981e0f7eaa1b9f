"""What a component class declares, compiled once.

Annotated fields become a typed state schema, `on_<event>` methods become handlers with a payload Shape. A request only
looks things up here: nothing that the browser sends ever reaches `getattr` or `setattr`.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from .errors import ConfigurationError, StateError
from .fitting import Field, Shape, class_hints, shape_of
from .plain import require_json
from .secret import is_server_only

if TYPE_CHECKING:
    from .component import Component
    from .gate import Permission

NAME = re.compile(r"[a-z][a-z0-9_.-]*")
EVENT = re.compile(r"[a-z][a-z0-9_]*")
SETTINGS = frozenset(
    {
        "template",
        "template_name",
        "renderer",
        "public_params",
        "blocking",
        "lives_in",
        "replay",
        "permissions",
        "rate_limit",
        "refused_template",
    }
)
RESERVED = frozenset({"live", "ws", "static"})

Kind = Literal["plain", "coroutine", "generator", "async_generator"]


class Handler:
    """One `on_<event>` method: its payload's shape, and how it runs."""

    __slots__ = ("call", "event", "is_async", "kind", "permissions", "rate_limit", "shape", "streams")

    def __init__(self, owner: str, event: str, method: Callable[..., Any]) -> None:
        self.event = event
        self.call = method
        self.shape = shape_of(owner, method)
        self.kind = kind_of(method)
        self.permissions: tuple[Permission, ...] = getattr(method, "permissions", ())
        self.rate_limit: str | None = getattr(method, "rate_limit", None)
        self.streams = self.kind in ("generator", "async_generator")
        self.is_async = self.kind in ("coroutine", "async_generator")


class Spec:
    """A component class, compiled; `name` is what it is registered as."""

    __slots__ = (
        "cls", "decode", "fields", "handlers", "is_async", "last_root", "mount", "mount_names", "mount_open", "name", "overrides", "public",
        "schema", "secret", "state", "title",
    )  # fmt: skip

    def __init__(self, cls: type[Component]) -> None:
        from .component import Component

        self.cls = cls
        self.last_root: Any = None
        self.title = cls.__qualname__
        self.name: str = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        self.state = Shape(f"{cls.__name__}State", _state_fields(cls, Component))
        self.fields = tuple(self.state.fields)
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(_optional_struct(cls, self.state)).decode
        self.secret = frozenset(name for name, field in self.state.fields.items() if is_server_only(field.type))
        self.schema = _digest(self.state)
        self.handlers = {handler.event: handler for handler in _handlers(cls)}
        self.overrides = frozenset(
            name for name in ("mount", "hydrate", "dehydrate", "authorize", "handle_event", "render", "get_context", "unit_of_work")
            if getattr(cls, name) is not getattr(Component, name)
        )  # fmt: skip
        self.mount = self._mount_shape()
        self.public = frozenset(cls.public_params)
        if unknown := self.public - self.mount.names:
            raise ConfigurationError(
                f"{self.title}.public_params lists {', '.join(sorted(unknown))}, which mount() does not take."
            )
        hooks: list[Callable[..., Any]] = [
            cls.mount,
            cls.authorize,
            cls.hydrate,
            cls.dehydrate,
            cls.get_context,
            cls.render,
            cls.handle_event,
        ]
        self.is_async = any(handler.is_async for handler in self.handlers.values()) or any(
            kind_of(hook) != "plain" for hook in hooks
        )

    def _mount_shape(self) -> Shape:
        """Params are what `mount()` takes and the state fields; a `mount(self)` that takes none accepts any, as `self.params`."""
        own = shape_of(self.title, self.cls.mount) if "mount" in self.overrides else Shape("Nothing", [])
        self.mount_names = own.names
        self.mount_open = own.open
        loose = own.open or ("mount" in self.overrides and not own.fields)
        fields = [field for field in self.state.fields.values() if field.name not in own.fields]
        given = [Field(field.name, field.type, msgspec.UNSET) for field in fields]
        return Shape(f"{self.cls.__name__}Params", [*own.fields.values(), *given], open=loose, taken=own.taken)

    def fit_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` with their declared types, those of state fields only where they are given; raises Invalid."""
        if not params and not self.mount.required:
            return {name: value for name, value in self.mount.defaults().items() if value is not msgspec.UNSET}
        return {name: value for name, value in self.mount.fit(params).items() if value is not msgspec.UNSET}

    def mount_arguments(self, fitted: Mapping[str, Any]) -> dict[str, Any]:
        """What of the fitted params `mount()` takes itself; the others are state fields."""
        taken = self.mount_names if not self.mount_open else fitted.keys() - (self.state.names - self.mount_names)
        return {name: fitted[name] for name in taken if name in fitted}

    def convert(self, state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """A state given as a mapping: typed values, or their JSON; raises StateError when it does not fit."""
        declared = {name: value for name, value in state.items() if name in self.state.names}
        try:
            values = {name: msgspec.convert(value, self.state.fields[name].type) for name, value in declared.items()}
        except msgspec.ValidationError as exc:
            raise StateError(f"{self.title}: {exc}") from None
        return values, {name: value for name, value in state.items() if name not in declared}

    def load(self, data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """The declared fields and the free keys of an encoded state; raises StateError when it does not fit."""
        try:
            struct = self.decode(data)
        except msgspec.DecodeError as exc:
            raise StateError(f"{self.title}: {exc}") from None
        values = {name: value for name in self.fields if (value := getattr(struct, name)) is not msgspec.UNSET}
        return values, struct.__free__

    def dump(self, values: Mapping[str, Any], free: Mapping[str, Any]) -> bytes:
        """`values` (and `free` keys) as JSON; raises StateError when they could not be read back as declared."""
        if len(values) < len(self.fields):
            missing = [name for name in self.fields if name not in values]
            raise StateError(
                f"{self.title}.{missing[0]} has no value after mount(). Give it a default, set it in mount(), "
                f'or pass it: live_component("{self.name}", {missing[0]}=…).'
            )
        if free:
            require_json(free, f"{self.title}.state")
            values = {**values, "__free__": free}
        try:
            data = msgspec.json.encode(values)
            self.decode(data)  # what cannot come back must not leave: the next click would be lost
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as exc:
            raise StateError(f"The state of {self.title} does not fit its annotations: {exc}") from exc
        return data


def spec_of(cls: type[Component]) -> Spec:
    """The Spec of `cls`, compiled at the first call; raises ConfigurationError for what is declared wrongly."""
    spec = cls.__dict__.get("_spec")
    if spec is None:
        spec = cls._spec = Spec(cls)
    return typing.cast(Spec, spec)


def kind_of(function: Callable[..., Any]) -> Kind:
    """How calling `function` has to be continued."""
    if inspect.isasyncgenfunction(function):
        return "async_generator"
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    return "generator" if inspect.isgeneratorfunction(function) else "plain"


def _state_fields(cls: type[Component], base: type[Component]) -> list[Field]:
    """The annotated attributes of `cls` and of its bases that are Components, those of bases first."""
    hints: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        if owner is not base and issubclass(owner, base):
            hints.update(class_hints(owner))
    fields = []
    for name, kind in hints.items():
        if name.startswith("_") or name in SETTINGS or kind is ClassVar or typing.get_origin(kind) is ClassVar:
            continue
        if hasattr(base, name) or name in inspect.get_annotations(base):
            raise ConfigurationError(
                f"{cls.__qualname__}.{name}: Component has a {name!r} of its own. Rename the field."
            )
        fields.append(Field(name, kind, getattr(cls, name, msgspec.NODEFAULT)))
    return fields


def _handlers(cls: type[Component]) -> list[Handler]:
    """Handlers are plain functions named `on_<event>`, written in the body of a Component subclass."""
    from .component import Component

    methods: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        if owner is Component or not issubclass(owner, Component):
            continue  # a mixin that is no Component declares no events: nothing is callable by accident
        for name, value in vars(owner).items():
            if name.startswith("on_") and EVENT.fullmatch(name[3:]):
                methods[name] = value
    return [
        Handler(cls.__qualname__, name[3:], method) for name, method in methods.items() if inspect.isfunction(method)
    ]


def _optional_struct(cls: type[Component], state: Shape) -> Any:
    free: tuple[Any, ...] = ("__free__", dict[str, Any], msgspec.field(default_factory=dict))
    fields = [(field.name, field.type) for field in state.fields.values()]
    return msgspec.defstruct(f"{cls.__name__}Stored", [*fields, free], forbid_unknown_fields=True)


def _digest(state: Shape) -> str:
    """Eight characters that change whenever a field's name or type does."""
    text = ";".join(f"{field.name}:{_describe(field.type, set())}" for field in state.fields.values())
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _describe(kind: Any, seen: set[Any]) -> str:
    """A type as text, with the fields of the structs in it, the same in every process."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        inner = ",".join(
            f"{field.name}:{_describe(field.type, seen | {kind})}" for field in msgspec.structs.fields(kind)
        )
        return f"{kind.__qualname__}({inner})"
    if arguments := typing.get_args(kind):
        inner = ",".join(_describe(argument, seen) for argument in arguments)
        return f"{typing.get_origin(kind)}[{inner}]"
    return kind.__qualname__ if isinstance(kind, type) else repr(kind)
