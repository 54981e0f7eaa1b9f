"""Values at the edge of what fits."""

from decimal import Decimal

import msgspec
import pytest

from component_framework import Component
from component_framework.core.fitting import Form


class Address(msgspec.Struct):
    street: str = "Main Street"


class Box(msgspec.Struct):
    height: float


class Letter(Component):
    address: Address = Address()

    def on_weigh(self, weight: float, price: Decimal = Decimal(0)) -> None:
        self.state["weight"] = weight

    def on_sort(self, values: list[float] = [], prices: dict[str, Decimal] = {}, box: Box | None = None) -> None:  # noqa: B006
        self.state["values"] = values

    def on_count(self, number: int) -> None:
        self.state["number"] = number

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


@pytest.mark.parametrize(
    ("name", "values"),
    [("values", ["1", "nan"]), ("values", ["inf"]), ("prices", ['{"a": "NaN"}']), ("box", ['{"height": "-Infinity"}'])],
)
def test_a_number_that_is_none_is_told_however_deep_it_is(name: str, values: list[str]) -> None:
    assert list(Letter().dispatch("sort", Form({name: values}))["errors"]) == [name]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4299])
def test_an_int_that_no_database_takes_is_told(number: int) -> None:
    assert Letter().dispatch("count", Form(number=[str(number)]))["errors"]
    assert Letter().dispatch("count", {"number": number})["errors"]


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0])
def test_an_int_of_64_bits_fits(number: int) -> None:
    assert Letter().dispatch("count", Form(number=[str(number)]))["state"]["number"] == number
