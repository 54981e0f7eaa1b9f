"""A form in steps: each keeps what was typed, and the end gets all of them valid."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from component_framework import Engine, Invalid, MemoryStateStore, Password, Registry, WizardComponent
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import ConfigurationError
from component_framework.core.fitting import Form
from component_framework.testing import mount


class Person(msgspec.Struct):
    name: Annotated[str, Meta(max_length=20)]
    news: bool = True


class Address(msgspec.Struct):
    street: str
    city: str = "Utrecht"


class Payment(msgspec.Struct):
    amount: Annotated[int, Meta(ge=1)]
    secret: Password


class Checkout(WizardComponent):
    """Three steps."""

    steps = {"person": Person, "address": Address, "payment": Payment}
    template = "<section><h2>{{ component.current }}</h2>{{ form }}<p>{{ done }}</p></section>"
    done: str = ""

    def finish(self, person: Person, address: Address, payment: Payment) -> None:
        if payment.amount == 13:
            raise Invalid({"amount": ["Not today."]})
        self.done = f"{person} {address} {payment.amount}"


def test_the_steps_are_shown_one_after_another_and_the_end_gets_all_of_them() -> None:
    page = mount(Checkout)
    assert (page.text("h2"), page.text(".cf-submit"), page.has(".cf-back")) == ("person", "Next", False)
    page.fill(name="Ada").check("[name=news]", False).submit()
    assert (page.text("h2"), page.has("[name=street][autofocus]")) == ("address", True)
    page.fill(street="Dam 1").submit()
    assert page.text(".cf-submit") == "Finish"
    page.fill(amount="5", secret="abc").submit()
    assert page.text("form + p") == "Person(name='Ada', news=False) Address(street='Dam 1', city='Utrecht') 5"


def test_going_back_and_forward_keeps_what_was_typed_right_or_wrong() -> None:
    page = mount(Checkout).fill(name="Ada").check("[name=news]", False).submit()
    page.fill(street="", city="Breda").click(".cf-back")
    assert (page.text("h2"), page.value("[name=name]"), page.has("[name=news][checked]")) == ("person", "Ada", False)
    page.submit()
    assert page.value("[name=city]") == "Breda"
    assert page.texts(".cf-errors p") == []


def test_a_step_that_is_not_valid_is_not_left() -> None:
    page = mount(Checkout).fill(name="Ada" * 10).submit()
    assert (page.status, page.text("h2"), page.texts(".cf-errors p")) == (422, "person", ["Must be at most 20 long."])


def test_fields_are_checked_while_a_step_is_filled_in() -> None:
    page = mount(Checkout).fill(name="Ada" * 10).trigger("[name=name]")
    assert page.texts(".cf-errors p") == ["Must be at most 20 long."]


def test_nobody_comes_to_the_end_past_a_step() -> None:
    jump: dict[str, Any] = {"step": "payment", "kept": {"person": {"name": ["A" * 30]}}}
    result = Checkout().dispatch("submit", Form(amount=["1"], secret=["x"]), state=jump)
    assert (result["state"]["done"], result["state"]["step"]) == ("", "person")
    assert result["errors"] == {"name": ["Must be at most 20 long."]}
    missing = Checkout().dispatch("submit", Form(amount=["1"], secret=["x"]), state={"step": "payment"})
    assert (missing["state"]["done"], missing["state"]["step"]) == ("", "person")


def test_the_end_may_refuse_and_the_last_step_says_so() -> None:
    page = (
        mount(Checkout).fill(name="Ada").submit().fill(street="Dam 1").submit().fill(amount="13", secret="x").submit()
    )
    assert (page.status, page.text("h2"), page.texts(".cf-errors p")) == (422, "payment", ["Not today."])


def test_a_password_is_not_kept() -> None:
    page = mount(Checkout).fill(name="Ada").submit().fill(street="Dam 1").submit()
    page.fill(amount="1", secret="hunter2").click(".cf-back").submit()
    assert (page.value("[name=amount]"), page.value("[name=secret]")) == ("1", "")


def test_a_password_before_the_last_step_needs_a_store() -> None:
    class Early(WizardComponent):
        steps = {"payment": Payment, "person": Person}
        template = "<div>{{ form }}</div>"

    with pytest.raises(ConfigurationError, match="keep 'secret' of the step 'payment'.*lives_in = \"store\""):
        mount(Early)

    class Stored(Early):
        lives_in = "store"

        def finish(self, payment: Payment, person: Person) -> None: ...

    registry = Registry()
    registry.register("stored")(Stored)
    engine = Engine(renderer=JinjaRenderer(), secret_key="x" * 40, registry=registry, store=MemoryStateStore())
    assert mount("stored", engine=engine).fill(amount="1", secret="x").submit().has("[name=name]")


def test_an_end_that_waits_is_awaited() -> None:
    class Slow(WizardComponent):
        steps = {"person": Person}
        template = "<div>{{ form }}<p>{{ done }}</p></div>"
        done: str = ""

        async def finish(self, person: Person) -> None:
            self.done = person.name

    assert mount(Slow).fill(name="Ada").submit().text("form + p") == "Ada"


def test_an_end_that_does_not_take_the_steps_is_refused() -> None:
    class Wrong(WizardComponent):
        steps = {"person": Person}
        template = "<div>{{ form }}</div>"

        def finish(self, persons: Person) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Wrong.finish\(\) takes each step under its name"):
        mount(Wrong)


def test_a_wizard_can_begin_anew() -> None:
    class Again(Checkout):
        def finish(self, person: Person, address: Address, payment: Payment) -> None:
            self.reset()

    page = mount(Again).fill(name="Ada").submit().fill(street="Dam 1").submit().fill(amount="1", secret="x").submit()
    assert (page.text("h2"), page.value("[name=name]")) == ("person", "")
