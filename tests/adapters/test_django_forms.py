"""Django forms as schemas: without a wrapper, in the reader's language, in Django's templates and in others."""

from __future__ import annotations

import datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy, override

from component_framework import Component, Engine, FormComponent, Registry
from component_framework.adapters.django.rendering import DjangoRenderer
from component_framework.adapters.django.views import offload
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import ConfigurationError
from component_framework.core.fitting import Form
from component_framework.core.request import HttpRequest
from component_framework.testing import mount

from .shop.models import Customer, Order


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
    [nothing] = mount("pick", engine=engine()).texts("option")  # what Django calls it depends on its version
    get_user_model().objects.create(username="eve")
    assert mount("pick", engine=engine()).texts("option") == [nothing, "eve"]


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


class Odd(forms.Form):
    """What real forms have besides plain fields."""

    prefix = "odd"
    when = forms.DateTimeField(initial=datetime.datetime(2026, 7, 2, 8, 30, 5, 123456, tzinfo=datetime.UTC))
    day = forms.DateField(input_formats=["%d.%m.%Y"], initial=datetime.date(2026, 1, 2), required=False)
    fixed = forms.CharField(disabled=True, initial="as it is")
    price = forms.DecimalField(localize=True, initial=Decimal("1.5"))
    kind = forms.ChoiceField(choices=[("Fruit", [("a", "Apple"), ("p", "Pear")]), ("x", "Other")], initial="p")
    hello = forms.CharField(initial=gettext_lazy("Email address"), required=False)
    extra = forms.JSONField(initial={"a": 1}, required=False)


class OddComponent(FormComponent):
    schema = Odd
    renderer = DjangoRenderer()
    template = "<div>{{ form }}</div>"
    got: str = ""

    def on_submit(self, form: Odd) -> None:
        self.got = f"{form.cleaned_data['fixed']} {form.cleaned_data['price']} {form.cleaned_data['day']}"


def test_values_are_shown_as_django_itself_shows_them() -> None:
    with override("de"), timezone.override("Europe/Amsterdam"):
        page = mount(OddComponent)
        assert page.value("[name=when]") == "2026-07-02T10:30:05"
        assert (page.value("[name=day]"), page.has("[name=day][type=date]")) == ("02.01.2026", False)
        assert page.has("[name=fixed][disabled]")
        assert page.value("[name=price]") == "1,5"
        assert page.text("optgroup[label=Fruit]") == "ApplePear"
        assert page.value("[name=kind]") == "p"
        assert page.value("[name=hello]") == "E-Mail-Adresse"
        assert page.value("[name=extra]") == '{"a": 1}'
        sent = Form(when=["2026-01-02T10:30"], day=["02.01.2026"], fixed=["hacked"], price=["2,5"], kind=["a"])
        assert OddComponent().dispatch("submit", sent)["state"]["got"] == "as it is 2.5 2026-01-02"


class Named(forms.Form):
    """Needs to know who asks, and has a field that its class does not declare."""

    def __init__(self, *args: Any, owner: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(label=f"Name of {owner}", initial=owner)


def test_a_form_is_made_with_what_the_component_gives_it() -> None:
    class Asks(FormComponent):
        schema = Named
        template = "<div>{{ form }}</div>"
        got: str = ""

        def form_arguments(self) -> dict[str, Any]:
            return {"owner": self.user}

        def on_submit(self, form: Named) -> None:
            self.got = form.cleaned_data["name"]

    page = mount(Asks, user="Ada")
    assert (page.text("label"), page.value("[name=name]")) == ("Name of Ada *", "Ada")
    page.fill(name="").submit()
    assert page.texts(".cf-errors p") == ["This field is required."]
    assert page.fill(name="Eve").submit().status == 200
    assert page.send("submit", spy="1").status == 422


class LineForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Order
        fields = ("number", "total")


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]
    formsets: Any = {"orders": forms.inlineformset_factory(Customer, Order, form=LineForm, extra=0, max_num=3)}

    class Meta:
        model = Customer
        fields = ("name",)


class CustomerEditor(FormComponent):
    schema = CustomerForm
    renderer = DjangoRenderer()
    template = "<div>{{ form }}</div>"
    pk: int

    def form_arguments(self) -> dict[str, Any]:
        return {"instance": Customer.objects.get(pk=self.pk)}

    def on_submit(self, form: Any) -> None:
        form.save()
        form.formsets["orders"].save()
        self.reset()


@pytest.fixture
def customer() -> Customer:
    grace = Customer.objects.create(name="Grace", seller="ada")
    for number in ("A-1", "A-2"):
        Order.objects.create(number=number, customer=grace)
    return grace


def orders() -> list[str]:
    return [f"{order.number} {order.total}" for order in Order.objects.order_by("pk")]


