"""State on its way through the page: what a handler left is what the next one finds, with its types."""

from __future__ import annotations

import datetime as dt
import enum
import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework import Component
from component_framework.core.errors import PayloadError, StateError
from component_framework.core.marked import Markup
from component_framework.core.spec import spec_of

from .served import engine_of

UserId = NewType("UserId", int)


class Color(enum.Enum):
    RED = "red"
    NONE = ""


class Level(enum.IntEnum):
    LOW = 0
    HIGH = 3


class Size(enum.StrEnum):
    SMALL = "s"


class Money(msgspec.Struct, frozen=True):
    amount: Decimal
    currency: str = "EUR"


@dataclass
class Line:
    name: str
    price: Money | None = None
    tags: set[str] = field(default_factory=set)


class Order(msgspec.Struct):
    lines: list[Line]
    placed: dt.datetime
    owner: UUID | None = None
    history: dict[str, list[Money]] = {}


class Tree(msgspec.Struct):
    children: list[Tree] = []


texts = st.text(st.characters(exclude_categories=["Cs"]))
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=2)
floats = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(timezones=st.none() | st.just(dt.UTC) | st.just(dt.timezone(dt.timedelta(hours=5, minutes=30))))
spans = st.timedeltas(dt.timedelta(days=-36500), dt.timedelta(days=36500))
money = st.builds(Money, decimals, texts)
lines = st.builds(Line, texts, st.none() | money, st.sets(texts, max_size=2))
orders = st.builds(
    Order,
    st.lists(lines, max_size=2),
    moments,
    st.none() | st.uuids(),
    st.dictionaries(texts, st.lists(money, max_size=2), max_size=2),
)
trees = st.recursive(st.builds(Tree), lambda inner: st.builds(Tree, st.lists(inner, max_size=2)), max_leaves=4)
json_texts = st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | floats | texts,
                          lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6)  # fmt: skip


class Everything(Component):
    """One field of each supported type; a new one belongs into SAMPLES as well."""

    nothing: None
    flag: bool
    number: int
    ratio: float
    text: str
    price: Decimal
    day: dt.date
    moment: dt.datetime
    clock: dt.time
    span: dt.timedelta
    key: UUID
    data: bytes
    color: Color
    level: Level
    size: Size
    owner: UserId
    choice: Literal["a", "b", 1, None]
    bounded: Annotated[int, msgspec.Meta(ge=0)]
    maybe: int | None
    either: int | str
    instant: dt.date | None
    order: Order
    line: Line
    tree: Tree
    money_or_none: Money | None
    numbers: list[int]
    days: tuple[dt.date, ...]
    pair: tuple[int, Decimal]
    keys: set[UUID]
    frozen: frozenset[Color]
    prices: dict[str, Decimal]
    by_number: dict[int, dt.date]
    by_day: dict[dt.date, list[Money | None]]
    orders: list[Order]
    anything: Any


SAMPLES = {
    "nothing": st.none(), "flag": st.booleans(), "number": st.integers(-(2**63), 2**63 - 1), "ratio": floats, "text": texts, "price": decimals,
    "day": st.dates(), "moment": moments, "clock": st.times(), "span": spans, "key": st.uuids(), "data": st.binary(), "color": st.sampled_from(Color),
    "level": st.sampled_from(Level), "size": st.sampled_from(Size), "owner": st.integers(0, 9), "choice": st.sampled_from(["a", "b", 1, None]),
    "bounded": st.integers(0, 2**40), "maybe": st.none() | st.just(0), "either": st.integers(0, 9) | texts, "instant": st.none() | st.dates(),
    "order": orders, "line": lines, "tree": trees, "money_or_none": st.none() | money, "numbers": st.lists(st.integers(0, 9)),
    "days": st.lists(st.dates(), max_size=3).map(tuple), "pair": st.tuples(st.integers(0, 9), decimals), "keys": st.sets(st.uuids(), max_size=3),
    "frozen": st.frozensets(st.sampled_from(Color)), "prices": st.dictionaries(texts, decimals, max_size=3),
    "by_number": st.dictionaries(st.integers(0, 9), st.dates(), max_size=3),
    "by_day": st.dictionaries(st.dates(), st.lists(st.none() | money, max_size=2), max_size=2), "orders": st.lists(orders, max_size=2),
    "anything": json_texts,
}  # fmt: skip
FALSY: dict[str, Any] = {
    "nothing": None, "flag": False, "number": 0, "ratio": 0.0, "text": "", "price": Decimal(0), "day": dt.date.min, "moment": dt.datetime.min, "clock": dt.time(),
    "span": dt.timedelta(), "key": UUID(int=0), "data": b"", "color": Color.NONE, "level": Level.LOW, "size": Size.SMALL, "owner": UserId(0), "choice": None,
    "bounded": 0, "maybe": None, "either": "", "instant": None, "order": Order([], dt.datetime.min), "line": Line(""), "tree": Tree(), "money_or_none": None,
    "numbers": [], "days": (), "pair": (0, Decimal(0)), "keys": set(), "frozen": frozenset(), "prices": {}, "by_number": {}, "by_day": {}, "orders": [],
    "anything": None,
}  # fmt: skip


