"""What a field's Input demands beyond its type, and how moments travel through inputs that know no time zone."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from component_framework import FormComponent, Input
from component_framework.core.errors import ConfigurationError
from component_framework.core.fitting import Form
from component_framework.testing import mount


class Ticket(msgspec.Struct):
    price: Annotated[Decimal, Input(min=0, max=100, step="0.01")] = Decimal(1)
    day: Annotated[date, Input(min=date(2026, 1, 1))] = date(2026, 1, 1)
    seat: Annotated[str, Input(choices={"a": "Aisle", "w": "Window"})] = "a"
    meals: Annotated[list[int], Input(type="checkboxes", choices={"1": "Lunch", "2": "Dinner"})] = []
    name: str = ""


class Meeting(msgspec.Struct):
    begins: Annotated[datetime, Input(zone="Europe/Amsterdam")]
    ends: Annotated[datetime, Meta(tz=True)]
    alarm: time = time(7, 30, 0, 250_000)


class Wrong(msgspec.Struct):
    day: Annotated[date, Input(min=5)]


class Lost(msgspec.Struct):
    when: Annotated[datetime, Input(zone="Europe/Atlantis")]


@dataclasses.dataclass
class Odd:
    name: str
    more: dataclasses.InitVar[int]


class Sale(FormComponent):
    schema = Ticket
    template = "<div>{{ form }}<p>{{ sold }}</p></div>"
    sold: str = ""

    def on_submit(self, form: Ticket) -> None:
        self.sold = f"{form.seat} {form.meals} {form.price}"


class Calendar(FormComponent):
    schema = Meeting
    template = "<div>{{ form }}<p>{{ said }}</p></div>"
    said: str = ""

    def initial(self) -> Any:
        return Meeting(datetime(2026, 7, 2, 8, 0, 5, 123456, tzinfo=UTC), datetime(2026, 7, 2, 9, tzinfo=UTC))

    def on_submit(self, form: Meeting) -> None:
        self.said = f"{form.begins.isoformat()} {form.ends.isoformat()}"


def test_an_option_that_was_not_offered_is_refused() -> None:
    sent = Form(seat=["roof"], meals=["1", "3"], price=["1"], day=["2026-01-01"])
    assert Sale().dispatch("submit", sent)["errors"] == {
        "seat": ["Choose one of the options."],
        "meals": ["Choose one of the options."],
    }
    assert Sale().dispatch("submit", {"seat": "roof"})["errors"].keys() == {"seat"}
    page = mount(Sale).fill(seat="w").check("[value='2']").submit()
    assert page.text("form + p") == "w [2] 1"


def test_a_decimal_and_a_date_have_bounds() -> None:
    assert mount(Sale).has("[name=price][type=number][min='0'][max='100'][step='0.01']")
    assert mount(Sale).has("[name=day][min='2026-01-01']")
    sent = Form(price=["100.01"], day=["2025-12-31"], seat=["x"])
    assert Sale().dispatch("submit", sent)["errors"] == {
        "price": ["Must be at most 100."],
        "day": ["Must be at least 2026-01-01."],
        "seat": ["Choose one of the options."],
    }


def test_bounds_are_told_beside_what_does_not_fit_its_type() -> None:
    sent = Form(price=["-1"], day=["soon"])
    assert Sale().dispatch("submit", sent)["errors"] == {"price": ["Must be at least 0."], "day": ["Enter a date."]}


def test_a_bound_of_another_type_is_found_before_a_visitor_does() -> None:
    class Asks(FormComponent):
        schema = Wrong

        def on_submit(self, form: Wrong) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Wrong\.day: Input\(min=…\)"):
        mount(Asks)


def test_a_moment_is_shown_in_its_zone_and_comes_back_as_the_same_one() -> None:
    page = mount(Calendar)
    assert page.value("[name=begins]") == "2026-07-02T10:00:05.123"
    assert page.value("[name=ends]") == "2026-07-02T09:00:00"
    assert page.value("[name=alarm]") == "07:30:00.250"
    page.fill(begins="2026-07-02T12:00", ends="2026-01-02T09:00").submit()
    assert page.text("form + p") == "2026-07-02T12:00:00+02:00 2026-01-02T09:00:00+00:00"
    assert page.value("[name=begins]") == "2026-07-02T12:00"


def test_a_zone_that_does_not_exist_is_a_mistake_of_the_class() -> None:
    class Asks(FormComponent):
        schema = Lost

        def on_submit(self, form: Lost) -> None: ...

    with pytest.raises(ConfigurationError, match="no time zone 'Europe/Atlantis'"):
        mount(Asks)


def test_text_that_no_database_stores_is_refused_at_its_field() -> None:
    errors = Sale().dispatch("submit", Form(name=["a\0b"]))["errors"]
    assert errors == {"name": ["This has a character that cannot be stored."]}


def test_a_dataclass_that_wants_more_than_its_fields_is_refused() -> None:
    class Asks(FormComponent):
        def on_submit(self, form: Odd) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Odd\.more"):
        mount(Asks)
