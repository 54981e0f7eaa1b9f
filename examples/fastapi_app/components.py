"""The order desk: a parent that searches, sorts and pages, and an editor per order."""

from __future__ import annotations

import datetime
import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from component_framework import Component, Conflict, NotFound, register
from examples.shared import ask, basics, forms, gallery

from .orders import PAGE, Order, Orders, Status

__all__ = ["AskDocs", "Gallery", "OrderDesk", "OrderRow", "basics", "forms", "orders"]

Sort = Literal["number", "customer", "placed", "total"]

orders = Orders(os.environ.get("SQLITE") or Path(__file__).with_name("orders.sqlite3"))


class Line(msgspec.Struct):
    """An order, as the desk's table needs it."""

    pk: int
    number: str
    customer: str
    placed: datetime.date
    status: Status
    total: Decimal
    note: str
    version: int

    @classmethod
    def of(cls, order: Order) -> Line:
        return cls(
            order.id,
            order.number,
            order.customer.name,
            order.placed,
            order.status,
            order.total,
            order.note,
            order.version,
        )


@register("ask_docs")
class AskDocs(ask.AskDocs):
    """The search, shown by a template of JinjaX."""

    template_name = "AskDocs"


@register("gallery")
class Gallery(gallery.Gallery):
    """The gallery, shown by a template of JinjaX."""

    template_name = "Gallery"


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
        lines = [Line.of(order) for order in shown.orders]
        return {**super().get_context(), "lines": lines, "found": shown.found, "pages": max(1, -(-shown.found // PAGE))}


@register("order_row")
class OrderRow(Component):
    """One order: shown, edited in place, and saved only if nobody else changed it meanwhile."""

    template_name = "OrderRow"
    order: Line
    editing: bool = False

    async def on_edit(self) -> None:
        fresh = await orders.get(self.order.pk)
        if fresh is None:
            raise NotFound(f"order {self.order.pk} is gone")
        self.order.status, self.order.note, self.order.version = fresh.status, fresh.note, fresh.version
        self.editing = True

    async def on_cancel(self) -> None:
        self.editing = False

    async def on_save(self, status: Status, note: Annotated[str, msgspec.Meta(max_length=120)] = "") -> None:
        if not await orders.save(self.order.pk, self.order.version, status=status, note=note):
            raise Conflict(f"order {self.order.pk} was changed by somebody else")
        self.order.status, self.order.note, self.order.version = status, note, self.order.version + 1
        self.editing = False
        self.emit("toast", text=f"{self.order.number} saved")

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "statuses": list(Status)}
