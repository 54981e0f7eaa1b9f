"""Payloads: what a visitor sends becomes what the handler declares, or a message for every field that does not fit."""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework import Component, Invalid
from component_framework.core.errors import ConfigurationError, TooLarge
from component_framework.core.fitting import Form, Shape, shape_of

UserId = NewType("UserId", int)


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Point(msgspec.Struct):
    x: int
    y: int = 0


def shape(kind: Any, default: Any = msgspec.NODEFAULT) -> Shape:
    """The shape of a handler with one parameter, `value`."""

    def on_save(self: Any, value: Any) -> None: ...

    on_save.__annotations__["value"] = kind
    on_save.__defaults__ = None if default is msgspec.NODEFAULT else (default,)
    return shape_of("Sheet", on_save)


def fit(kind: Any, given: Any) -> Any:
    return shape(kind).fit(given)["value"]


def messages(kind: Any, given: Mapping[str, Any]) -> list[str]:
    with pytest.raises(Invalid) as caught:
        shape(kind).fit(given)
    return caught.value.errors["value"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "7", 7), (int, "-7", -7), (float, "1.5", 1.5), (float, ".5", 0.5), (Decimal, "9.90", Decimal("9.90")),
        (str, "", ""), (str, " a ", " a "), (str, "[1]", "[1]"), (str | None, "", None), (int | None, "", None), (int | None, "  ", None),
        (bool, "on", True), (bool, "false", False), (bool, "", False), (bool | None, "", None), (bool | None, "no", False),
        (dt.date, "2026-02-28", dt.date(2026, 2, 28)), (dt.time, "10:30", dt.time(10, 30)), (dt.time, "10:30:15", dt.time(10, 30, 15)),
        (dt.datetime, "2026-02-28T10:30", dt.datetime(2026, 2, 28, 10, 30)), (dt.datetime | None, "", None), (dt.timedelta, "PT1H", dt.timedelta(hours=1)),
        (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
        (Color, "red", Color.RED), (Level, "3", Level.HIGH), (Color | None, "", None), (Literal["a", "b"], "b", "b"), (Literal[1, 2], "2", 2),
        (UserId, "5", 5), (Annotated[int, msgspec.Meta(ge=1)], "1", 1), (Annotated[int | None, "note"], "", None), (Any, "1", "1"),
        (list[int], "1", [1]), (list[int], "[1, 2]", [1, 2]), (list[int] | None, "", None), (list[int], "[]", []), (set[int], "1", {1}),
        (tuple[int, str], '[1, "a"]', (1, "a")), (Point, '{"x": 1}', Point(1)), (dict[str, int], '{"a": 1}', {"a": 1}), (Point | None, "", None),
    ],
)  # fmt: skip
def test_a_form_spells_every_type_as_text(kind: Any, text: str, value: Any) -> None:
    fitted = fit(kind, Form(value=[text]))
    assert fitted == value
    assert type(fitted) is type(value)


def test_values_of_one_name_become_a_list() -> None:
    assert fit(list[int], Form(value=["1", "2"])) == [1, 2]
    assert messages(int, Form(value=["1", "2"])) == ["This field was sent more than once."]
    assert fit(bool, Form(value=["false", "on"])) is True, "a ticked box behind a hidden field that stands for none"


def test_a_box_that_is_not_ticked_is_not_sent() -> None:
    assert fit(bool, Form()) is False
    assert messages(bool, {"other": 1} | {"value": None}) == ["Choose yes or no."]


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (int, "", "This field is required."), (int, "x", "Enter a whole number."), (int, "1.5", "Enter a whole number."), (int, "１", "Enter a whole number."),
        (int, "1_000", "Enter a whole number."), (int, "0x10", "Enter a whole number."), (Decimal, "1e400", "Enter a number."),
        (float, "NaN", "Enter a number."), (float, "-Infinity", "Enter a number."), (float, "1e999", "This number is too large."),
        (Decimal, "sNaN", "Enter a number."), (dt.date, "2026-02-30", "Enter a date."), (dt.date, "tomorrow", "Enter a date."),
        (dt.datetime, "5", "Enter a date and a time."), (dt.datetime, "1767225600", "Enter a date and a time."), (dt.time, "25:00", "Enter a time."),
        (bool, "maybe", "Choose yes or no."), (Color, "RED", "Choose one of the options."), (Literal["a"], "b", "Choose one of the options."),
        (UUID, "1", "This is not a valid identifier."), (Annotated[int, msgspec.Meta(ge=1)], "0", "Must be at least 1."),
        (Annotated[str, msgspec.Meta(min_length=1)], "", "This field is required."), (Point, "x", "This is not filled in as expected."),
        (list[int], "x", "Enter a whole number."), (list[int], "[1", "Enter a whole number."), (Point, '{"x": "', "This is not filled in as expected."),
    ],
)  # fmt: skip
def test_a_visitor_reads_what_to_do(kind: Any, text: str, message: str) -> None:
    assert messages(kind, Form(value=[text])) == [message]