def typed(value: Any) -> Any:
    """`value` with the type of everything in it, so that 1, True and 1.0 are three things."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [type(value), *map(typed, value)]
    return type(value), value


def round_trip(values: dict[str, Any], free: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    spec = spec_of(Everything)
    return spec.load(spec.dump(values, free))


def test_every_field_has_a_sample() -> None:
    assert SAMPLES.keys() == FALSY.keys() == set(spec_of(Everything).fields)


@given(
    st.fixed_dictionaries(SAMPLES),
    st.dictionaries(texts.filter(lambda key: key not in SAMPLES), json_texts, max_size=3),
)
def test_every_type_survives_the_round_trip(values: dict[str, Any], free: dict[str, Any]) -> None:
    found, found_free = round_trip(values, free)
    assert typed(found) == typed(values)
    assert typed(found_free) == typed(free)


def test_falsy_values_are_values() -> None:
    assert typed(round_trip(FALSY, {})[0]) == typed(FALSY)


@given(st.fixed_dictionaries(SAMPLES))
def test_a_state_given_as_values_to_dispatch_is_the_state(values: dict[str, Any]) -> None:
    assert typed(Everything().dispatch(state=values)["state"]) == typed(values)


def test_a_state_given_as_json_to_dispatch_is_typed() -> None:
    plain = {"day": "2026-01-02", "color": "red", "line": {"name": "x"}, "free": "2026-01-02"}
    state = Everything().dispatch(state={**msgspec.to_builtins(FALSY), "data": b"", **plain})["state"]
    assert (state["day"], state["color"], state["line"], state["free"]) == (
        dt.date(2026, 1, 2),
        Color.RED,
        Line("x"),
        "2026-01-02",
    )


class Loose(Component):
    ratio: float | None = None
    ratios: list[float | None] = []
    strict: float = 0.0
    anything: Any = None
    mapping: dict[str, Any] = {}
    bare: list = []  # type: ignore[type-arg]  # as many write it

    def on_set(self, name: str) -> None:
        self.state[name] = VALUES[name]


VALUES: dict[str, Any] = {
    "ratio": math.nan, "ratios": [1.0, math.inf], "strict": math.nan, "anything": dt.date(2026, 1, 1), "mapping": {"a": [Decimal(1)]}, "bare": [{1, 2}],
    "undeclared": UUID(int=1), "huge": 10**5000, "half": "\ud800", "deep": [[]],
}  # fmt: skip
for _ in range(50):
    VALUES["deep"] = [VALUES["deep"]]


@pytest.mark.parametrize("name", VALUES)
def test_what_would_come_back_as_something_else_does_not_leave(name: str) -> None:
    component = Loose()
    component.dispatch("set", {"name": name})
    with pytest.raises((StateError, PayloadError), match="Loose"):
        spec_of(Loose).dump(component._fields(), component._free)


class Label(Component):
    template = "<p>{text}</p>"
    text: str = ""
    lines: list[str] = []

    def on_write(self, name: str) -> None:
        safe = Markup("<b>bold</b>")
        setattr(self, name, safe if name == "text" else [safe])


@pytest.mark.parametrize("name", ["text", "lines"])
def test_text_that_is_marked_as_safe_is_refused_by_the_name_of_its_field_with_what_to_do(name: str) -> None:
    label = engine_of(Label).component("label")
    with pytest.raises(StateError, match=rf'Label\.{name} does not fit .* plain text by ""\.join\(str\(text\)\)'):
        label.dispatch("write", {"name": name})


def test_a_required_field_that_mount_forgets_is_named_with_what_to_do() -> None:
    class Forgetful(Component):
        order: int

        def mount(self) -> None: ...

    with pytest.raises(
        StateError,
        match=r"Forgetful\.order has no value after mount\(\)\. Give it a default, set it in mount\(\), or pass it",
    ):
        spec_of(Forgetful).dump(Forgetful()._fields(), {})


def test_a_state_is_read_as_declared_or_not_at_all() -> None:
    spec = spec_of(Loose)
    for data in (
        b"{}x",
        b"[]",
        b'{"ratio": "x"}',
        b'{"evil": 1}',
        b'{"__free__": []}',
        b"\xff",
        b"cos\nsystem\n(S'true'\ntR.",
    ):
        with pytest.raises(StateError):
            spec.load(data)
