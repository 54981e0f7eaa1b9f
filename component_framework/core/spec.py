"""What a component class declares, compiled once.

Annotated fields become a typed state schema, `on_<event>` methods become handlers with a payload Shape. A request only
looks things up here: nothing that the browser sends ever reaches `getattr` or `setattr`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from .bound import bound_shape
from .calls import PREFIX
from .errors import ConfigurationError, StateError, nearest
from .fitting import Field, Shape, shape_of
from .handler import Handler as Handler
from .handler import Kind
from .handler import kind_of as kind_of
from .outcomes import PREFIX as OUTCOME
from .payloads import stand_for
from .plain import require_finite, require_json
from .providing import Need, key_of
from .secret import is_server_only
from .state_fields import (
    class_needs,
    components_of,
    digest_of_state,
    is_nullable_number,
    is_untyped,
    require_sound,
    state_fields,
)
from .topics import check_topics

if TYPE_CHECKING:
    from .component import Component

NAME = re.compile(r"[a-z][a-z0-9_.-]*")
EVENT = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = frozenset({"live", "ws", "static"})


class Spec:
    """A component class, compiled; `name` is what it is registered as."""

    __slots__ = (
        "asks", "bindings", "bound", "calls", "cls", "decode", "fields", "handlers", "is_async", "last_root", "live", "mount",
        "mount_names", "mount_open", "name", "needs", "nullable", "overrides", "public", "schema", "secret", "secret_params", "state",
        "takes_files", "title", "unguarded", "untyped", "works",
    )  # fmt: skip

    def __init__(self, cls: type[Component]) -> None:
        from .component import Component

        self.cls = cls
        self.last_root: Any = None
        self.bindings: dict[Any, str] = {}
        self.title = cls.__qualname__
        require_sound(cls, Component)
        self.name: str = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        self.state = Shape(f"{cls.__name__}State", state_fields(cls, Component))
        self.needs = class_needs(cls)
        self.fields = tuple(self.state.fields)
        self.bound = bound_shape(cls.__name__, self.state.fields.values())
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(_optional_struct(cls, self.state)).decode
        self.secret = frozenset(name for name, field in self.state.fields.items() if is_server_only(field.type))
        self.schema = digest_of_state(self.state)
        self.untyped = [field.name for field in self.state.fields.values() if is_untyped(field.type)]
        self.nullable = [field.name for field in self.state.fields.values() if is_nullable_number(field.type)]
        self.handlers = {handler.event: handler for handler in (*_handlers(cls), *_calls(cls))}
        # the events for which nobody is asked and nothing is counted; None is a render
        self.unguarded = frozenset(
            event
            for event in (None, *self.handlers)
            if not (cls.permissions or cls.rate_limit)
            and (event is None or not (self.handlers[event].permissions or self.handlers[event].rate_limit))
        )
        self.takes_files = any(handler.uploads for handler in self.handlers.values())
        self.calls = frozenset(name for name, handler in self.handlers.items() if handler.is_call)
        self.works = any(handler.is_outcome for handler in self.handlers.values())
        self.overrides = frozenset(
            name for name in ("mount", "hydrate", "dehydrate", "authorize", "handle_event", "render", "get_context", "unit_of_work",
                         "catch_up")
            if getattr(cls, name) is not getattr(Component, name)
        )  # fmt: skip
        self.mount = self._mount_shape()
        self.secret_params = frozenset(
            name for name, field in self.mount.fields.items() if name in self.secret or is_server_only(field.type)
        )
        self.public = frozenset(cls.public_params)
        if unknown := self.public - self.mount.names:
            raise ConfigurationError(
                f"{self.title}.public_params lists {', '.join(sorted(unknown))}, which mount() does not take."
            )
        self.asks = bool(self.all_needs())
        kinds: dict[str, Kind] = {name: kind_of(getattr(cls, name)) for name in (*_HOOKS, *_SYNC_HOOKS)}
        for name, kind in kinds.items():
            _require_kind(self.title, name, kind)
        self.live = check_topics(self)
        self.is_async = any(handler.is_async for handler in self.handlers.values()) or any(
            kind != "plain" for kind in kinds.values()
        )

    def all_needs(self) -> list[Need]:
        """What the class, its `mount()` and its handlers ask to be provided with."""
        shapes = (self.mount, *(handler.shape for handler in self.handlers.values()))
        return [*self.needs, *(need for shape in shapes for need in shape.needs)]

    def withhold(self, keys: Collection[Any]) -> None:
        """Take parameters of types that an engine provides out of every payload, for good."""
        self.bindings.clear()
        for handler in self.handlers.values():
            if found := handler.shape.among(keys):
                handler.shape = handler.shape.without(found)
        own = [field for name, field in self.mount.fields.items() if name in self.mount_names]
        if found := [field for field in own if key_of(field.type) in keys]:
            self.mount = self.mount.without(found)
            self.mount_names -= {field.name for field in found}
        self.asks = bool(self.all_needs())

    def unknown(self, event: str) -> str:
        """What is wrong with binding `event`, for the developer: the nearest one, or why this is none."""
        for owner in self.cls.__mro__:
            if f"on_{event}" in vars(owner):
                reason = (
                    f"{owner.__qualname__}.on_{event} is no plain method"
                    if owner in components_of(self.cls)
                    else f"{owner.__qualname__}, which has on_{event}, is no Component: make it a subclass of Component"
                )
                return f"{self.title} has no event {event!r} ({reason})"
        return f"{self.title} has no event {event!r} ({nearest(event, self.handlers)})"

    def _mount_shape(self) -> Shape:
        """Params are what `mount()` takes and the state fields; a `mount(self)` that takes none accepts any, as `self.params`."""
        own = (
            shape_of(self.title, self.cls.mount, stand_for=stand_for(self.cls, self.cls.mount))
            if "mount" in self.overrides
            else Shape("Nothing", [])
        )
        if stolen := own.names & {"component_id", "context", "lazy"}:
            raise ConfigurationError(
                f"{self.title}.mount() cannot have a parameter {min(stolen)!r}: engine.mount() takes it. Rename it."
            )
        own.require_readable(f"{self.title}.mount")
        self.mount_names = own.names
        self.mount_open = own.open
        loose = own.open or ("mount" in self.overrides and not own.fields)
        fields = [field for field in self.state.fields.values() if field.name not in own.fields]
        given = [Field(field.name, field.type, msgspec.UNSET) for field in fields]
        every = [*own.fields.values(), *given]
        return Shape(f"{self.cls.__name__}Params", every, open=loose, taken=own.taken, needs=own.needs)

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
        """`values` (and `free` keys) as JSON; raises StateError, or PayloadError, when they could not be read back as declared."""
        if len(values) < len(self.fields):
            missing = [name for name in self.fields if name not in values]
            raise StateError(
                f"{self.title}.{missing[0]} has no value after mount(). Give it a default, set it in mount(), "
                f'or pass it: live_component("{self.name}", {missing[0]}=…).'
            )
        for name in self.untyped:
            require_json(values[name], f"{self.title}.{name}")
        for name in self.nullable:
            require_finite(values[name], f"{self.title}.{name}")
        if free:
            require_json(free, f"{self.title}.state")
            values = {**values, "__free__": free}
        try:
            data = msgspec.json.encode(values)
            self.decode(data)  # what cannot come back must not leave: the next click would be lost
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as exc:
            raise StateError(f"{self._misfit(values)} does not fit its annotation: {exc}{_advice(exc)}") from exc
        return data

    def _misfit(self, values: Mapping[str, Any]) -> str:
        """The name of the first field that cannot leave and come back."""
        for name, field in self.state.fields.items():
            try:
                msgspec.json.decode(msgspec.json.encode(values[name]), type=field.type)
            except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
                return f"{self.title}.{name}"
        return f"The state of {self.title}"


def _advice(error: Exception) -> str:
    """What to do about text of another type than str; str(…) of Django's SafeString is one again."""
    if not isinstance(error, TypeError):
        return ""
    return (
        '. Text that is marked as safe, or lazily translated, becomes plain text by "".join(str(text)); '
        "a template marks it as safe where it shows it."
    )


