"""The order desk on Django: the same idea as on FastAPI, with Django's ORM, users and templates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from django.core.paginator import Paginator
from django.db.models import QuerySet

from component_framework import Component, register
from component_framework.adapters.django.models import ModelComponent
from examples.shared import ask, forms, machine, room

from .models import Order

__all__ = ["AskDocs", "OrderDesk", "OrderEditor", "Room", "forms", "machine"]

PAGE = 20


@register("ask_docs")
class AskDocs(ask.AskDocs):
    """The search, shown by a template of Django's."""

    template_name = "desk/ask_docs.html"


@register("room")
class Room(room.Room):
    """The room, shown by a template of Django's."""

    template_name = "desk/room_card.html"


@register("order_desk")
class OrderDesk(Component):
    """The orders that the visitor may see, searched, sorted and paged."""

    template_name = "desk/order_desk.html"
    permissions = ("authenticated",)
    words: str = ""
    sort: Literal["number", "customer", "placed", "total"] = "number"
    descending: bool = False
    page: int = 1

    def on_search(self, words: Annotated[str, msgspec.Meta(max_length=60)]) -> None:
        self.words, self.page = words, 1

    def on_sort(self, by: Literal["number", "customer", "placed", "total"]) -> None:
        self.descending = by == self.sort and not self.descending
        self.sort, self.page = by, 1

    def on_turn(self, to: Annotated[int, msgspec.Meta(ge=1)]) -> None:
        self.page = to

    def get_context(self) -> dict[str, Any]:
        found = Order.objects.visible_to(self.user).matching(self.words)
        order = f"-{self.sort}" if self.descending else self.sort
        shown = Paginator(found.order_by(order, "pk"), PAGE).get_page(self.page)
        columns = [("number", "Order"), ("customer", "Customer"), ("placed", "Placed"), ("total", "Total")]
        return {**super().get_context(), "shown": shown, "columns": columns}


@register("order_editor")
class OrderEditor(ModelComponent):
    """One order; only who may see it can mount it, and only its newest version can be saved."""

    template_name = "desk/order_editor.html"
    permissions = ("authenticated",)
    model = Order
    fields = ("status", "note")
    readonly = ("number", "customer", "placed", "total")
    version_field = "version"
    topics = ("order:{pk}",)  # published by every save, so that all who see this row see it change
    status: str
    note: str
    number: str
    editing: bool = False

    def get_queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.user)

    def catch_up(self) -> None:
        if not self.editing:  # who is editing hears of other changes when saving, and overwrites none of them
            self.refresh()

    def on_edit(self) -> None:
        self.refresh()
        self.editing = True

    def on_cancel(self) -> None:
        self.refresh()
        self.editing = False

    def on_save(self, status: Order.Status, note: str = "") -> None:
        self.status, self.note = status, note
        self.save()
        self.editing = False
        self.emit("toast", text=f"{self.number} saved")
