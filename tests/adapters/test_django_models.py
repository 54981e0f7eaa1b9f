"""Components about one row, on the Django ORM."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.db.models import QuerySet

from component_framework import Engine, NotFound, Registry
from component_framework.adapters.django.models import ModelComponent
from component_framework.core.errors import ConfigurationError
from component_framework.testing import Page, mount

from .shop.models import Card, Customer, Leaflet, Order

pytestmark = pytest.mark.django_db

TEMPLATE = """<form {{ on("save") }}>
<b>{{ number }}</b><i>{{ status }} {{ note }} {{ total }}</i><u>{{ changed_fields|join(" ") }}</u>
<input name="note" value="{{ note }}"><input name="total" value="{{ total }}"><input name="customer" value="{{ customer }}">
<select name="status">{% for value, label in choices.status %}<option value="{{ value }}"{% if value == status %} selected{% endif %}>{{ label }}</option>{% endfor %}</select>
<input type="date" name="placed" value="{{ placed or '' }}"><input type="checkbox" name="gift"{% if gift %} checked{% endif %}>
{% for field, texts in errors.items() %}<p class="{{ field or 'form' }}">{{ texts[0] }}</p>{% endfor %}
{% for field, both in conflicts.items() %}<s class="{{ field }}">{{ both.mine }} / {{ both.theirs }}</s>{% endfor %}
<button>Save</button></form>"""

PUBLISHED: list[str] = []


class Editor(ModelComponent):
    template = TEMPLATE
    model = Order
    fields: ClassVar[Sequence[str]] = ("customer", "status", "note", "placed", "total", "gift")
    readonly: ClassVar[Sequence[str]] = ("number",)
    version_field: ClassVar[str | None] = "version"
    select_related = ("customer",)

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(seller=self.user)

    def get_related(self, name: str) -> QuerySet[Any]:
        return super().get_related(name).filter(seller=self.user)

    def on_save_quietly(self, note: str) -> None:
        self.note = note
        self.emit("saved", fields=self.save())

    def on_type(self, note: str) -> None:
        self.note = note


@pytest.fixture
def order() -> Order:
    customer = Customer.objects.create(name="Grace", seller="ada")
    return Order.objects.create(
        number="A-1", customer=customer, placed=datetime.date(2026, 1, 2), total=Decimal("9.50")
    )


@pytest.fixture(autouse=True)
def nothing_published() -> None:
    PUBLISHED.clear()


class Publishing(Engine):
    def publish_sync(self, *topics: str) -> None:
        PUBLISHED.extend(topics)


def engine(*classes: type[ModelComponent]) -> Engine:
    from component_framework.adapters.jinja import inline_renderer

    registry = Registry()
    for cls in classes or (Editor,):
        registry.register(cls.__name__.lower())(cls)
    return Publishing(renderer=inline_renderer(), secret_key="k", registry=registry, debug=True)


def editor(order: Order, user: str = "ada", name: str = "editor") -> Page:
    return mount(name, engine=engine(), user=user, pk=order.pk)


def stored(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_a_form_shows_the_row_and_saves_what_is_typed_into_it(order: Order) -> None:
    page = editor(order)
    assert page.text("b") == "A-1"
    page.fill(note="Ring twice", total="12.25", placed="2026-03-04", status="paid").check("[name=gift]")
    page.submit("form")
    found = stored(order)
    assert (found.note, found.total, found.status, found.gift) == ("Ring twice", Decimal("12.25"), "paid", True)
    assert found.placed == datetime.date(2026, 3, 4)
    assert found.version == 2
    assert page.text("i") == "paid Ring twice 12.25"


def test_an_event_costs_one_query_to_load_and_one_to_save(order: Order, django_assert_num_queries: Any) -> None:
    page = editor(order)
    page.fill(note="Ring twice")
    with django_assert_num_queries(4) as queries:  # with the savepoint that a transaction inside of the test's own is
        page.submit("form")
    texts = [query["sql"] for query in queries.captured_queries if "SAVEPOINT" not in query["sql"]]
    assert len(texts) == 2
    assert texts[1].startswith('UPDATE "shop_order" SET "note" = \'Ring twice\', "version" = 2 WHERE')


def test_a_payload_that_does_not_fit_costs_the_one_query_that_authorises(
    order: Order, django_assert_num_queries: Any
) -> None:
    page = editor(order)
    with django_assert_num_queries(1):
        page.fill(total="much").submit("form")
    assert page.status == 422


def test_the_model_s_own_validation_is_shown_per_field_and_nothing_is_saved(order: Order) -> None:
    page = editor(order).fill(total="123456789.00")
    page.submit("form")
    assert page.status == 422
    assert "digits" in page.text("p.total")
    page = editor(order).fill(note="refuse")
    page.submit("form")
    assert page.text("p.form") == "Such a note contradicts the order."
    assert stored(order).version == 1


def test_a_save_that_comes_too_late_shows_both_values_and_overwrites_nothing(order: Order) -> None:
    mine, theirs = editor(order), editor(order)
    theirs.fill(note="Left at the door").submit("form")
    mine.fill(note="Ring twice").submit("form")
    assert mine.status == 409
    assert mine.text("s.note") == "Ring twice / Left at the door"
    assert mine.value("[name=note]") == "Ring twice"
    assert mine.text("p.note") == "In the meantime this became: Left at the door"
    assert stored(order).note == "Left at the door"
    mine.submit("form")
    assert mine.status == 200
    assert stored(order).note == "Ring twice"


def test_a_save_of_another_field_that_comes_too_late_is_refused_too(order: Order) -> None:
    mine, theirs = editor(order), editor(order)
    theirs.fill(note="Left at the door").submit("form")
    mine.fill(total="1.00").submit("form")
    assert mine.status == 409
    assert stored(order).total == Decimal("9.50")


def test_a_race_between_two_saves_is_decided_by_the_database(order: Order) -> None:
    class Slow(Editor):
        def on_race(self) -> None:
            Order.objects.filter(pk=self.pk).update(note="first", version=2)  # type: ignore[attr-defined]  # a field of the model
            self.note = "second"
            self.save()

    served = engine(Slow)
    component: Any = served.component("slow", context=served.context(user="ada"), pk=order.pk)
    component.dispatch("race")
    assert component.conflicts["note"].theirs == "first"
    assert stored(order).note == "first"


def test_a_timestamp_is_a_version_too() -> None:
    class Leaf(ModelComponent):
        template = '<form {{ on("save") }}><input name="text" value="{{ text }}"></form>'
        model = Leaflet
        fields = ("text",)
        version_field = "changed"

    leaflet = Leaflet.objects.create(text="one")
    served = engine(Leaf)
    mine, theirs = (mount("leaf", engine=served, pk=leaflet.pk) for _ in range(2))
    theirs.fill(text="two").submit("form")
    assert theirs.status == 200
    theirs.fill(text="three").submit("form")
    assert theirs.status == 200
    mine.fill(text="four").submit("form")
    assert mine.status == 409
    assert Leaflet.objects.get().text == "three"


def test_fields_that_are_not_saved_yet_are_known_by_name_and_keep_their_original_value(order: Order) -> None:
    served = engine()
    context = served.context(user="ada")
    typed = served.component("editor", context=context, pk=order.pk).dispatch("type", {"note": "Ring"})
    assert typed["state"]["shown_before"] == {"note": ""}
    again: Any = served.component("editor", context=context, pk=order.pk)
    assert "<u>note</u>" in again.dispatch("type", {"note": "Ring twice"}, typed["state"])["html"]
    assert (again.changed_fields, again.is_dirty, again.original["note"]) == (["note"], True, "")
    back = again.dispatch("type", {"note": ""}, again.dehydrate())
    assert back["state"]["shown_before"] == {}
    assert not again.is_dirty


def test_an_effect_can_name_what_was_saved(order: Order) -> None:
    served = engine()
    done = served.component("editor", context=served.context(user="ada"), pk=order.pk).dispatch(
        "save_quietly", {"note": "x"}
    )
    assert done["effects"][0].detail == {"fields": ["note"]}


@pytest.mark.parametrize("name", ["number", "secret", "seller", "pk", "id", "version", "instance", "shown_before"])
def test_a_field_that_is_readonly_or_not_shown_cannot_be_written_by_a_browser(order: Order, name: str) -> None:
    page = editor(order)
    page.send("save", **{name: "1", "gift": "on"})
    assert page.status == 422
    assert stored(order).version == 1


def test_a_row_of_somebody_else_does_not_exist(order: Order) -> None:
    with pytest.raises(NotFound):
        editor(order, user="eve")
    page = editor(order)
    Order.objects.update(seller="eve")
    page.fill(note="mine").submit("form")
    assert page.status == 404
    assert stored(order).note == ""


def test_a_key_that_belongs_to_somebody_else_cannot_be_chosen(order: Order) -> None:
    other = Customer.objects.create(name="Eve's", seller="eve")
    page = editor(order).fill(customer=str(other.pk))
    page.submit("form")
    assert (page.status, page.text("p.customer")) == (422, "This cannot be chosen here.")
    assert stored(order).customer.name == "Grace"
    served = engine()
    component: Any = served.component("editor", context=served.context(user="ada"), pk=order.pk)
    component.dispatch()
    assert component.choices("customer") == [(order.customer_id, "Grace")]


def test_a_deleted_row_is_not_found(order: Order) -> None:
    page = editor(order)
    order.delete()
    page.fill(note="late").submit("form")
    assert page.status == 404


@pytest.mark.django_db(transaction=True)
def test_the_row_s_topic_is_published_after_the_commit_and_only_then(order: Order) -> None:
    page = editor(order)
    page.fill(note="Ring twice").submit("form")
    assert [f"order:{order.pk}"] == PUBLISHED
    page.fill(note="refuse").submit("form")
    assert len(PUBLISHED) == 1


def test_a_misspelt_field_is_an_error_when_the_class_is_made() -> None:
    with pytest.raises(ConfigurationError, match=r"Order has no field 'statsu' \(did you mean 'status'\?\)"):
        type("Misspelt", (ModelComponent,), {"model": Order, "fields": ("statsu",)})


def test_a_column_of_files_is_refused_when_the_class_is_made() -> None:
    with pytest.raises(
        ConfigurationError, match="'picture' is a file, which no state holds.*instance.picture.*ModelForm"
    ):
        type("Filed", (ModelComponent,), {"model": Card, "fields": ("name", "picture")})


def test_all_fields_but_some_may_be_asked_for(order: Order) -> None:
    class Whole(Editor):
        fields = "__all__"
        exclude = ("secret", "seller")

    assert "secret" not in Whole._columns
    assert "note" in Whole._columns
    page = mount("whole", engine=engine(Whole), user="ada", pk=order.pk)
    page.send("save", secret="x", gift="on")
    assert page.status == 422


def test_a_row_is_begun_only_where_the_class_says_so(order: Order) -> None:
    class Maker(Editor):
        may_create = True
        fields = ("number", "customer", "status", "note", "total", "gift", "placed")
        readonly = ()

        def on_make(self, number: str, customer: int) -> None:
            self.number, self.customer = number, customer
            self.save()

    with pytest.raises(NotFound):
        mount("editor", engine=engine(), user="ada")
    page = mount("maker", engine=engine(Maker), user="ada")
    page.send("make", number="A-2", customer=order.customer_id)
    made = Order.objects.get(number="A-2")
    assert (made.customer, made.status, made.version) == (order.customer, "new", 1)
    page.send("make", number="A-3", customer=order.customer_id)
    assert set(Order.objects.values_list("number", flat=True)) == {"A-1", "A-3"}
    page.send("make", number="A-1", customer=order.customer_id)
    assert page.status == 422
    assert re.search("already exists", page.html)


@pytest.mark.parametrize("pk", ["x", "", [1], {"pk": 1}, True, 1.5, 10**40, -1, "1 OR 1=1", "\0"])
def test_a_key_of_another_kind_is_not_found(order: Order, pk: Any) -> None:
    with pytest.raises(NotFound):
        mount("editor", engine=engine(), user="ada", pk=pk)


def test_a_row_that_is_deleted_while_it_is_edited_is_not_found(order: Order) -> None:
    class Unversioned(Editor):
        template = "<p></p>"
        version_field = None
        readonly = ()

        def on_lose(self) -> None:
            Order.objects.all().delete()
            self.note = "late"
            self.save()

    page = mount("unversioned", engine=engine(Unversioned), user="ada", pk=order.pk)
    page.send("lose")
    assert page.status == 404


def test_what_only_the_database_refuses_is_a_message_too(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    class Renumber(Editor):
        template = "<p></p>"
        fields = ("number",)
        readonly = ()

    Order.objects.create(number="A-2", customer=order.customer)
    monkeypatch.setattr(Order, "full_clean", lambda self, **skipped: None)  # as where another was faster
    page = mount("renumber", engine=engine(Renumber), user="ada", pk=order.pk)
    page.send("save", number="A-2")
    assert page.status == 422
    assert stored(order).number == "A-1"
    page.send("save", number="A\0")
    assert page.status == 422
