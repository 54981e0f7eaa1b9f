"""The order desk on Django: the same idea as on FastAPI, with Django's ORM, users and templates."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet

from component_framework import Component, register
from component_framework.adapters.django.models import ModelComponent
from examples.shared import ask, forms, gallery, machine, room
from examples.shared.view import PageNumber, Sort, View, Words

from .models import Order

__all__ = ["AskDocs", "Gallery", "OrderDesk", "OrderEditor", "Room", "forms", "machine"]

PAGE = 20


@register("ask_docs")
class AskDocs(ask.AskDocs):
    """The search, shown by a template of Django's."""

    template_name = "desk/ask_docs.html"


@register("gallery")
class Gallery(gallery.Gallery):
    """The gallery, shown by a template of Django's."""

    template_name = "desk/gallery.html"


@register("room")
class Room(room.Room):
    """The room, shown by a template of Django's."""

    template_name = "desk/room_card.html"


@register("order_desk")
class OrderDesk(Component):
    """The orders that the visitor may see, searched, sorted and paged; the address follows."""

    template_name = "desk/order_desk.html"
    permissions = ("authenticated",)
    view: View = View()

    def on_search(self, words: Words) -> None:
        self.view = self.view.search(words)
        self.replace_url(self.view.address("/"))

    def on_sort(self, by: Sort) -> None:
        self.view = self.view.sort_by(by)
        self.push_url(self.view.address("/"))

    def on_turn(self, to: PageNumber) -> None:
        self.view = self.view.turn(to)
        self.push_url(self.view.address("/"))

    def get_context(self) -> dict[str, Any]:
        found = Order.objects.visible_to(self.user).matching(self.view.words)
        order = f"-{self.view.sort}" if self.view.descending else self.view.sort
        shown = Paginator(found.order_by(order, "pk"), PAGE).get_page(self.view.page)
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
    focused = ""  # where the keyboard goes after an event; no state, so that other renders leave it where it is

    def get_queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.user)

    def catch_up(self) -> None:
        if not self.editing:  # who is editing hears of other changes when saving, and overwrites none of them
            self.refresh()

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "focused": self.focused}

    def on_edit(self) -> None:
        self.refresh()
        self.editing, self.focused = True, "status"

    def on_cancel(self) -> None:
        self.refresh()
        self.editing, self.focused = False, "edit"

    def on_save(self, status: Order.Status, note: str = "") -> None:
        self.status, self.note = status, note
        self.save()
        self.editing, self.focused = False, "edit"
        self.emit("toast", text=f"{self.number} saved")
