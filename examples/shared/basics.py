"""The specification's counter, and a parent with children that are edited in place."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from component_framework import Component, register

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


@register("counter")
class Counter(Component):
    """Counts, as in the specification."""

    template_name = "Counter"
    count: int = 0

    def on_increment(self, by: int = 1) -> None:
        self.count += by

    def on_reset(self) -> None:
        self.count = 0


class Item(msgspec.Struct):
    """One thing on a list; `number` names it for good."""

    number: int
    title: str


@register("packing_list")
class PackingList(Component):
    """A parent: it adds and removes things; each thing edits itself."""

    template_name = "PackingList"
    items: list[Item] = [Item(1, "Passport"), Item(2, "Tickets"), Item(3, "Rain coat")]
    ready: list[int] = []
    added = False  # whether it was with this event, so that the keyboard goes to the next thing to add

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "added": self.added}

    def on_add(self, title: Title) -> None:
        self.added = True
        self.items.append(Item(max((item.number for item in self.items), default=0) + 1, title))

    def on_remove(self, number: int) -> None:
        self.items = [item for item in self.items if item.number != number]
        self.ready = [ready for ready in self.ready if ready != number]

    def on_packed(self, number: int, packed: bool) -> None:
        self.ready = sorted({*self.ready, number} if packed else {*self.ready} - {number})


@register("packing_item")
class PackingItem(Component):
    """A child: its own state, its own events; what concerns its parent it says by an event that bubbles."""

    template_name = "PackingItem"
    number: int
    title: str
    editing: bool = False
    packed: bool = False
    focused = ""

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "focused": self.focused}

    def on_edit(self) -> None:
        self.editing, self.focused = True, "title"

    def on_cancel(self) -> None:
        self.editing, self.focused = False, "rename"

    def on_rename(self, title: Title) -> None:
        self.title, self.editing, self.focused = title, False, "rename"

    def on_pack(self) -> None:
        self.packed = not self.packed
        self.emit("packed", number=self.number, packed=self.packed)
