"""The order desk on Django: the same idea as on FastAPI, with Django's ORM, users and templates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from django.core.paginator import Paginator
from django.db import transaction

from component_framework import Component, Conflict, NotFound, register
from examples.shared import ask, forms, gallery

from .models import Order

__all__ = ["AskDocs", "Gallery", "OrderDesk", "OrderEditor", "forms"]

PAGE = 20


@register("ask_docs")
class AskDocs(ask.AskDocs):
    """The search, shown by a template of Django's."""

    template_name = "desk/ask_docs.html"


@register("gallery")
class Gallery(gallery.Gallery):
    """The gallery, shown by a template of Django's."""

    template_name = "desk/gallery.html"


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
class OrderEditor(Component):
    """One order; only who may see it can mount it, and only its newest version can be saved."""

    template_name = "desk/order_editor.html"
    permissions = ("authenticated",)
    pk: int
    version: int = 1
    editing: bool = False

    def unit_of_work(self) -> Any:
        return transaction.atomic()

    def mount(self) -> None:
        self.version = self.order.version

    @property
    def order(self) -> Order:
        """The order as it is in the database now; NotFound for one that this visitor may not see."""
        if not hasattr(self, "_order"):
            found = Order.objects.visible_to(self.user).filter(pk=self.pk).first()
            if found is None:
                raise NotFound(f"there is no order {self.pk} for this visitor")
            self._order = found
        return self._order

    def on_edit(self) -> None:
        self.version, self.editing = self.order.version, True

    def on_cancel(self) -> None:
        self.editing = False

    def on_save(self, status: Order.Status, note: Annotated[str, msgspec.Meta(max_length=120)] = "") -> None:
        allowed = Order.objects.visible_to(self.user).filter(pk=self.pk, version=self.version)
        if not allowed.update(status=status, note=note, version=self.version + 1):
            raise Conflict(f"order {self.pk} was changed by somebody else")
        self.version, self.editing = self.version + 1, False
        self.emit("toast", text=f"{self.order.number} saved")

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "order": self.order, "statuses": Order.Status}
