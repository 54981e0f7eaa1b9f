"""The columns of SQLAlchemy's mapped classes: their types, their choices, and what their keys point to."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from sqlalchemy import Enum, String, inspect

from ..core.errors import ConfigurationError
from ..core.model import ModelField


def model_field(column: Any) -> ModelField:
    """What a column holds, and what a visitor may send for it: no longer text than fits."""
    kind = column.type.python_type
    accepted: Any = kind
    if isinstance(column.type, String) and not isinstance(column.type, Enum) and column.type.length:
        accepted = Annotated[str, msgspec.Meta(max_length=column.type.length)]
    return ModelField(kind | None, accepted | None if column.nullable else accepted)


def members_of(model: Any, name: str) -> list[tuple[Any, str]]:
    """The members of an Enum column, with their values as labels."""
    kind = inspect(model).column_attrs[name].columns[0].type
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return [(member, str(member.value)) for member in kind.enum_class]
    raise ConfigurationError(f"{model.__name__}.{name} has no choices: Enum columns and foreign keys have.")


def related_class(model: Any, name: str) -> Any:
    """The mapped class that the foreign key `name` points to; None for any other column."""
    mapper = inspect(model)
    keys = mapper.column_attrs[name].columns[0].foreign_keys
    tables = [key.column.table for key in keys]
    return next((other.class_ for other in mapper.registry.mappers if other.local_table in tables), None)