def spec_of(cls: type[Component]) -> Spec:
    """The Spec of `cls`, compiled at the first call; raises ConfigurationError for what is declared wrongly."""
    spec: Spec | None = getattr(cls, "_spec", None)  # which may be that of the class above
    if spec is None or spec.cls is not cls:
        spec = cls._spec = Spec(cls)
    return spec


_HOOKS = ("mount", "authorize", "hydrate", "catch_up", "get_context", "render", "handle_event")
_SYNC_HOOKS = ("dehydrate", "migrate", "unit_of_work")


def _require_kind(title: str, name: str, kind: Kind) -> None:
    if name == "handle_event" or kind == "plain" or (kind == "coroutine" and name not in _SYNC_HOOKS):
        return
    fix = (
        "Take the yield out of it."
        if kind != "coroutine"
        else "Write a plain def; what has to wait belongs into a handler."
    )
    raise ConfigurationError(f"{title}.{name}() cannot be {'async' if kind == 'coroutine' else 'a generator'}. {fix}")


def _handlers(cls: type[Component]) -> list[Handler]:
    """Handlers are plain functions named `on_<event>`, written in the body of a Component subclass."""
    methods: dict[str, Any] = {}
    for owner in reversed(
        components_of(cls)
    ):  # a mixin that is no Component declares none: nothing is callable by accident
        for name, value in vars(owner).items():
            if name.startswith("on_") and EVENT.fullmatch(name[3:]):
                methods[name] = value
    return [
        Handler(cls, (OUTCOME if hasattr(method, "component_outcome") else "") + name[3:], method)
        for name, method in methods.items()
        if inspect.isfunction(method)
    ]


def _calls(cls: type[Component]) -> list[Handler]:
    """The methods that a component's own classes mark with `@call`."""
    methods = {name: value for owner in reversed(components_of(cls)) for name, value in vars(owner).items()}
    marked = {name: value for name, value in methods.items() if hasattr(value, "component_call")}
    return [Handler(cls, PREFIX + name, method) for name, method in marked.items()]


def _optional_struct(cls: type[Component], state: Shape) -> Any:
    free: tuple[Any, ...] = ("__free__", dict[str, Any], msgspec.field(default_factory=dict))
    fields = [(field.name, field.type) for field in state.fields.values()]
    return msgspec.defstruct(f"{cls.__name__}Stored", [*fields, free], forbid_unknown_fields=True)
