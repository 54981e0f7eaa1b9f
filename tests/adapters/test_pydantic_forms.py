"""Pydantic models as schemas: without a wrapper, and with their own validators."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal

import pydantic

from component_framework import Component, FormComponent, Input
from component_framework.core.fitting import Form
from component_framework.testing import mount


class Plan(Enum):
    FREE = "free"
    PRO = "pro"


class Line(pydantic.BaseModel):
    what: Annotated[str, pydantic.Field(min_length=1)]
    amount: Annotated[int, pydantic.Field(ge=1)] = 1


class Account(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=20, title="Your name", description="As on your card.")
    password: pydantic.SecretStr
    age: int = pydantic.Field(ge=18)
    site: pydantic.HttpUrl | None = None
    born: date | None = None
    plan: Plan = Plan.FREE
    topics: list[Literal["news", "offers"]] = []
    terms: Annotated[bool, Input(required=True)] = False
    share: Decimal = Decimal("0.5")
    lines: list[Line] = []

    @pydantic.field_validator("name")
    @classmethod
    def name_is_free(cls, name: str) -> str:
        if name == "admin":
            raise ValueError("This name is ours.")
        return name

    @pydantic.model_validator(mode="after")
    def password_is_no_name(self) -> Account:
        if self.password.get_secret_value() == self.name:
            raise ValueError("The password cannot be the name.")
        return self


class Join(FormComponent):
    schema = Account
    template = "<div>{{ form }}<p>{{ joined }}</p></div>"
    joined: str = ""

    def on_submit(self, form: Account) -> None:
        self.joined = f"{form.name} {form.age} {form.plan} {form.share} {[line.amount for line in form.lines]}"


class Place(pydantic.BaseModel):
    city: str = pydantic.Field(alias="cityName")


class Move(Component):
    city: str = ""

    def on_move(self, place: Place) -> None:
        self.city = place.city


GOOD = {"name": "Ada", "password": "abc", "age": "36", "terms": "on"}


def errors(**fields: str) -> Any:
    sent = Form({name: [value] for name, value in (GOOD | fields).items()})
    return Join().dispatch("submit", sent)["errors"]


def test_a_model_is_shown_with_its_titles_and_constraints() -> None:
    page = mount(Join)
    assert page.texts("label")[0] == "Your name *"
    assert page.text(".cf-help") == "As on your card."
    assert page.has("[name=name][maxlength='20'][required]")
    assert page.has("[name=age][type=number][min='18']")
    assert page.has("[name=password][type=password]")
    assert page.has("[name=site][type=url]:not([required])")
    assert page.has("[name=born][type=date]")
    assert page.value("[name=plan]") == "free"
    assert page.value("[name=share]") == "0.5"


def test_a_valid_form_reaches_the_handler_as_the_model() -> None:
    page = mount(Join).fill(name="Ada", password="{abc", age="36").check("[name=terms]").click("button", text="Add")
    page.fill('[name="lines-0-what"]', "Pen").fill('[name="lines-0-amount"]', "3").submit()
    assert page.text("form + p") == "Ada 36 Plan.FREE 0.5 [3]"


def test_every_error_is_told_per_field_and_the_validators_run() -> None:
    assert errors(name="admin", age="x", born="soon", plan="gold", spy="1", **{"lines-4-amount": "0"}) == {
        "spy": ["This field is not expected here."],
        "lines-4-what": ["This field is required."],
        "lines-4-amount": ["Input should be greater than or equal to 1"],
        "name": ["This name is ours."],
        "age": ["Enter a whole number."],
        "born": ["Enter a date."],
        "plan": ["Choose one of the options."],
    }
    assert errors(password="Ada") == {"": ["The password cannot be the name."]}
    assert errors(terms="off") == {"terms": ["This field is required."]}


def test_json_is_strict() -> None:
    typed = {**GOOD, "age": 36, "terms": True, "born": "1815-12-10", "lines": [{"what": "Pen", "amount": 2}]}
    assert Join().dispatch("submit", typed)["state"]["joined"].endswith("[2]")
    wrong = {**typed, "age": True, "lines": [{"what": 1}], "spy": 1}
    assert Join().dispatch("submit", wrong)["errors"] == {
        "spy": ["This field is not expected here."],
        "age": ["Enter a whole number."],
        "lines-0-what": ["Enter text."],
    }


def test_a_model_with_aliases_is_asked_for_by_its_own_names() -> None:
    assert Move().dispatch("move", Form(city=["Utrecht"]))["state"]["city"] == "Utrecht"
    assert Move().dispatch("move", Form())["errors"] == {"city": ["This field is required."]}


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Odd(pydantic.BaseModel):
    level: Level = Level.LOW
    three: Literal[1, 2, 3] = 1
    more: list[Literal[1, 2]] = []
    sent: pydantic.AwareDatetime | None = None
    born: pydantic.PastDate | None = None
    city: str = pydantic.Field("", validation_alias=pydantic.AliasChoices("city_name", "cityName"))
    seat: Annotated[str, Input(choices={"a": "Aisle"})] = "a"

    @pydantic.field_validator("three")
    @classmethod
    def not_three(cls, three: int) -> int:
        if three == 3:
            raise AssertionError("Three is too many.")
        return three


class Asks(FormComponent):
    schema = Odd
    template = "<div>{{ form }}</div>"
    got: str = ""

    def on_submit(self, form: Odd) -> None:
        self.got = f"{form.level!r} {form.three} {form.more} {form.sent} {form.city}"


def test_text_of_a_form_becomes_the_numbers_of_a_literal_and_an_enum() -> None:
    sent = Form(level=["2"], three=["2"], more=["1", "2"], sent=["2026-01-02T10:30"], city=["Utrecht"])
    got = Asks().dispatch("submit", sent)["state"]["got"]
    assert got == "<Level.HIGH: 2> 2 [1, 2] 2026-01-02 10:30:00+00:00 Utrecht"


def test_a_validator_s_own_words_are_what_a_visitor_reads() -> None:
    assert Asks().dispatch("submit", Form(three=["3"], more=["7"]))["errors"] == {
        "three": ["Three is too many."],
        "more": ["Choose one of the options."],
    }
    assert Asks().dispatch("submit", Form(seat=["roof"]))["errors"] == {"seat": ["Choose one of the options."]}


def test_moments_and_days_have_inputs_of_their_own() -> None:
    page = mount(Asks)
    assert page.has("[name=sent][type=datetime-local]")
    assert page.has("[name=born][type=date]")
