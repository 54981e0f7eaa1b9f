"""Lists of sub-forms: how they travel, and how rows are added, removed and moved."""

from __future__ import annotations

import string
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from component_framework import Component, FormComponent, Input
from component_framework.core.fitting import Form
from component_framework.core.form_data import as_form, next_key, put_rows, row_keys, take_rows
from component_framework.testing import Page, mount


class Line(msgspec.Struct):
    what: Annotated[str, Meta(max_length=20)]
    amount: Annotated[int, Meta(ge=1)] = 1
    gift: Annotated[bool, Input(label="As a gift")] = False


class Invoice(msgspec.Struct):
    customer: str
    lines: Annotated[list[Line], Meta(min_length=1, max_length=3)]


class Billing(FormComponent):
    """An invoice with lines."""

    schema = Invoice
    template = "<section>{{ form }}<p>{{ billed }}</p></section>"
    billed: str = ""

    def initial(self) -> Any:
        return {"customer": "Ada", "lines": [{"what": "Pen"}]}

    def on_submit(self, form: Invoice) -> None:
        self.billed = ", ".join(f"{line.amount} {line.what}{' (gift)' if line.gift else ''}" for line in form.lines)


def whats(page: Page) -> list[str]:
    return [page.value(f'[name="lines-{key}-what"]') for key in keys(page)]


def keys(page: Page) -> list[str]:
    return [row.rpartition("-row")[0].rpartition("-")[2] for row in page.attributes(".cf-row", "id")]


def row(page: Page, key: str, **fields: str) -> Page:
    for name, value in fields.items():
        page.fill(f'[name="lines-{key}-{name}"]', value)
    return page


def test_rows_are_added_removed_and_moved_with_what_was_typed() -> None:
    page = mount(Billing)
    assert page.value('[name="lines-0-amount"]') == "1"
    row(page, "0", amount="2").click("button", text="Add")
    row(page, "1", what="Ink").click("button", text="Add")
    row(page, "2", what="Nib")
    assert page.has("button[disabled]", text="Add")
    page.click('[aria-label="Move Lines 3 up"]')
    assert (keys(page), whats(page)) == (["0", "2", "1"], ["Pen", "Nib", "Ink"])
    page.click('[aria-label="Move Lines 1 down"]')
    assert whats(page) == ["Nib", "Pen", "Ink"]
    page.click('[aria-label="Remove Lines 3"]')
    assert whats(page) == ["Nib", "Pen"]
    page.check('[name="lines-0-gift"]').submit()
    assert page.text("form + p") == "1 Nib, 2 Pen (gift)"


def test_a_new_row_is_focused_and_not_accused() -> None:
    page = mount(Billing).click("button", text="Add")
    assert page.has('[name="lines-1-what"][autofocus]')
    assert page.texts(".cf-errors p") == []


def test_the_error_of_a_row_is_told_at_its_field() -> None:
    page = mount(Billing).click("button", text="Add")
    row(page, "1", amount="0").submit()
    assert page.status == 422
    assert page.texts(".cf-errors p") == ["This field is required.", "Must be at least 1."]
    assert page.has('[name="lines-1-what"][aria-invalid=true][autofocus]')
    assert not page.has('[name="lines-0-what"][aria-invalid]')


def test_a_list_has_its_fewest_and_its_most_rows() -> None:
    assert errors({"customer": ["A"]}) == {"lines": ["This field is required."]}
    four = {"customer": ["A"], "lines": ["0", "1", "2", "3"]} | {f"lines-{key}-what": ["x"] for key in range(4)}
    assert errors(four) == {"lines": ["Must be at most 3 long."]}


def test_a_row_that_is_not_there_cannot_be_removed_or_moved() -> None:
    for event in ("remove_row", "move_row"):
        for cues in (
            {"_rows": "lines", "_row": "7"},
            {"_rows": "lines"},
            {"_rows": "customer"},
            {"_rows": "nothing"},
            {},
        ):
            sent = Form({name: [value] for name, value in cues.items()} | {"customer": ["A"], "lines": ["0"]})
            result = Billing().dispatch(event, sent)
            assert result["errors"]


