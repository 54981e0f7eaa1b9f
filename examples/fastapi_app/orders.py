"""Orders on a real database: SQLAlchemy 2, async, on a SQLite file; seeded with a thousand of them."""

from __future__ import annotations

import datetime
import enum
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import ForeignKey, Numeric, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    contains_eager,
    mapped_column,
    relationship,
)

from examples.shared import basket
from examples.shared.view import View

PAGE = 20


class Base(DeclarativeBase):
    pass


class Status(enum.StrEnum):
    NEW = "new"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    city: Mapped[str]


class Order(Base):
    __tablename__ = "order"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    customer: Mapped[Customer] = relationship()
    placed: Mapped[datetime.date]
    status: Mapped[Status]
    total: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    note: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.id", cascade="all, delete-orphan")


class OrderLine(Base):
    __tablename__ = "order_line"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    product: Mapped[str]
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))


@dataclass(frozen=True)
class Page:
    """One page of a search, with how many orders it found in all."""

    orders: Sequence[Order]
    found: int
    number: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.found // PAGE))


SORTS = {"number": Order.number, "customer": Customer.name, "placed": Order.placed, "total": Order.total}


class Orders:
    """The orders in one database file; `begin()` makes and seeds it."""

    def __init__(self, path: str | Path) -> None:
        self.engine: AsyncEngine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        self.session: async_sessionmaker[AsyncSession] = async_sessionmaker(self.engine, expire_on_commit=False)

    async def begin(self) -> None:
        """Make the tables, and a thousand orders if there are none."""
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with self.session.begin() as session:
            if not await session.scalar(select(func.count()).select_from(Order)):
                session.add_all(seed())

    async def end(self) -> None:
        """Close the connections."""
        await self.engine.dispose()

    async def find(self, view: View) -> Page:
        """One page of the orders whose number, customer or note contains the words; the last one, if there are fewer."""
        pattern = "%" + view.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        texts = (Order.number, Customer.name, Order.note)
        matches = or_(*(text.ilike(pattern, escape="\\") for text in texts))
        column = SORTS[view.sort]
        async with self.session() as session:
            found = await session.scalar(select(func.count(Order.id)).join(Order.customer).where(matches)) or 0
            number = min(view.page, Page([], found, 1).last)
            rows = await session.scalars(
                select(Order).join(Order.customer).options(contains_eager(Order.customer)).where(matches)
                .order_by(column.desc() if view.descending else column, Order.id)
                .offset((number - 1) * PAGE).limit(PAGE)
            )  # fmt: skip
            return Page(rows.all(), found, number)


FIRST_NAMES = ("Ada", "Ben", "Cora", "Dev", "Elif", "Finn", "Grete", "Hugo")
LAST_NAMES = ("Berg", "Costa", "Diaz", "Evans", "Fox")
CITIES = ("Lisbon", "Oslo", "Graz", "Cork", "Ghent")
NOTES = ("", "", "", "Ring twice", "Gift wrapping", "Deliver to the neighbour", "Invoice by mail")


def seed(count: int = 1000) -> list[Order]:
    """The same orders every time."""
    chance, tastes = random.Random(4), random.Random(5)
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    customers = [Customer(name=name, city=chance.choice(CITIES)) for name in names]
    return [_order(f"A-{10000 + index}", customers, chance, tastes) for index in range(count)]


def _order(number: str, customers: list[Customer], chance: random.Random, tastes: random.Random) -> Order:
    order = Order(
        number=number,
        customer=chance.choice(customers),
        placed=datetime.date(2026, 1, 1) + datetime.timedelta(days=chance.randrange(320)),
        status=chance.choice(list(Status)),
    )
    purchases = basket.fill(Decimal(chance.randrange(500, 90000)) / 100, tastes)
    order.lines = [OrderLine(product=one.product, quantity=one.quantity, price=one.price) for one in purchases]
    order.total = sum((one.cost for one in purchases), Decimal())
    order.note = chance.choice(NOTES)
    return order
