"""Values at the edge of what fits."""

from decimal import Decimal

import msgspec
import pytest

from component_framework import Component
from component_framework.core.fitting import Form


class Address(msgspec.Struct):
    street: str = "Main Street"


class Letter(Component):
    address: Address = Address()

    def on_weigh(self, weight: float, price: Decimal = Decimal(0)) -> None:
        self.state["weight"] = weight

    def on_move(self) -> None:
        self.address.street = "Side Street"


def test_a_struct_may_be_the_default_of_a_field_and_is_not_shared() -> None:
    assert Letter().dispatch("move")["state"]["address"] == Address("Side Street")
    assert Letter().dispatch()["state"]["address"] == Address("Main Street")


@pytest.mark.parametrize(("text", "number"), [(".5", 0.5), ("-.5", -0.5), ("0.5", 0.5), ("5e-1", 0.5)])
def test_a_number_input_may_leave_out_the_zero(text: str, number: float) -> None:
    assert Letter().dispatch("weigh", Form(weight=[text]))["state"]["weight"] == number


@pytest.mark.parametrize("text", ["..5", "-", ".", "nan", "inf", "1,5"])
def test_what_is_no_number_is_told(text: str) -> None:
    errors = Letter().dispatch("weigh", Form(weight=[text]))["errors"]
    assert list(errors) == ["weight"]