@pytest.mark.parametrize("text", ["9" * 20, "-" + "9" * 20, "9" * 5000, "1" + "0" * 200_000])
def test_a_number_that_no_database_takes_is_told(text: str) -> None:
    assert messages(int, Form(value=[text]))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, True), (int, False), (int, "1"), (int, 1.5), (int, None), (int, [1]), (int, 2**63), (float, "1.5"), (float, True), (str, 1), (str, None),
        (bool, 1), (bool, "on"), (bool, 0), (dt.date, 5), (dt.datetime, 5), (Color, "RED"), (Level, True), (Level, "3"), (list[int], [True]),
        (list[int], {}), (Point, {"x": True}), (Point, {}), (dict[str, int], {"a": True}), (tuple[int, int], [1]), (UserId, "1"), (float, math.inf),
    ],
)  # fmt: skip
def test_json_says_its_types_and_nothing_else_is_read_into_them(kind: Any, value: Any) -> None:
    assert messages(kind, {"value": value})


def test_every_field_that_does_not_fit_is_told_at_once() -> None:
    class Sheet(Component):
        def on_save(self, name: str, age: int, born: dt.date, note: str = "") -> None: ...

    errors = Sheet().dispatch("save", {"age": "x", "born": 5, "note": 1, "evil": 1, "__class__": 1})["errors"]
    assert errors == {
        "name": ["This field is required."],
        "age": ["Enter a whole number."],
        "born": ["Enter a date."],
        "note": ["Enter text."],
        "evil": ["This field is not expected here."],
        "__class__": ["This field is not expected here."],
    }


names = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["self", "__class__", "by", "BY", "by ", "request", "kwargs", "b\u0443"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5
)


@given(
    st.dictionaries(names, anything, max_size=4)
    | st.dictionaries(names, st.lists(st.text(), min_size=1, max_size=3), max_size=4).map(Form)
)
def test_a_handler_gets_its_declared_names_with_their_types_or_does_not_run(payload: Mapping[str, Any]) -> None:
    def on_add(self: Any, by: int = 1, note: str | None = None, size: float = 0.0) -> None: ...

    try:
        fitted = shape_of("Counter", on_add).fit(payload)
    except Invalid as exc:
        told = exc.errors
        assert told
        assert all(texts and all(texts) for texts in told.values())
        return
    assert fitted.keys() == {"by", "note", "size"}
    assert payload.keys() <= fitted.keys()
    assert type(fitted["by"]) is int
    assert isinstance(fitted["note"], str | None)
    assert math.isfinite(fitted["size"])


@given(st.dictionaries(names, st.lists(st.text(), min_size=1, max_size=2), max_size=4).map(Form))
def test_an_open_handler_takes_any_name_but_that_of_its_first_parameter(form: Form) -> None:
    class Sheet(Component):
        def on_save(this, **by: Any) -> None:
            this.state["got"] = by

    form.pop("this", None)
    for name in ("this", "self"):
        assert Sheet().dispatch("save", Form({**form, "self": ["1"]}))["state"]["got"]["self"] == "1"
        result = Sheet().dispatch("save", Form({**form, "this": ["1"], name: ["1"]}))
        assert result["errors"] == {"this": ["This field is not expected here."]}


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 500 + "]" * 500, '{"a":' * 40 + "1" + "}" * 40])
def test_json_in_a_form_is_not_deeper_than_any_other(text: str) -> None:
    with pytest.raises(TooLarge):
        fit(list[Any], Form(value=[text]))


def test_defaults_are_a_fresh_copy_each_time() -> None:
    fields = shape(list[int], [1])
    fields.fit({})["value"].append(2)
    assert fields.fit({}) == {"value": [1]}
    assert fields.fit(Form()) == {"value": [1]}


def test_parameters_that_cannot_be_named_are_the_developers_mistake() -> None:
    def by_place(self: Any, value: int, /) -> None: ...
    def many(self: Any, *values: int) -> None: ...
    def unknown(self: Any, value: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

    for function in (by_place, many):
        with pytest.raises(ConfigurationError, match="cannot be filled by name"):
            shape_of("Sheet", function)
    with pytest.raises(ConfigurationError, match=r"'Nowhere'.*Import it at module level"):
        shape_of("Sheet", unknown)


class Greeting(Component):
    name: str = "nobody"

    def mount(self, polite: bool = False, **options: Any) -> None:
        self.state["options"] = options
        self.state["polite"] = polite


def test_mount_gets_the_params_that_it_does_not_name_but_no_state_field() -> None:
    state = Greeting(polite=True, name="Ada", color="red").dispatch()["state"]
    assert state == {"name": "Ada", "options": {"color": "red"}, "polite": True}
