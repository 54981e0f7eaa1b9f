"""The FastAPI example's orders, in a real SQLite file."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from component_framework import Engine, NotFound, Registry
from component_framework.core.request import HttpRequest
from examples.fastapi_app.components import OrderRow
from examples.fastapi_app.orders import PAGE, Order, Orders, Status, seed
from examples.shared.site import renderer
from examples.shared.view import Sort, View


@pytest.fixture(scope="module")
async def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the thousand orders, made once."""
    path = tmp_path_factory.mktemp("orders") / "orders.sqlite3"
    orders = Orders(path)
    await orders.begin()
    await orders.end()
    return path


@pytest.fixture
async def orders(seeded: Path, tmp_path: Path) -> AsyncIterator[Orders]:
    """A copy of it, for one test to change."""
    orders = Orders(shutil.copy(seeded, tmp_path / "orders.sqlite3"))
    yield orders
    await orders.end()


async def find(
    orders: Orders, words: str = "", sort: Sort = "number", *, descending: bool = False, page: int = 1
) -> list[Order]:
    return list((await orders.find(View(words, sort, descending, page))).orders)


def test_the_thousand_orders_are_the_same_every_time() -> None:
    def facts() -> list[tuple[str, str, Decimal, Status, str]]:
        return [(order.number, order.customer.name, order.total, order.status, order.note) for order in seed()]

    assert facts() == facts()
    assert len({number for number, *_ in facts()}) == 1000


async def test_a_database_is_seeded_once(orders: Orders) -> None:
    await orders.begin()
    assert (await orders.find(View())).found == 1000


async def test_an_order_costs_what_its_lines_cost(orders: Orders) -> None:
    for pk in (1, 500, 1000):
        async with orders.session() as session:
            order = await session.get(Order, pk, options=[joinedload(Order.customer), selectinload(Order.lines)])
        assert order is not None
        assert order.total == sum(line.quantity * line.price for line in order.lines) > 0
        assert 1 <= len(order.lines) <= 4
        assert order.customer.name


async def test_a_search_looks_at_number_customer_and_note(orders: Orders) -> None:
    assert [order.number for order in await find(orders, "a-10042")] == ["A-10042"]
    assert {order.customer.name for order in await find(orders, "ada fox")} == {"Ada Fox"}
    assert {order.note for order in await find(orders, "RING")} == {"Ring twice"}
    assert await find(orders, "no such order") == []


@pytest.mark.parametrize("words", ["%", "_", "\\", "' OR 1=1 --"])
async def test_what_means_something_to_a_database_is_only_text_in_a_search(orders: Orders, words: str) -> None:
    assert await find(orders, words) == []


@pytest.mark.parametrize("sort", ["number", "placed", "total"])
async def test_a_column_sorts_both_ways(orders: Orders, sort: Sort) -> None:
    up = [getattr(order, sort) for order in await find(orders, sort=sort)]
    down = [getattr(order, sort) for order in await find(orders, sort=sort, descending=True)]
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    assert up[0] < down[0]


async def test_every_order_is_on_exactly_one_page(orders: Orders) -> None:
    pages = range(1, 1000 // PAGE + 1)
    seen = [order.id for page in pages for order in await find(orders, sort="customer", page=page)]
    assert sorted(seen) == list(range(1, 1001))
    beyond = await orders.find(View(page=len(pages) + 1))
    assert (beyond.number, beyond.last) == (len(pages), len(pages))


async def test_money_is_kept_to_the_cent(orders: Orders) -> None:
    async with orders.session() as session:
        order = await session.get(Order, 1)
        assert order is not None
        order.total = Decimal("12345678.91")
        await session.commit()
        assert await session.scalar(select(func.count()).where(Order.total == Decimal("12345678.91"))) == 1


class Row:
    """An order's row on a page, as each of its steps on the server makes it."""

    def __init__(self, orders: Orders) -> None:
        registry = Registry()
        registry.register("order_row")(OrderRow)
        self.engine = Engine(
            renderer=renderer,
            secret_key="k",
            registry=registry,
            providers={AsyncSession: orders.session},
        )
        self.html = ""
        self.status = 200

    async def show(self, pk: int) -> Row:
        self.html = await self.engine.async_mount("order_row", pk=pk)
        return self

    async def send(self, event: str, **payload: str) -> Row:
        state = re.search('data-state="([^"]+)"', self.html)
        assert state
        body = msgspec.json.encode({"event": event, "payload": payload, "state": state[1]})
        headers = {"content-type": "application/json"}
        reply = await self.engine.answer(HttpRequest(component="order_row", headers=headers, query="", body=body))
        assert isinstance(reply.body, bytes)
        self.status, self.html = reply.status, msgspec.json.decode(reply.body).get("html", "")
        return self


async def test_what_was_saved_in_a_row_is_there_when_the_file_is_opened_again(orders: Orders, tmp_path: Path) -> None:
    row = await Row(orders).show(1)
    await row.send("edit")
    await row.send("save", status="shipped", note="Left at the door")
    assert "Left at the door" in row.html
    again = Orders(tmp_path / "orders.sqlite3")
    async with again.session() as session:
        order = await session.get_one(Order, 1)
    await again.end()
    assert (order.status, order.note, order.version) == (Status.SHIPPED, "Left at the door", 2)


async def test_a_row_that_is_saved_on_top_of_somebody_elses_change_shows_both(orders: Orders) -> None:
    mine, theirs = await Row(orders).show(7), await Row(orders).show(7)
    await mine.send("edit")
    await theirs.send("save", status="paid", note="first")
    await mine.send("save", status="paid", note="second")
    assert mine.status == 409
    assert 'value="second"' in mine.html
    assert "In the meantime this became: first" in mine.html
    async with orders.session() as session:
        order = await session.get_one(Order, 7)
    assert (order.status, order.note, order.version) == (Status.PAID, "first", 2)


async def test_a_row_of_an_order_that_is_not_there_is_not_shown(orders: Orders) -> None:
    with pytest.raises(NotFound):
        await Row(orders).show(5000)
