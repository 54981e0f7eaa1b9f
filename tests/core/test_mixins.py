"""What a component class may inherit from classes that are no components."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

import pytest

from component_framework import Component
from component_framework.core.errors import ConfigurationError
from component_framework.core.spec import spec_of

T = TypeVar("T")


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
