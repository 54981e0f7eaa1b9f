"""What a ModelComponent class declares, compiled once: the columns that it shows, and the handler that writes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import msgspec

from .errors import ConfigurationError, nearest
from .field_types import input_of, merge_inputs
from .fitting import Field, Shape, class_hints, members
from .payloads import Payload, schema_for
from .schema import FormSchema
from .typed_schema import TypedSchema

if TYPE_CHECKING:
    from .model import ModelComponent


class ModelField(NamedTuple):
    """A column: the type of what is stored, and that of what a visitor may send, which may be narrower.

    What the latter says by an `Input` is how a form asks for it. `many` are the rows on the other side of a relation:
    they are shown only where a class names them. A file is no state of a component: its type is not asked for.
    """

    stored: Any
    accepted: Any
    many: bool = False
    is_file: bool = False


def compile_model(cls: type[ModelComponent], base: type[ModelComponent]) -> None:
    """Give the class state fields, and an `on_save` that takes what may be written, out of its model."""
    known = cls.repository.fields(cls.model)
    every = tuple(name for name, field in known.items() if not field.many)
    wanted = every if cls.fields == "__all__" else tuple(cls.fields)
    _require_known(cls, known, (*wanted, *cls.readonly, *cls.exclude, *filter(None, [cls.version_field])))
    shown = dict.fromkeys((*wanted, *cls.readonly, *filter(None, [cls.version_field])))
    names = [name for name in shown if name not in cls.exclude and name != "pk"]
    for name in names:
        if hasattr(base, name):
            raise ConfigurationError(
                f"{cls.__qualname__}: ModelComponent has a {name!r} of its own, so that no field can have that name. "
                f"Take it out of `fields`, and read it as `instance.{name}`."
            )
        if known[name].is_file:
            raise ConfigurationError(
                f"{cls.__qualname__}: {name!r} is a file, which no state holds. Take it out of `fields`, show it as "
                f"`instance.{name}`, and take a new one with a FormComponent whose schema is a ModelForm."
            )
    dropped = dict.fromkeys(
        cls._columns.keys() - {"pk", *names}, ClassVar[Any]
    )  # the base class's: no state of this one
    narrower = class_hints(cls)
    cls._columns = {"pk": known["pk"], **{name: _narrowed(known[name], narrower.get(name)) for name in names}}
    cls._writable = frozenset(wanted).difference(cls.readonly, cls.exclude, [cls.version_field, "pk"])
    own = inspect.get_annotations(cls)
    state = {name: column.stored for name, column in cls._columns.items()} | {"shown_before": dict[str, Any]}
    cls.__annotations__ = {**dropped, **state, **own}
    cls.pk = getattr(cls, "pk", None)  # type: ignore[attr-defined]  # the default of the field that was just added
    cls.shown_before = {}  # type: ignore[attr-defined]  # as above
    written = getattr(cls, "on_save", None)
    if written is None or getattr(written, "is_made", False):
        cls.on_save = _saver(cls)  # type: ignore[attr-defined]  # a handler like any other


def _narrowed(column: ModelField, own: Any) -> ModelField:
    """A column with the type that the class itself annotates it with."""
    return column if own is None else column._replace(accepted=_noted(own, column))


def _noted(kind: Any, column: ModelField) -> Any:
    """`kind`, asked for as the column is, where it does not say otherwise."""
    return Annotated[kind, merge_inputs([input_of(kind), input_of(column.accepted)])]


def model_form(cls: type[ModelComponent], payload: Payload) -> FormSchema:
    """The form of what `on_save` takes, its fields labelled and asked for as the model says."""
    if not isinstance(payload, Shape):
        return schema_for(cls, payload)
    columns = cls._columns
    fields = [
        Field(name, _noted(field.type, columns[name]), field.default) if name in columns else field
        for name, field in payload.fields.items()
    ]
    return TypedSchema(cls.__qualname__, fields, dict)


def _require_known(cls: type[ModelComponent], known: Iterable[str], names: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"{cls.__qualname__}: {cls.model.__name__} has no field {name!r} ({nearest(name, known)})."
            )


def _saver(cls: type[ModelComponent]) -> Callable[..., Any]:
    """The handler that takes any of the writable fields and saves them."""

    def on_save(self: Any, **values: Any) -> Any:
        self.take(values)
        saved = self.save()
        if hasattr(saved, "__await__"):
            return _ignore(saved)
        return None

    names = [name for name in cls._columns if name in cls._writable]
    types = {name: cls._columns[name].accepted for name in names}
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty
            if members(types[name]) == (bool,)
            else msgspec.UNSET,  # a box that is not ticked is False
        )
        for name in names
    ]
    on_save.is_made = True  # type: ignore[attr-defined]  # so that a subclass with other fields gets its own
    on_save.__annotations__ = types
    on_save.__signature__ = inspect.Signature([me, *given])  # type: ignore[attr-defined]  # PEP 362
    return on_save


async def _ignore(saved: Coroutine[Any, Any, Any]) -> None:
    await saved
