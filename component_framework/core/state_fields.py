"""The state that a class declares by its annotated attributes, and the mistakes in declaring it that can be told at once."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import typing
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from .errors import ConfigurationError
from .fitting import Field, Shape, class_hints
from .gate import require_permission, require_rate
from .generics import bindings_of, bound
from .mixins import is_class_variable, require_no_lost_fields
from .providing import Need, is_foreign, is_marked, need_of

if TYPE_CHECKING:
    from .component import Component

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
        "placeholder_template",
        "topics",
        "shared",
    }
)
IN_TEMPLATES = frozenset({"on", "live_component", "component_fields", "component_scripts", "component"})
"""What a template knows besides the state fields."""


def state_fields(cls: type[Component], base: type[Component]) -> list[Field]:
    """The annotated attributes of `cls` and of its bases that are Components, those of bases first."""
    require_no_lost_fields(cls, base)
    hints: dict[str, Any] = {}
    stand_for = bindings_of(cls)
    for owner in reversed(components_of(cls)):
        hints.update((name, bound(kind, stand_for.get(owner, {}))) for name, kind in class_hints(owner).items())
    fields = []
    for name, kind in hints.items():
        if name.startswith("_") or _is_constant(kind) or is_marked(kind):
            continue
        if name in SETTINGS:
            raise ConfigurationError(
                f"{cls.__qualname__}.{name} is annotated like a field of the state, but {name} is a setting. Write it "
                "without an annotation, or rename the field."
            )
        if hasattr(base, name) or name in inspect.get_annotations(base) or name in IN_TEMPLATES:
            owner_of_name = "A template" if name in IN_TEMPLATES else "Component"
            raise ConfigurationError(
                f"{cls.__qualname__}.{name}: {owner_of_name} has a {name!r} of its own. Rename the field."
            )
        _require_readable(cls.__qualname__, name, kind)
        field = Field(name, kind, getattr(cls, name, msgspec.NODEFAULT))
        _require_default(cls.__qualname__, field)
        fields.append(field)
    return fields


def _is_constant(kind: Any) -> bool:
    """Whether an annotation says that the attribute is the class's own, the same for every visitor."""
    return kind in (ClassVar, Final) or typing.get_origin(kind) in (ClassVar, Final)


def class_needs(cls: type[Component]) -> tuple[Need, ...]:
    """The attributes that are marked as provided: `db: Annotated[AsyncSession, Provided()]`."""
    needs = {}
    for owner in reversed(components_of(cls)):
        for name, kind in class_hints(owner).items():
            if is_marked(kind) and (need := need_of(name, kind)) is not None:
                needs[name] = need
    return tuple(needs.values())


def require_sound(cls: type[Component], base: type[Component]) -> None:
    """Raise ConfigurationError for what would go wrong later, and silently: state that is shared, settings that are none."""
    title = cls.__qualname__
    for owner in components_of(cls):
        if dataclasses.is_dataclass(owner) or not _takes_params(owner):
            raise ConfigurationError(
                f"{title}: a component is made anew for every event, by the framework. Take "
                f"{'@dataclass' if dataclasses.is_dataclass(owner) else '__init__()'} away, and fill its state in mount()."
            )
        _require_no_shared_state(cls, owner, base)
    for name in ("permissions", "public_params", "topics"):
        if isinstance(value := getattr(cls, name), str):
            raise ConfigurationError(f"{title}.{name} is a str. Write a tuple: {name} = ({value!r},).")
    for permission in cls.permissions:
        require_permission(permission, f"{title}.permissions")
    if cls.rate_limit is not None:
        require_rate(cls.rate_limit, f"{title}.rate_limit")
    for name, choices in (("lives_in", ("token", "store", None)), ("replay", ("allow", "refuse"))):
        if (value := getattr(cls, name)) not in choices:
            wanted = " or ".join(repr(choice) for choice in choices)
            raise ConfigurationError(f"{title}.{name} is {value!r}. Write {wanted}.")


def _takes_params(owner: type) -> bool:
    """Whether a class's own `__init__()`, if it has one, takes whatever params a page gives."""
    own = vars(owner).get("__init__")
    return own is None or any(each.kind is each.VAR_KEYWORD for each in inspect.signature(own).parameters.values())


