"""The columns of SQLAlchemy's mapped classes: their types, their inputs, their choices, and what their keys point to."""

from __future__ import annotations

import decimal
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import DateTime, Enum, Numeric, String, Text, inspect

from ..core.errors import ConfigurationError
from ..core.field_types import label_of
from ..core.model_spec import ModelField
from ..core.schema import Input


def model_field(name: str, column: Any) -> ModelField:
    """What a column holds, and what a visitor may send for it: no longer text than fits.

    `mapped_column(doc=…, info={"label": …})` are what a form says of it; a moment with a time zone is asked for in UTC.
    """
    kind = _python_type(column.type)
    if kind is Any:
        return ModelField(Any, Any)
    accepted: Any = kind
    if isinstance(column.type, Enum) and column.type.enum_class is None:
        accepted = Literal[tuple(column.type.enums)]
    elif isinstance(column.type, String) and not isinstance(column.type, Enum) and column.type.length:
        accepted = Annotated[str, msgspec.Meta(max_length=column.type.length)]
    nullable = getattr(column, "nullable", True)
    return ModelField(kind | None, Annotated[accepted | None if nullable else accepted, _input(name, column, nullable)])


def _python_type(kind: Any) -> Any:
    try:
        return kind.python_type
    except NotImplementedError:
        return Any  # a type of the application's own, which does not say


def _input(name: str, column: Any, nullable: bool) -> Input:
    related = bool(getattr(column, "foreign_keys", ()))
    kind = column.type
    is_text = isinstance(kind, String) and not isinstance(kind, Enum)
    places = kind.scale if isinstance(kind, Numeric) and kind.asdecimal else None
    return Input(
        type="select" if related else "textarea" if isinstance(kind, Text) else None,
        label=getattr(column, "info", {}).get("label") or label_of(name.removesuffix("_id") if related else name),
        help=getattr(column, "doc", None) or "",
        required=not nullable and not is_text and kind.python_type is not bool,
        step=decimal.Decimal(1).scaleb(-places) if places is not None else None,
        zone="UTC" if isinstance(kind, DateTime) and kind.timezone else "",
    )


def members_of(model: Any, name: str) -> list[tuple[Any, str]]:
    """The members of an Enum column, with their values as labels."""
    kind = inspect(model).column_attrs[name].columns[0].type
    if isinstance(kind, Enum):
        return [(member, str(getattr(member, "value", member))) for member in kind.enum_class or kind.enums]
    raise ConfigurationError(f"{model.__name__}.{name} has no choices: Enum columns and foreign keys have.")


def related_class(model: Any, name: str) -> Any:
    """The mapped class that the foreign key `name` points to; None for any other column."""
    mapper = inspect(model)
    keys = getattr(mapper.column_attrs[name].columns[0], "foreign_keys", ())
    tables = [key.column.table for key in keys]
    return next((other.class_ for other in mapper.registry.mappers if other.local_table in tables), None)


def key_of(model: Any) -> Any:
    """The column that is the key of `model`."""
    return inspect(model).primary_key[0]
