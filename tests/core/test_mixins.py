"""What a component class may inherit from classes that are no components."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from component_framework import Component
from component_framework.core.errors import ConfigurationError
from component_framework.core.spec import spec_of

T = TypeVar("T")
K = TypeVar("K")


class Paged:
    page: int = 1


class Counted(Component):
    count: int = 0

    def on_add(self) -> None:
        self.count += 1


def test_a_field_of_a_mixin_that_is_no_component_is_refused_with_the_fix() -> None:
    class Listing(Paged, Component):
        pass

    with pytest.raises(ConfigurationError, match=r"class Paged\(Component\).*page: ClassVar"):
        spec_of(Listing)


def test_a_field_of_a_mixin_that_is_a_component_is_state() -> None:
    class Basket(Counted):
        pass

    assert Basket().dispatch("add")["state"] == {"count": 1}


def test_a_field_that_the_component_declares_itself_is_its_own() -> None:
    class Listing(Paged, Component):
        page: int = 3

    assert Listing().dispatch()["state"] == {"page": 3}


def test_what_is_no_field_is_welcome() -> None:
    class Titled:
        label: ClassVar[str] = "x"
        _kept: int = 0
        context: Any

        def title(self) -> str:
            return self.label

    class Listing(Titled, Component, Generic[T]):
        page: int = 3

    assert Listing().title() == "x"


class Shelf(Component, Generic[T]):
    template = "<p></p>"
    things: list[T] = []
    last: T | None = None

    def mount(self, first: T | None = None) -> None:
        self.last = first

    def on_put(self, thing: T) -> None:
        self.last = thing
        self.things.append(thing)


class Days(Shelf[datetime.date]):
    pass


class Pairs(Shelf[tuple[K, int]], Generic[K]):
    pass


class NamedPairs(Pairs[str]):
    pass


def test_the_parameters_of_a_generic_component_are_what_a_subclass_says() -> None:
    state = Days().dispatch("put", {"thing": "2026-02-01"})["state"]
    assert state == {"things": [datetime.date(2026, 2, 1)], "last": datetime.date(2026, 2, 1)}
    assert Days(first="2026-02-01").dispatch()["state"]["last"] == datetime.date(2026, 2, 1)
    assert Days().dispatch("put", {"thing": "yesterday"})["errors"]
    assert NamedPairs().dispatch("put", {"thing": ["a", 1]})["state"]["last"] == ("a", 1)
    assert NamedPairs().dispatch("put", {"thing": [1, "a"]})["errors"]
    assert Shelf().dispatch("put", {"thing": 1})["state"]["last"] == 1
