"""The order desk: a parent that searches, sorts and pages, and an editor per order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from component_framework import Component, register
from component_framework.adapters.sqlalchemy import AsyncModelComponent
from examples.shared import ask, basics, forms, machine, room

from .orders import PAGE, Order, Orders, Status

__all__ = ["AskDocs", "OrderDesk", "OrderRow", "Room", "basics", "forms", "machine", "orders"]

Sort = Literal["number", "customer", "placed", "total"]

orders = Orders(os.environ.get("SQLITE") or Path(__file__).with_name("orders.sqlite3"))


@register("ask_docs")
class AskDocs(ask.AskDocs):
    """The search, shown by a template of JinjaX."""

    template_name = "AskDocs"


@register("room")
class Room(room.Room):
    """The room, shown by a template of JinjaX."""

    template_name = "Room"


@register("order_desk")
class OrderDesk(Component):
    """A thousand orders: searched, sorted and paged on the server."""

    template_name = "OrderDesk"
    words: str = ""
    sort: Sort = "number"
    descending: bool = False
    page: int = 1

    async def on_search(self, words: Annotated[str, msgspec.Meta(max_length=60)]) -> None:
        self.words, self.page = words, 1

    async def on_sort(self, by: Sort) -> None:
        self.descending = by == self.sort and not self.descending
        self.sort, self.page = by, 1

    async def on_turn(self, to: Annotated[int, msgspec.Meta(ge=1)]) -> None:
        self.page = to

    async def get_context(self) -> dict[str, Any]:
        shown = await orders.find(self.words, self.sort, descending=self.descending, page=self.page)
        return {
            **super().get_context(),
            "orders": shown.orders,
            "found": shown.found,
            "pages": max(1, -(-shown.found // PAGE)),
        }


@register("order_row")
class OrderRow(AsyncModelComponent):
    """One order: shown, edited in place, and saved only if nobody else changed it meanwhile."""

    template_name = "OrderRow"
    model = Order
    fields = ("status", "note")
    readonly = ("number", "placed", "total")
    version_field = "version"
    topics = ("order:{pk}",)  # published by every save, so that all who see this row see it change
    select_related = ("customer",)
    status: Status
    note: str
    number: str
    editing: bool = False

    def catch_up(self) -> None:
        if not self.editing:  # who is editing hears of other changes when saving, and overwrites none of them
            self.refresh()

    async def on_edit(self) -> None:
        self.refresh()
        self.editing = True

    async def on_cancel(self) -> None:
        self.refresh()
        self.editing = False

    async def on_save(self, status: Status, note: Annotated[str, msgspec.Meta(max_length=120)] = "") -> None:
        self.status, self.note = status, note
        await self.save()
        self.editing = False
        self.emit("toast", text=f"{self.number} saved")
