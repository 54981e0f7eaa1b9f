"""What surrounds a save in a SQLAlchemy session: what is loaded again, what is kept, and which value was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import UniqueConstraint, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ..core.model import settle
from .sqlalchemy_columns import key_of

Rows = Any
"""A component of `sqlalchemy`, which imports this module."""


async def reload(component: Rows, changed: Mapping[str, Any]) -> None:
    """Load what the database computed, and the rows that changed foreign keys point to now: an async session loads nothing by itself."""
    mapper, state = inspect(component.model), inspect(component.instance)
    names = set(state.expired_attributes) & component._columns.keys()
    for relation in mapper.relationships:
        keys = {mapper.get_property_by_column(column).key for column in relation.local_columns}
        if relation.key in state.dict and keys & changed.keys():
            names.add(relation.key)
    if names:
        await settle(component.session.refresh(component.instance, sorted(names)))


async def commit(session: Session | AsyncSession) -> None:
    """Commit, and keep what is loaded: the component is still to be shown."""
    plain = session.sync_session if isinstance(session, AsyncSession) else session
    expires, plain.expire_on_commit = plain.expire_on_commit, False
    try:
        await settle(session.commit())
    finally:
        plain.expire_on_commit = expires


async def taken(component: Rows, changed: Mapping[str, Any]) -> dict[str, list[str]]:
    """The errors of what the database refused: the field whose value another row has, or the form as a whole."""
    model, key, pk = component.model, key_of(component.model), component.__dict__["pk"]
    for group in _unique_groups(model):
        values = {name: changed.get(name, component.original.get(name)) for name in group}
        if not changed.keys() & values.keys() or None in values.values():
            continue  # None is unlike any other None
        query = select(key).where(*(getattr(model, name) == value for name, value in values.items()))
        if await settle(component.session.scalar(query if pk is None else query.where(key != pk))) is not None:
            return {next(name for name in group if name in changed): ["This is taken already."]}
    return {"": ["This cannot be saved: it contradicts other data."]}


def _unique_groups(model: Any) -> list[list[str]]:
    """The names of the attributes that have to be unique, alone or together."""
    mapper = inspect(model)
    tables = {
        column.table for attribute in mapper.column_attrs for column in attribute.columns if hasattr(column, "table")
    }
    groups: list[Any] = []
    for table in tables:
        groups += [list(one.columns) for one in getattr(table, "constraints", ()) if isinstance(one, UniqueConstraint)]
        groups += [list(index.columns) for index in getattr(table, "indexes", ()) if index.unique]
    return [[mapper.get_property_by_column(column).key for column in group] for group in groups]
