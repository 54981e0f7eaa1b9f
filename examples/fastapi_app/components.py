"""The order desk: a parent that searches, sorts and pages, and an editor per order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec

from component_framework import Component, register
from component_framework.adapters.sqlalchemy import AsyncModelComponent
from examples.shared import ask, basics, forms, gallery, machine, room
from examples.shared.view import PageNumber, Sort, View, Words

from .orders import Order, Orders, Status

__all__ = ["AskDocs", "Gallery", "OrderDesk", "OrderRow", "Room", "basics", "forms", "machine", "orders"]

orders = Orders(os.environ.get("SQLITE") or Path(__file__).with_name("orders.sqlite3"))


@register("ask_docs")
class AskDocs(ask.AskDocs):
    """The search, shown by a template of JinjaX."""

    template_name = "AskDocs"


@register("gallery")
class Gallery(gallery.Gallery):
    """The gallery, shown by a template of JinjaX."""

    template_name = "Gallery"


@register("room")
class Room(room.Room):
    """The room, shown by a template of JinjaX."""

    template_name = "Room"


@register("order_desk")
class OrderDesk(Component):
    """A thousand orders: searched, sorted and paged on the server; the address follows."""

    template_name = "OrderDesk"
    view: View = View()

    def on_search(self, words: Words) -> None:
        self.view = self.view.search(words)
        self.replace_url(self.view.address("/orders"))

    def on_sort(self, by: Sort) -> None:
        self.view = self.view.sort_by(by)
        self.push_url(self.view.address("/orders"))

    def on_turn(self, to: PageNumber) -> None:
        self.view = self.view.turn(to)
        self.push_url(self.view.address("/orders"))

    async def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "shown": await orders.find(self.view)}


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
    focused = ""  # where the keyboard goes after an event; no state, so that other renders leave it where it is

    def catch_up(self) -> None:
        if not self.editing:  # who is editing hears of other changes when saving, and overwrites none of them
            self.refresh()

    async def get_context(self) -> dict[str, Any]:
        return {**await super().get_context(), "focused": self.focused}

    async def on_edit(self) -> None:
        self.refresh()
        self.editing, self.focused = True, "status"

    async def on_cancel(self) -> None:
        self.refresh()
        self.editing, self.focused = False, "edit"

    async def on_save(self, status: Status, note: Annotated[str, msgspec.Meta(max_length=120)] = "") -> None:
        self.status, self.note = status, note
        await self.save()
        self.editing, self.focused = False, "edit"
        self.emit("toast", text=f"{self.number} saved")