def test_fields_of_rows_that_do_not_exist_are_refused() -> None:
    sent = {
        "customer": ["A"],
        "lines": ["0"],
        "lines-0-what": ["x"],
        "lines-5-what": ["x"],
        "lines-x-what": ["x"],
        "lines-0": ["x"],
    }
    unexpected = ["This field is not expected here."]
    assert errors(sent) == {"lines-5-what": unexpected, "lines-x-what": unexpected, "lines-0": unexpected}
    assert errors({**sent, "lines-0-price": ["1"]})["lines-0-price"] == unexpected


@pytest.mark.parametrize("lines", [None, "x", 3, True, {}, {"0": {"what": "x"}}, [1], ["x"], [None], [[]]])
def test_a_list_of_another_type_is_refused(lines: Any) -> None:
    result = Billing().dispatch("submit", {"customer": "A", "lines": lines})
    assert result["errors"] == {"lines": ["Enter a list of values."]}


def test_programs_send_rows_as_json() -> None:
    sent = {"customer": "A", "lines": [{"what": "Pen", "amount": 2}, {"what": "Ink"}]}
    assert Billing().dispatch("submit", sent)["state"]["billed"] == "2 Pen, 1 Ink"
    wrong = {"customer": "A", "lines": [{"what": "Pen"}, {"what": 3, "amount": True, "price": 1}]}
    assert Billing().dispatch("submit", wrong)["errors"] == {
        "lines-1-price": ["This field is not expected here."],
        "lines-1-what": ["Enter text."],
        "lines-1-amount": ["Enter a whole number."],
    }


def test_a_hundred_thousand_rows_are_refused_without_being_read() -> None:
    sent = {"customer": "A", "lines": [{}] * 100_000}
    assert Billing().dispatch("submit", sent)["errors"] == {"lines": ["Must be at most 3 long."]}


def test_any_component_takes_rows() -> None:
    class Takes(Component):
        count: int = 0

        def on_take(self, invoice: Invoice) -> None:
            self.count = len(invoice.lines)

    sent = Form({"customer": ["A"], "lines-3-what": ["x"], "lines-1-what": ["y"]})
    assert Takes().dispatch("take", sent)["state"]["count"] == 2


NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8)
VALUES = st.lists(st.text(max_size=8), min_size=1, max_size=3)
ROWS = st.dictionaries(
    st.integers(0, 999_999).map(str), st.dictionaries(NAMES, VALUES, max_size=3).map(Form), max_size=5
)


@given(name=NAMES, rows=ROWS, others=st.dictionaries(NAMES, VALUES, max_size=3))
def test_rows_come_back_as_they_were_put(name: str, rows: dict[str, Form], others: dict[str, list[str]]) -> None:
    others.pop(name, None)
    form = Form(others)
    put_rows(form, name, rows)
    assert row_keys(form, name) == list(rows)
    assert take_rows(form, name) == rows
    assert form == others
    assert next_key(rows) not in rows


@given(st.dictionaries(st.text(max_size=12), st.lists(st.text(max_size=6), max_size=3), max_size=6))
def test_no_names_and_values_break_a_form(fields: dict[str, list[str]]) -> None:
    form = Form({name: values for name, values in fields.items() if name})
    for event in ("submit", "validate", "add_row"):
        Billing().dispatch(event, Form(form))


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["customer", "lines", "x", "_field", "_rows", "lines-0-what"]), JSON, max_size=4)
)
def test_no_json_breaks_a_form(data: dict[str, Any]) -> None:
    for event in ("submit", "validate", "add_row", "remove_row"):
        Billing().dispatch(event, data)


def errors(sent: dict[str, list[str]]) -> Any:
    return Billing().dispatch("submit", Form(sent))["errors"]


def test_typed_values_are_spelled_as_a_form_does() -> None:
    spelled = as_form({"a": None, "b": True, "c": False, "d": 1.5, "e": ["x", 2], "f": [{"g": 1}], "h": {"i": 1}})
    assert spelled == {
        "b": ["on"], "d": ["1.5"], "e": ["x", "2"], "f": ["0"], "f-0-g": ["1"], "h": ['{"i":1}'],
    }  # fmt: skip
