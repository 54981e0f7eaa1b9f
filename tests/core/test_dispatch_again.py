"""One object, several dispatches: each that brings no state begins anew."""

from __future__ import annotations

from component_framework import Component


class Basket(Component):
    template = "<p>{{ count }}</p>"
    count: int = 0
    items: list[str] = []
    seen: int

    def mount(self, start: int = 0) -> None:
        self.seen = start
        self.state["note"] = "mounted"

    def on_add(self, item: str = "x") -> None:
        self.count += 1
        self.items.append(item)
        self.state["free"] = True


def test_a_second_dispatch_without_a_state_is_a_fresh_mount() -> None:
    basket = Basket(start=3)
    first = basket.dispatch("add")
    second = basket.dispatch("add", {"item": "y"})
    assert first["state"] == {"count": 1, "items": ["x"], "seen": 3, "note": "mounted", "free": True}
    assert second["state"] == {"count": 1, "items": ["y"], "seen": 3, "note": "mounted", "free": True}
    assert basket.dispatch()["state"] == {"count": 0, "items": [], "seen": 3, "note": "mounted"}


def test_a_second_dispatch_with_a_state_goes_on_from_it() -> None:
    basket = Basket()
    state = basket.dispatch("add")["state"]
    assert basket.dispatch("add", state=state)["state"]["count"] == 2


def test_what_was_set_before_the_first_dispatch_stays() -> None:
    basket = Basket()
    basket.count = 5
    assert basket.dispatch("add")["state"]["count"] == 6
