"""The FastAPI example's orders, in a real SQLite file."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from examples.fastapi_app.orders import PAGE, Order, Orders, Status, seed


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
    orders: Orders, words: str = "", sort: str = "number", *, descending: bool = False, page: int = 1
) -> list[Order]:
    return list((await orders.find(words, sort, descending=descending, page=page)).orders)


def test_the_thousand_orders_are_the_same_every_time() -> None:
    def facts() -> list[tuple[str, str, Decimal, Status, str]]:
        return [(order.number, order.customer.name, order.total, order.status, order.note) for order in seed()]

    assert facts() == facts()
    assert len({number for number, *_ in facts()}) == 1000


async def test_a_database_is_seeded_once(orders: Orders) -> None:
    await orders.begin()
    assert (await orders.find("", "number", descending=False, page=1)).found == 1000


async def test_what_was_saved_is_there_when_the_file_is_opened_again(orders: Orders, tmp_path: Path) -> None:
    assert await orders.save(1, 1, status=Status.SHIPPED, note="Left at the door")
    again = Orders(tmp_path / "orders.sqlite3")
    await again.begin()
    order = await again.get(1)
    await again.end()
    assert order is not None
    assert (order.status, order.note, order.version) == (Status.SHIPPED, "Left at the door", 2)


async def test_an_order_costs_what_its_lines_cost(orders: Orders) -> None:
    for pk in (1, 500, 1000):
        order = await orders.get(pk)
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
async def test_a_column_sorts_both_ways(orders: Orders, sort: str) -> None:
    up = [getattr(order, sort) for order in await find(orders, sort=sort)]
    down = [getattr(order, sort) for order in await find(orders, sort=sort, descending=True)]
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    assert up[0] < down[0]


async def test_every_order_is_on_exactly_one_page(orders: Orders) -> None:
    pages = range(1, 1000 // PAGE + 1)
    seen = [order.id for page in pages for order in await find(orders, sort="customer", page=page)]
    assert sorted(seen) == list(range(1, 1001))
    assert await find(orders, page=len(pages) + 1) == []


async def test_a_save_on_top_of_somebody_elses_changes_nothing(orders: Orders) -> None:
    assert await orders.save(7, 1, status=Status.PAID, note="first")
    assert not await orders.save(7, 1, status=Status.CANCELLED, note="second")
    order = await orders.get(7)
    assert order is not None
    assert (order.status, order.note, order.version) == (Status.PAID, "first", 2)


async def test_an_order_that_is_not_there_is_neither_given_nor_saved(orders: Orders) -> None:
    assert await orders.get(5000) is None
    assert not await orders.save(5000, 1, status=Status.PAID, note="")


async def test_money_is_kept_to_the_cent(orders: Orders) -> None:
    async with orders.session() as session:
        order = await session.get(Order, 1)
        assert order is not None
        order.total = Decimal("12345678.91")
        await session.commit()
        assert await session.scalar(select(func.count()).where(Order.total == Decimal("12345678.91"))) == 1
