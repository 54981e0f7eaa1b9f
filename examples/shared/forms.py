"""Forms: a sign-up with every kind of field, an invoice with lines, and a wizard; the same on every host."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from component_framework import (
    Email,
    FormComponent,
    Input,
    Invalid,
    Limit,
    LongText,
    Password,
    Upload,
    WizardComponent,
    register,
)

TAKEN = {"ada@example.org"}


class Plan(Enum):
    """What one may sign up for."""

    FREE = "free"
    TEAM = "team"
    COMPANY = "company"


class Account(msgspec.Struct):
    """A sign-up: the types and bounds of its fields are all that the form is made of."""

    name: Annotated[str, Meta(max_length=60), Input(autocomplete="name")]
    email: Annotated[Email, Input(label="E-mail", help="ada@example.org is taken: try it.")]
    password: Annotated[Password, Meta(min_length=10), Input(autocomplete="new-password")]
    again: Annotated[Password, Input(label="Password, once more", autocomplete="new-password")]
    avatar: Annotated[
        Upload | None,
        Limit("4 MB", {"image/png", "image/jpeg"}),
        Input(label="Picture", help="PNG or JPEG, up to 4 MB"),
    ] = None
    seats: Annotated[int, Meta(ge=1, le=50), Input(label="Number of seats")] = 1
    budget: Annotated[Decimal | None, Input(label="Budget a month", comma=True, help="12.50 or 12,50")] = None
    start: datetime.date | None = None
    plan: Plan = Plan.TEAM
    contact: Annotated[Literal["e-mail", "phone", "post"], Input(type="radio", label="How may we reach you?")] = (
        "e-mail"
    )
    topics: list[Literal["news", "events", "offers"]] = []
    about: Annotated[LongText, Meta(max_length=500), Input(label="What will you build?")] = ""
    terms: Annotated[bool, Input(required=True, label="I accept the terms")] = False

    def __post_init__(self) -> None:
        if self.password != self.again:
            raise Invalid({"again": ["The two passwords are not the same."]})


@register("sign_up")
class SignUp(FormComponent):
    """Every kind of field; each is checked when it is left, and all of them before `on_submit` runs."""

    schema = Account
    submit_label = "Sign up"
    template = """<section class="card narrow">
{% if welcome %}<p class="good" role="status">{{ welcome }}</p>{% endif %}
{{ form }}
</section>"""
    welcome: str = ""

    def on_submit(self, form: Account) -> None:
        if form.email in TAKEN:
            raise Invalid({"email": ["There is an account with this address."]})
        self.welcome = f"Welcome, {form.name}. {form.seats} × {form.plan.value}."
        if form.avatar is not None:  # a real site keeps it: form.avatar.save_to(…), or a storage
            self.welcome += f" What a picture: {form.avatar.name}, {form.avatar.size / 1000:.0f} KB."
        self.reset()


class Line(msgspec.Struct):
    """A line of an invoice."""

    what: Annotated[str, Meta(max_length=60), Input(label="Article")]
    amount: Annotated[int, Meta(ge=1, le=999)] = 1
    price: Annotated[Decimal, Input(comma=True)] = Decimal(1)


class Bill(msgspec.Struct):
    """An invoice: somebody, and at least one line."""

    customer: Annotated[str, Meta(max_length=60)]
    lines: Annotated[list[Line], Meta(min_length=1, max_length=12)]


@register("invoice")
class Invoice(FormComponent):
    """A list of sub-forms: rows are added, removed and moved, and keep what is being typed into them."""

    schema = Bill
    submit_label = "Send the invoice"
    template = """<section class="card">
{% if sent %}<p class="good" role="status">{{ sent }}</p>{% endif %}
{{ form }}
</section>"""
    sent: str = ""

    def initial(self) -> Any:
        return {"customer": "Northwind", "lines": [{"what": "Pens", "amount": 12, "price": "1.20"}]}

    def on_submit(self, form: Bill) -> None:
        total = sum((line.amount * line.price for line in form.lines), Decimal())
        self.sent = f"{form.customer} owes {total:.2f} for {len(form.lines)} lines."


class Person(msgspec.Struct):
    """The first step."""

    name: Annotated[str, Meta(max_length=60)]
    email: Annotated[Email, Input(label="E-mail")]


class Choice(msgspec.Struct):
    """The second step."""

    day: Annotated[Literal["Monday", "Tuesday", "Wednesday"], Input(type="radio")]
    level: Annotated[Literal["beginner", "expert"], Input(label="You are a")] = "beginner"
    lunch: Annotated[bool, Input(label="Lunch, please")] = True


class Wishes(msgspec.Struct):
    """The third step."""

    guests: Annotated[int, Meta(ge=0, le=5)] = 0
    remarks: Annotated[LongText, Meta(max_length=300)] = ""


@register("workshop")
class Workshop(WizardComponent):
    """Three steps that keep what was typed; `finish` gets all of them, validated."""

    steps = {"person": Person, "day": Choice, "wishes": Wishes}
    submit_label = "Book"
    template = """<section class="card narrow">
{% if booked %}<p class="good" role="status" tabindex="-1"{% if component.is_done %} autofocus{% endif %}>{{ booked }}</p>{% endif %}
<ol class="steps">{% for name in component.steps %}
<li{% if name == component.current %} aria-current="step"{% endif %}>{{ name|title }}</li>{% endfor %}
</ol>
{{ form }}
</section>"""
    booked: str = ""
    is_done = False  # no state: the focus goes to what was booked once, and not at every later event

    def finish(self, person: Person, day: Choice, wishes: Wishes) -> None:
        lunch = "with" if day.lunch else "without"
        places = "1 place" if wishes.guests == 0 else f"{1 + wishes.guests} places"
        self.booked, self.is_done = f"{person.name}, {places} on {day.day}, {lunch} lunch.", True
        self.reset()