def _require_no_shared_state(cls: type[Component], owner: type[Component], base: type[Component]) -> None:
    """A list that is no state belongs to the class: what one visitor puts into it, every other sees."""
    hints = {name: kind for each in components_of(cls) for name, kind in inspect.get_annotations(each).items()}
    for name, value in vars(owner).items():
        if (
            not isinstance(value, (list, dict, set, bytearray))
            or name.startswith("__")
            or name.isupper()
            or hasattr(base, name)
        ):
            continue
        if name not in hints or (name.startswith("_") and not is_class_variable(hints[name])):
            kind, own = type(value).__name__, name.lstrip("_")
            why = "has no annotation" if name not in hints else "has a private name"
            raise ConfigurationError(
                f"{cls.__qualname__}.{name} {why}, so that it is no state, and all visitors share it. Write "
                f"{own}: {kind} = …, which each component has for itself, or {name}: ClassVar[{kind}] = … for a constant."
            )


def _require_readable(title: str, name: str, kind: Any) -> None:
    """Raise ConfigurationError for a type of which no value could come back from a page."""
    try:
        msgspec.json.Decoder(kind)
    except TypeError as exc:
        raise ConfigurationError(f"{title}.{name} cannot be state: {exc}.") from exc
    if is_foreign(kind):
        raise ConfigurationError(
            f"{title}.{name} cannot be state: no JSON is a {getattr(kind, '__qualname__', kind)}. Keep its id and fetch it "
            f"anew in each handler, or let the engine provide it: {name}: Annotated[…, Provided()]."
        )


def _require_default(title: str, field: Field) -> None:
    """Raise ConfigurationError for a default that could not come back from a page as what the field is declared to be."""
    if field.required:
        return
    default = field.default
    if isinstance(default, type) or type(default).__name__ == "Field":
        raise ConfigurationError(
            f"{title}.{field.name} = {default!r:.80} does not fit its annotation. Write the value itself, such as [] or {{}}: "
            "each component gets a copy of its own."
        )
    try:
        msgspec.json.decode(msgspec.json.encode(default), type=field.type)
    except (msgspec.MsgspecError, TypeError, ValueError) as exc:
        fix = (
            f"Write {field.name}: … | None = None"
            if default is None
            else "Write a value of that type (a list, too: each component gets its own copy)"
        )
        raise ConfigurationError(
            f"{title}.{field.name} = {default!r} does not fit its annotation: {exc}. {fix}, or change the annotation."
        ) from exc


def is_untyped(kind: Any) -> bool:
    """Whether a value of this type is any JSON, so that nothing says what a date in it would come back as."""
    if kind is Any or kind in (object, dict, list, tuple):
        return True
    members = [member for member in typing.get_args(kind) if member not in (str, type(None), Ellipsis)]
    return typing.get_origin(kind) is not typing.Literal and bool(members) and all(map(is_untyped, members))


def is_nullable_number(kind: Any) -> bool:
    """Whether NaN, which is null in JSON, would come back as None."""
    members = typing.get_args(kind)
    return (float in members and type(None) in members) or any(map(is_nullable_number, members))


def components_of(cls: type[Component]) -> list[type[Component]]:
    """`cls` and those of its bases that are user's components, the nearest first."""
    from .component import Component

    return [owner for owner in cls.__mro__ if owner is not Component and issubclass(owner, Component)]


def digest_of_state(state: Shape) -> str:
    """Eight characters that change whenever a field's name or type does."""
    text = ";".join(f"{field.name}:{_describe(field.type, frozenset())}" for field in state.fields.values())
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _describe(kind: Any, seen: frozenset[Any]) -> str:
    """A type as text, with the fields of the structs in it, the same in every process."""
    origin = typing.get_origin(kind)
    own = _fields_of(origin or kind)
    if own is not None and kind not in seen:
        inner = ",".join(f"{name}:{_describe(field, seen | {kind})}" for name, field in own.items())
        return f"{(origin or kind).__qualname__}({inner})"
    if origin is typing.Annotated:
        kind, *notes = typing.get_args(kind)
        bounds = [repr(note) for note in notes if isinstance(note, msgspec.Meta)]  # another's repr may hold an address
        return f"Annotated[{','.join([_describe(kind, seen), *bounds])}]"
    if arguments := typing.get_args(kind):
        inner = ",".join(_describe(argument, seen) for argument in arguments)
        return f"{origin}[{inner}]"
    return kind.__qualname__ if isinstance(kind, type) else repr(kind)


def _fields_of(kind: Any) -> dict[str, Any] | None:
    """The fields of a class that has some, by name: of a struct, a dataclass, a TypedDict, a NamedTuple."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {field.name: field.type for field in msgspec.structs.fields(kind)}
    if dataclasses.is_dataclass(kind) or typing.is_typeddict(kind) or hasattr(kind, "_field_defaults"):
        return typing.get_type_hints(kind, include_extras=True)
    return None