@pytest.mark.django_db
def test_a_model_form_edits_its_object_and_a_formset_its_rows(customer: Customer) -> None:
    page = mount(CustomerEditor, pk=customer.pk)
    assert (page.value("[name=name]"), page.value("[name=orders-1-number]")) == ("Grace", "A-2")
    page.fill(name="Grace H.").fill("[name=orders-0-number]", "A-1b").click("button", text="Add")
    page.fill("[name=orders-2-number]", "A-3").fill("[name=orders-2-total]", "7")
    page.click("[aria-label='Remove Orders 2']").submit()
    assert (page.status, page.texts(".cf-errors p")) == (200, [])
    assert orders() == ["A-1b 0.00", "A-3 7.00"]
    assert Customer.objects.get().name == "Grace H."
    assert [page.value(f"[name=orders-{key}-number]") for key in (0, 1)] == ["A-1b", "A-3"]
    page.submit()
    assert orders() == ["A-1b 0.00", "A-3 7.00"]


@pytest.mark.django_db
def test_the_errors_of_a_formset_are_told_at_the_fields_of_their_rows(customer: Customer) -> None:
    page = mount(CustomerEditor, pk=customer.pk).click("[aria-label='Move Orders 2 up']").click("button", text="Add")
    page.fill("[name=orders-2-number]", "A-1").fill("[name=orders-0-total]", "x").fill("[name=name]", "").submit()
    assert page.status == 422
    assert page.text("[id$=-orders-2-number-errors]") == "Order with this Number already exists."
    assert page.text("[id$=-orders-0-total-errors]") == "Enter a number."
    assert page.text("[id$=-f0-name-errors]") == "This field is required."
    assert orders() == ["A-1 0.00", "A-2 0.00"]


@pytest.mark.django_db
def test_rows_of_somebody_else_are_neither_changed_nor_removed(customer: Customer) -> None:
    other = Order.objects.create(number="Z-9", customer=Customer.objects.create(name="Eve", seller="eve"))
    editor = CustomerEditor(pk=customer.pk)
    mine = {"name": ["Grace"], "orders": ["0"], "orders-0-number": ["stolen"], "orders-0-total": ["1"]}
    editor.dispatch("submit", Form({**mine, "orders-0-id": [str(other.pk)]}))  # which Django passes over
    editor.dispatch("submit", Form({"name": ["Grace"], "orders-removed": [str(other.pk), "x"]}))
    spied = {**mine, "orders-0-seller": ["eve"], "orders-0-customer": ["1"], "orders-7-number": ["A-9"]}
    assert "orders-0-seller" in editor.dispatch("submit", Form(spied))["errors"]
    assert orders() == ["A-1 0.00", "A-2 0.00", "Z-9 0.00"]


@pytest.mark.django_db
def test_an_error_of_a_field_that_is_hidden_is_shown_above_the_form(customer: Customer) -> None:
    page = mount(CustomerEditor, pk=customer.pk)
    Order.objects.get(number="A-2").delete()
    page.submit()
    assert page.status == 422
    assert "Id: Select a valid choice." in page.text(".cf-form-errors")


@pytest.mark.django_db
def test_a_formset_takes_no_more_rows_than_it_says(customer: Customer) -> None:
    page = mount(CustomerEditor, pk=customer.pk).click("button", text="Add")
    assert page.has("button[disabled]:not([aria-label])")
    many = {
        "name": ["Grace"],
        "orders": [str(n) for n in range(5)],
        **{f"orders-{n}-number": [f"B{n}"] for n in range(5)},
    }
    errors = CustomerEditor(pk=customer.pk).dispatch("submit", Form(many))["errors"]
    assert errors["orders"] == ["Must be at most 3 long."]
    assert orders() == ["A-1 0.00", "A-2 0.00"]


def test_a_formset_by_itself_is_refused_with_what_to_write() -> None:
    class Asks(FormComponent):
        schema = forms.formset_factory(ContactForm)

        def on_submit(self, form: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="ContactFormSet is a formset"):
        mount(Asks)


class Focused(forms.Form):
    name = forms.CharField(widget=forms.TextInput(attrs={"autofocus": True}))
    email = forms.EmailField()


def test_the_focus_that_a_form_asks_for_is_that_of_the_page_as_it_is_loaded() -> None:
    class Asks(FormComponent):
        schema = Focused
        template = "<div>{{ form }}</div>"

        def on_submit(self, form: Any) -> None: ...

    page = mount(Asks)
    assert page.has("[name=name][autofocus]")
    assert not page.fill(email="x").trigger("[name=email]", "change").has("[autofocus]")
    assert page.fill(name="Ada").submit().has("[name=email][autofocus]")
