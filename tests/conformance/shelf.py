"""Rows in memory behind the seam of `ModelComponent`, so that every host can be asked about a row without a database."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Annotated, Any

from msgspec import Meta

from component_framework import Input
from component_framework.core.model import ModelComponent, Stale
from component_framework.core.model_spec import ModelField

ROWS: dict[int, SimpleNamespace] = {}


class Book:
    """The model."""


FIRST = {"title": "Emma", "pages": 474, "lent": False, "owner": "ada", "price": 12, "version": 1}
COLUMNS = {
    "title": ModelField(str, Annotated[str, Meta(min_length=1, max_length=20), Input(help="As on its cover.")]),
    "pages": ModelField(int | None, int | None),
    "lent": ModelField(bool, bool),
    "price": ModelField(int, int),
    "version": ModelField(int, int),
    "pk": ModelField(int | None, Any),
}


class Shelf:
    """Finds and saves them; the visitor's own alone."""

    keeps_rows = True

    def fields(self, model: Any) -> Mapping[str, ModelField]:
        return COLUMNS

    def get(self, component: ModelComponent) -> Any:
        found = ROWS.get(component.__dict__["pk"])
        return (
            SimpleNamespace(**vars(found))
            if found is not None and found.owner == getattr(component.user, "name", "ada")
            else None
        )

    def read(self, component: ModelComponent, name: str) -> Any:
        return getattr(component.instance, name)

    def save(self, component: ModelComponent, changed: Mapping[str, Any]) -> None:
        row = ROWS[component.__dict__["pk"]]
        if row.version != component.row_version:
            raise Stale
        for one in (row, component.instance):
            vars(one).update(changed)
            one.version += 1

    def choices(self, component: ModelComponent, name: str) -> Any:
        return []


def put_back(pk: int) -> None:
    """A row as it was at first."""
    ROWS[pk] = SimpleNamespace(pk=pk, **FIRST)
