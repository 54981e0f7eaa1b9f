"""Messages: a visitor never reads what msgspec says to a developer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from component_framework.core.messages import explain

BOUNDS = [
    (msgspec.Meta(ge=3), 1, "Must be at least 3."), (msgspec.Meta(gt=3), 3, "Must be more than 3."), (msgspec.Meta(le=3), 4, "Must be at most 3."),
    (msgspec.Meta(lt=3), 3, "Must be less than 3."),
]  # fmt: skip
LENGTHS = [
    (msgspec.Meta(min_length=2), "a", "Must be at least 2 long."), (msgspec.Meta(max_length=2), "abc", "Must be at most 2 long."),
    (msgspec.Meta(min_length=1), "", "This field is required."), (msgspec.Meta(pattern="^a+$"), "b", "This does not have the expected form."),
]  # fmt: skip


def reason(value: Any, kind: Any) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind, strict=False)
    return str(caught.value)


@pytest.mark.parametrize(("meta", "value", "message"), BOUNDS)
def test_a_number_out_of_bounds_hears_the_bound(meta: msgspec.Meta, value: int, message: str) -> None:
    assert explain(reason(float(value), Annotated[float, meta])).replace(".0.", ".") == message


@pytest.mark.parametrize(("meta", "value", "message"), LENGTHS)
def test_a_text_out_of_bounds_hears_the_bound(meta: msgspec.Meta, value: str, message: str) -> None:
    assert explain(reason(value, Annotated[str, meta])) == message


KINDS: list[Any] = [
    int,
    float,
    bool,
    str,
    Decimal,
    dt.date,
    dt.datetime,
    dt.time,
    dt.timedelta,
    UUID,
    list[int],
    dict[str, int],
    Literal["a"],
    int | None,
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(
    "value", [object(), [[1]], {"a": "x"}, "x", None, b"\xff"], ids=lambda value: type(value).__name__
)
def test_no_message_names_a_python_type_or_a_path(kind: Any, value: Any) -> None:
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as exc:
        message = explain(str(exc))
        assert message.endswith(".")
        assert not {"`", "$", "Expected", "got", "object"} & set(message.replace("`", " ` ").split())


def test_whatever_is_not_known_has_a_message_too() -> None:
    assert explain("Object missing required field `x` - at `$[0]`") == "This value is not valid."
