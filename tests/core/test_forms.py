"""A component with a form: validated before its handler runs, and shown with what was typed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from component_framework import Component, Email, FormComponent, Input, Invalid, LongText, Password
from component_framework.core.errors import ConfigurationError
from component_framework.core.fitting import Form
from component_framework.testing import Page, mount


class Plan(Enum):
    FREE = "free"
    PRO = "pro"


class Signup(msgspec.Struct):
    """Every kind of field."""

    name: Annotated[str, Meta(max_length=20, description="As on your card.")]
    email: Email
    password: Annotated[Password, Meta(min_length=3)]
    confirm: Annotated[Password, Input(label="Password again")]
    age: Annotated[int, Meta(ge=18)]
    born: date | None = None
    plan: Plan = Plan.FREE
    tags: list[Literal["news", "offers"]] = []
    weekly: bool = True
    terms: Annotated[bool, Input(required=True, label="I agree")] = False
    about: LongText = ""
    pledge: Annotated[Decimal | None, Input(comma=True)] = None

    def __post_init__(self) -> None:
        if self.password != self.confirm:
            raise Invalid({"confirm": ["The two are not the same."]})
        if self.name == "admin":
            raise ValueError("This name is ours.")


class SignUp(FormComponent):
    """Keeps what it was given."""

    schema = Signup
    template = "<section>{{ form }}<button id=tick {{ on('tick') }}>{{ ticks }}</button><p>{{ welcome }}</p></section>"
    welcome: str = ""
    ticks: int = 0

    def on_submit(self, form: Signup) -> None:
        if form.email == "taken@example.org":
            raise Invalid({"email": ["There is an account with this address."]})
        self.welcome = repr(form)
        self.reset()

    def on_tick(self) -> None:
        self.ticks += 1


GOOD = {"name": "Ada", "email": "ada@example.org", "password": "abc", "confirm": "abc", "age": "36", "terms": "on"}


def sent(**fields: Any) -> Form:
    """A form as a browser sends it; None leaves a field out."""
    values = GOOD | fields
    return Form(
        {name: value if isinstance(value, list) else [value] for name, value in values.items() if value is not None}
    )


def errors_of(component: Component, form: Mapping[str, Any], event: str = "submit") -> Any:
    return component.dispatch(event, form)["errors"]


def accepted(**fields: Any) -> str:
    result = SignUp().dispatch("submit", sent(**fields))
    assert result["errors"] == {}
    welcome: str = result["state"]["welcome"]
    return welcome


def test_a_form_is_shown_from_its_schema() -> None:
    page = mount(SignUp)
    assert page.texts("label, legend") == [
        "Name *", "Email *", "Password *", "Password again *", "Age *", "Born", "Plan", "Tags", "News", "Offers", "Weekly",
        "I agree *", "About", "Pledge",
    ]  # fmt: skip
    assert page.has("input[type=email][required][maxlength='254'][autocomplete=email]")
    assert page.has("input[type=number][name=age][min='18'][step='1'][required]")
    assert page.has("input[type=date][name=born]:not([required])")
    assert page.has("select[name=plan] option[value=free][selected]", text="Free")
    assert page.has("input[type=checkbox][name=tags][value=offers]", text="")
    assert page.has("input[type=checkbox][name=weekly][checked]")
    assert page.has("textarea[name=about]")
    assert page.has("input[name=pledge][inputmode=decimal]")
    assert page.text(".cf-help") == "As on your card."
    assert "style=" not in page.html


def test_a_valid_form_reaches_the_handler_as_its_schemas_value() -> None:
    value = accepted(born="1815-12-10", plan="pro", tags=["news", "offers"], weekly="on", about="a\r\nb", pledge="1,50")
    assert "born=datetime.date(1815, 12, 10), plan=<Plan.PRO: 'pro'>, tags=['news', 'offers'], weekly=True" in value
    assert "about='a\\nb', pledge=Decimal('1.50')" in value


def test_what_a_browser_does_not_send_is_not_ticked_and_not_chosen() -> None:
    assert "tags=[], weekly=False" in accepted()


def test_a_field_that_was_left_empty_has_its_default_or_nothing() -> None:
    assert "born=None, plan=<Plan.FREE: 'free'>" in accepted(born="", plan="", pledge=" ")


def test_every_wrong_field_is_told_at_once_and_the_handler_does_not_run() -> None:
    result = SignUp().dispatch(
        "submit", sent(name=" ", email="x", password="a", age="old", terms=None, born="soon", spy="1")
    )
    assert result["errors"] == {
        "spy": ["This field is not expected here."],
        "name": ["This field is required."],
        "email": ["Enter an address like name@example.org."],
        "password": ["Must be at least 3 long."],
        "age": ["Enter a whole number."],
        "born": ["Enter a date."],
        "terms": ["This field is required."],
    }
    assert result["state"]["welcome"] == ""


def test_what_concerns_several_fields_is_told_by_the_schema_itself() -> None:
    assert errors_of(SignUp(), sent(confirm="abd")) == {"confirm": ["The two are not the same."]}
    assert errors_of(SignUp(), sent(name="admin")) == {"": ["This name is ours."]}


def test_typed_values_stay_in_the_inputs_but_for_passwords() -> None:
    page = filled(email="ada", weekly=False).submit()
    assert page.status == 422
    assert page.value("[name=name]") == "Ada"
    assert page.value("[name=email]") == "ada"
    assert not page.has("[name=weekly][checked]")
    answer = SignUp().dispatch("submit", sent(email="ada"))
    assert "abc" not in f"{answer['html']} {answer['state']}"


def test_a_wrong_field_is_marked_described_and_focused() -> None:
    page = filled(email="ada", age="7").submit()
    assert page.texts(".cf-errors p") == ["Enter an address like name@example.org.", "Must be at least 18."]
    assert page.texts("[aria-invalid=true]") == ["", ""]
    described = page.attribute("[name=email]", "aria-describedby")
    assert page.text(f"#{described}") == "Enter an address like name@example.org."
    assert page.has("[name=email][autofocus]")
    assert not page.has("[name=age][autofocus]")


def test_an_error_of_the_form_as_a_whole_is_shown_above_it_and_focused() -> None:
    page = filled(name="admin").submit()
    assert page.text("[role=alert][tabindex='-1'][autofocus]") == "This name is ours."


def test_a_handler_may_refuse_a_valid_form_itself() -> None:
    page = filled(email="taken@example.org").submit()
    assert (page.status, page.texts(".cf-errors p")) == (422, ["There is an account with this address."])


def test_after_a_reset_there_is_a_new_form() -> None:
    page = filled()
    before = page.attribute("form", "id")
    page.submit()
    assert page.status == 200
    assert "Ada" in page.text("section > p")
    assert page.value("[name=name]") == ""
    assert page.attribute("form", "id") != before


def test_only_fields_that_were_left_show_what_is_wrong() -> None:
    page = mount(SignUp).fill(email="ada").trigger("[name=email]")
    assert page.status == 200
    assert page.texts(".cf-errors p") == ["Enter an address like name@example.org."]
    page.fill(email="ada@example.org").trigger("[name=email]")
    assert page.texts(".cf-errors p") == []
    page.fill(age="1").trigger("[name=age]")
    assert page.texts(".cf-errors p") == ["Must be at least 18."]


def test_after_a_refused_submit_every_error_stays_until_its_field_is_right() -> None:
    page = filled(email="ada", age="7").submit()
    page.fill(age="36").trigger("[name=age]")
    assert page.texts(".cf-errors p") == ["Enter an address like name@example.org."]


def test_an_event_from_elsewhere_leaves_the_form_as_it_is() -> None:
    page = filled(email="ada").submit()
    before = page.texts(".cf-errors p")
    page.click("#tick")
    assert page.text("#tick") == "1"
    assert page.value("[name=name]") == "Ada"
    assert page.texts(".cf-errors p") == before


def test_a_button_in_the_form_may_send_another_event_and_the_fields_stay() -> None:
    class Help(FormComponent):
        template = """<form {{ form.attributes }}>{{ form.field("name") }}
        <button type="button" {{ on("help", topic="names") }}>?</button><em>{{ shown }}</em></form>"""
        shown: str = ""

        def on_submit(self, name: str) -> None: ...

        def on_help(self, topic: str, **rest: str) -> None:
            self.shown = f"{topic} {rest}"

    page = mount(Help).fill(name="Ada").click("button", text="?")
    assert page.text("em") == "names {}"
    assert page.value("[name=name]") == "Ada"


def test_a_form_may_be_laid_out_by_hand() -> None:
    class ByHand(SignUp):
        template = """<form {{ form.attributes }}>{% for text in form.errors %}<b>{{ text }}</b>{% endfor %}
        <label for="{{ form.field("name").id }}">{{ form.field("name").label }}</label>
        {% for field in form %}{{ field }}{% endfor %}</form>"""

    page = mount(ByHand).submit()
    assert page.status == 422
    assert len(page.texts(".cf-errors p")) == 6


def test_a_form_that_is_sent_before_the_script_is_there_is_posted_so_that_no_password_gets_into_an_address() -> None:
    page = mount(SignUp)
    assert page.attribute("form", "method") == "post"
    assert str(page.attribute("form", "action")).endswith("?event=submit")


def test_a_field_that_the_schema_does_not_have_is_named_with_the_nearest() -> None:
    class Wrong(SignUp):
        template = '<form>{{ form.field("emial") }}</form>'

    with pytest.raises(ConfigurationError, match="Signup has no field 'emial' .did you mean 'email'"):
        mount(Wrong)


@dataclasses.dataclass
class Address:
    street: str
    city: str = "Utrecht"

    def __post_init__(self) -> None:
        if self.street == self.city:
            raise ValueError("The street cannot be the city.")


def test_a_dataclass_is_a_schema() -> None:
    class Move(FormComponent):
        schema = Address
        template = "<div>{{ form }}</div>"
        moved: str = ""

        def initial(self) -> Address:
            return Address("Oudegracht 1", "Amersfoort")

        def on_submit(self, form: Address) -> None:
            self.moved = f"{form.street}, {form.city}"

    assert mount(Move).value("[name=city]") == "Amersfoort"
    assert Move().dispatch("submit", {"street": "Dam 1"})["state"]["moved"] == "Dam 1, Utrecht"
    assert errors_of(Move(), Form(street=["X"], city=["X"])) == {"": ["The street cannot be the city."]}


def test_a_handlers_parameters_are_a_schema_too() -> None:
    class Contact(FormComponent):
        template = "<div>{{ form }}</div>"
        said: str = ""

        def on_submit(self, name: str, text: LongText, copies: Annotated[int, Meta(ge=1)] = 1) -> None:
            self.said = f"{name} {text} {copies}"

    page = mount(Contact).fill(name="Ada", text="Hello")
    assert page.value("[name=copies]") == "1"
    assert "submit" in page.html
    assert Contact().dispatch("submit", {"name": "Ada", "text": "Hi"})["state"]["said"] == "Ada Hi 1"
    assert errors_of(Contact(), Form(name=["Ada"], text=["Hi"], copies=["0"])) == {"copies": ["Must be at least 1."]}


def test_any_component_takes_a_whole_form_by_a_handlers_annotation() -> None:
    class Book(Component):
        street: str = ""

        def on_save(self, address: Address) -> None:
            self.street = address.street

    assert Book().dispatch("save", Form(street=["Dam 1"]))["state"]["street"] == "Dam 1"
    assert Book().dispatch("save", {"street": "Dam 2"})["state"]["street"] == "Dam 2"
    assert Book().dispatch("save", {"address": {"street": "Dam 3"}})["state"]["street"] == "Dam 3"
    assert Book().dispatch("save", Form(city=["X"], zip=["1"]))["errors"] == {
        "zip": ["This field is not expected here."],
        "street": ["This field is required."],
    }


@pytest.mark.parametrize("wrap", [dict, lambda values: Form(form=[json.dumps(values["form"])])])
def test_a_form_that_comes_as_one_argument_is_validated_all_the_same(wrap: Any) -> None:
    typed = {**GOOD, "age": 36, "terms": True}
    assert errors_of(SignUp(), wrap({"form": typed})) == {}
    assert errors_of(SignUp(), wrap({"form": {**typed, "terms": False, "spy": 1}})) == {
        "spy": ["This field is not expected here."],
        "terms": ["This field is required."],
    }
    assert "name" in errors_of(SignUp(), wrap({"form": "{"}))
    assert "name" in errors_of(SignUp(), wrap({"form": [1]}))


def test_a_generator_handler_does_not_begin_on_invalid_data() -> None:
    begun: list[str] = []

    class Slow(FormComponent):
        schema = Address

        def on_submit(self, form: Address) -> Iterator[None]:
            begun.append(form.street)
            yield

    assert "street" in errors_of(Slow(), Form())
    assert begun == []


def test_json_is_as_strict_as_for_any_event() -> None:
    typed = {**GOOD, "age": 36, "terms": True}
    assert SignUp().dispatch("submit", typed)["errors"] == {}
    assert errors_of(SignUp(), {**typed, "age": "36", "weekly": "on", "terms": 1, "tags": "news"}) == {
        "age": ["Enter a whole number."],
        "weekly": ["Choose yes or no."],
        "terms": ["Choose yes or no."],
        "tags": ["Enter a list of values."],
    }


def test_a_submit_handler_that_would_pass_its_schema_by_is_refused_at_registration() -> None:
    class Bypass(FormComponent):
        schema = Signup

        def on_submit(self, email: str) -> None: ...

    with pytest.raises(ConfigurationError, match=r"def on_submit\(self, form: Signup\)"):
        Bypass()


def test_a_form_without_a_submit_handler_says_what_is_missing() -> None:
    class Silent(FormComponent):
        schema = Address
        template = "<div>{{ form }}</div>"

    with pytest.raises(ConfigurationError, match="Silent has no on_submit"):
        mount(Silent)


def test_a_type_that_no_input_asks_for_is_named() -> None:
    class Odd(FormComponent):
        template = "<div>{{ form }}</div>"

        def on_submit(self, points: dict[str, int]) -> None: ...

    with pytest.raises(ConfigurationError, match="points: no input asks for"):
        mount(Odd)


def filled(weekly: bool = True, **fields: str) -> Page:
    page = mount(SignUp).fill(**{name: value for name, value in (GOOD | fields).items() if name != "terms"})
    return page.check("[name=terms]").check("[name=weekly]", weekly)


class Priced(msgspec.Struct):
    price: Annotated[Decimal, Meta(ge=0)]


def test_a_bound_that_its_type_does_not_know_is_found_before_a_visitor_does() -> None:
    class Sells(FormComponent):
        schema = Priced

        def on_submit(self, form: Priced) -> None: ...

    with pytest.raises(ConfigurationError, match="Priced.price: Can only set `ge` on a numeric type"):
        Sells()
