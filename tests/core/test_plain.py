"""Plain data: JSON in and out without loss."""

from __future__ import annotations

import enum
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework.core.errors import Malformed, PayloadError, TooLarge
from component_framework.core.plain import decode_json, require_json


class Size(enum.StrEnum):
    SMALL = "s"


class Level(enum.IntEnum):
    HIGH = 3


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([Size.SMALL, Level.HIGH])
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
def test_what_is_accepted_comes_back_equal_and_everything_else_is_refused(value: Any) -> None:
    try:
        require_json(value)
    except PayloadError:
        return
    assert msgspec.json.decode(msgspec.json.encode(value)) == value


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_without_a_form_in_json_is_named_with_its_path(number: float) -> None:
    with pytest.raises(PayloadError, match=r"^\$\.rows\[1\]\.price: "):
        require_json({"rows": [{}, {"price": number}]})


@pytest.mark.parametrize("depth", [9, 1_000, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}"), ("[", "")])
def test_deep_nesting_is_refused_before_it_is_read(depth: int, begin: str, end: str) -> None:
    inner = "1" if begin != "[" else ""
    with pytest.raises(TooLarge):
        decode_json((begin * depth + inner + end * depth).encode(), max_depth=8)


def test_brackets_inside_of_text_are_no_nesting() -> None:
    assert decode_json(b'{"a": "[[[[[[[[[[\\"[[[[{{{{{{{{{"}', max_depth=1) == {"a": '[[[[[[[[[["[[[[{{{{{{{{{'}
    assert decode_json(b"[[],[],[],[]]", max_depth=2) == [[], [], [], []]


@pytest.mark.parametrize(
    "data", [b"{", b"NaN", b"[Infinity]", b"{'a': 1}", b"\xff", b'"\xff"', b'"\\ud800"', b"1 2", b"", b"\xef\xbb\xbf{}"]
)
def test_what_is_not_json_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode_json(data, max_depth=8)
