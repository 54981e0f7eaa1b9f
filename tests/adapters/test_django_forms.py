"""Django forms as schemas: without a wrapper, in the reader's language, in Django's templates and in others."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy, override

from component_framework import Component, Engine, FormComponent, Registry
from component_framework.adapters.django.rendering import DjangoRenderer
from component_framework.adapters.django.views import offload
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import ConfigurationError
from component_framework.core.fitting import Form
from component_framework.core.request import HttpRequest
from component_framework.testing import mount


class ContactForm(forms.Form):
    name = forms.CharField(max_length=20, help_text="As on your card.", widget=forms.TextInput(attrs={"class": "wide"}))
    email = forms.EmailField(label=gettext_lazy("Email address"))
    password = forms.CharField(widget=forms.PasswordInput)
    age = forms.IntegerField(min_value=18)
    born = forms.DateField(required=False)
    meets = forms.DateTimeField(required=False)
    plan = forms.ChoiceField(choices=[("free", "Free"), ("pro", "Professional")], initial="free")
    topics = forms.MultipleChoiceField(
        choices=[("news", "News"), ("offers", "Offers")], widget=forms.CheckboxSelectMultiple, required=False
    )
    terms = forms.BooleanField()
    text = forms.CharField(widget=forms.Textarea, required=False)
    source = forms.CharField(widget=forms.HiddenInput, initial="page")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name == "admin":
            raise ValidationError("This name is ours.")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("name") and cleaned.get("name") == cleaned.get("password"):
            raise ValidationError("The password cannot be the name.")
        return cleaned


class UserForm(forms.Form):
    user = forms.ModelChoiceField(queryset=get_user_model().objects.all())


registry = Registry()


@registry.register("contact")
class Contact(FormComponent):
    schema = ContactForm
    template = "<div>{{ form }}<p>{{ said }}</p></div>"
    said: str = ""

    def on_submit(self, form: ContactForm) -> None:
        data = form.cleaned_data
        self.said = f"{data['name']} {data['age']} {data['born']} {data['topics']} {data['meets']:%H:%M}"


@registry.register("pick")
class Pick(FormComponent):
    schema = UserForm
    template = "<div>{{ form.user }}<p>{{ picked }}</p></div>"
    picked: str = ""

    async def on_submit(self, form: UserForm) -> None:
        self.picked = str(form.cleaned_data["user"])


GOOD = {
    "name": "Ada", "email": "ada@example.org", "password": "abc", "age": "36", "plan": "pro", "terms": "on", "source": "x",
    "meets": "2024-02-29T10:30",
}  # fmt: skip


def engine() -> Engine:
    return Engine(renderer=DjangoRenderer(), secret_key="x" * 40, registry=registry)


def errors(**fields: str) -> Any:
    sent = Form({name: [value] for name, value in (GOOD | fields).items()})
    return engine().component("contact").dispatch("submit", sent)["errors"]


def test_a_form_is_shown_with_its_labels_widgets_and_constraints() -> None:
    page = mount("contact", engine=engine())
    assert page.texts("label")[:2] == ["Name *", "Email address *"]
    assert page.has("input.wide[name=name][maxlength='20'][required]")
    assert page.has("[name=email][type=email]")
    assert page.has("[name=age][type=number][min='18']")
    assert page.has("[name=born][type=date]:not([required])")
    assert page.has("[name=meets][type=datetime-local]")
    assert page.texts("[name=plan] option") == ["Free", "Professional"]
    assert page.has("[name=topics][type=checkbox][value=offers]")
    assert page.has("textarea[name=text]")
    assert page.value("[type=hidden][name=source]") == "page"


def test_a_valid_form_reaches_the_handler_bound() -> None:
    page = mount("contact", engine=engine()).fill(
        name="Ada", email="a@b.nl", password="abc", age="36", born="1815-12-10"
    )
    page.fill(meets="2024-02-29T10:30").check("[value=news]").check("[name=terms]").submit()
    assert page.text("form + p") == "Ada 36 1815-12-10 ['news'] 10:30"


def test_errors_are_djangos_per_field_and_for_the_form() -> None:
    assert errors(name="admin", email="x", age="7", terms="false", spy="1") == {
        "spy": ["This field is not expected here."],
        "name": ["This name is ours."],
        "email": ["Enter a valid email address."],
        "age": ["Ensure this value is greater than or equal to 18."],
        "terms": ["This field is required."],
    }
    assert errors(password="Ada") == {"": ["The password cannot be the name."]}


def test_errors_and_labels_are_in_the_readers_language() -> None:
    with override("de"):
        assert errors(email="") == {"email": ["Dieses Feld ist zwingend erforderlich."]}
        assert mount("contact", engine=engine()).texts("label")[1] == "E-Mail-Adresse *"


def test_a_form_looks_the_same_in_jinja() -> None:
    markup = [
        Engine(renderer=renderer, secret_key="x" * 40, registry=registry, clock=lambda: 0, new_id=lambda: "c").mount(
            "contact"
        )
        for renderer in (DjangoRenderer(), JinjaRenderer())
    ]
    assert markup[0] == markup[1]


@pytest.mark.django_db(transaction=True)
def test_a_choice_of_rows_is_asked_of_the_database_off_the_event_loop() -> None:
    user = get_user_model().objects.create(username="ada")
    headers = {"content-type": "application/x-www-form-urlencoded", "hx-request": "true"}
    request = HttpRequest(component="pick", headers=headers, query="event=submit", body=f"user={user.pk}".encode())
    answer: Any = async_to_sync(engine().answer)(request, offload)
    assert (answer.status, b"<p>ada</p>" in answer.body) == (200, True)


@pytest.mark.django_db
def test_options_that_come_later_are_shown() -> None:
    assert mount("pick", engine=engine()).texts("option") == [""]
    get_user_model().objects.create(username="eve")
    assert mount("pick", engine=engine()).texts("option") == ["", "eve"]


def test_a_widget_of_several_inputs_is_refused_with_its_name() -> None:
    class Odd(forms.Form):
        when = forms.SplitDateTimeField()

    class Asks(FormComponent):
        schema = Odd
        template = "<div>{{ form }}</div>"

        def on_submit(self, form: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="when: there is no input for the widget SplitDateTimeWidget"):
        mount(Asks)


def test_any_component_takes_a_django_form() -> None:
    class Takes(Component):
        who: str = ""

        def on_save(self, form: ContactForm) -> None:
            self.who = form.cleaned_data["name"]

    assert Takes().dispatch("save", GOOD | {"age": 36, "terms": True})["state"]["who"] == "Ada"


moments = count(1)


class Numbered(forms.Form):
    number = forms.IntegerField(initial=lambda: next(moments))


def test_an_initial_value_of_the_moment_is_asked_for_each_time() -> None:
    class Asks(FormComponent):
        schema = Numbered
        template = "<div>{{ form }}</div>"

        def on_submit(self, form: Any) -> None: ...

    assert int(mount(Asks).value("[name=number]")) < int(mount(Asks).value("[name=number]"))
