"""Components about one row, over SQLAlchemy's sync and async sessions."""

from __future__ import annotations

import asyncio
import datetime
import enum
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import (
    DateTime,
    ForeignKey,
    NullPool,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    column_property,
    mapped_column,
    relationship,
    sessionmaker,
)
from sqlalchemy.types import UserDefinedType

from component_framework import Engine, NotFound, Registry
from component_framework.adapters.jinja import inline_renderer
from component_framework.adapters.sqlalchemy import AsyncModelComponent, ModelComponent
from component_framework.core.errors import ConfigurationError
from component_framework.testing import Page


class Base(DeclarativeBase):
    pass


class Status(enum.StrEnum):
    NEW = "new"
    PAID = "paid"


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    seller: Mapped[str] = mapped_column(default="ada")

    def __str__(self) -> str:
        return self.name


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(10), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    customer: Mapped[Customer] = relationship()
    seller: Mapped[str] = mapped_column(default="ada")
    status: Mapped[Status] = mapped_column(default=Status.NEW)
    note: Mapped[str] = mapped_column(String(20), default="")
    placed: Mapped[datetime.date | None]
    total: Mapped[Decimal] = mapped_column(Numeric(10, 2), default=Decimal())
    version: Mapped[int] = mapped_column(default=1)


class Point(UserDefinedType[Any]):
    """A type that does not say what its values are in Python."""

    cache_ok = True

    def get_col_spec(self, **kwargs: Any) -> str:
        return "TEXT"


class Animal(Base):
    """Has columns of every odd kind, and a subclass with a table of its own."""

    __tablename__ = "animal"
    __table_args__ = (UniqueConstraint("name", "owner"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="animal")
    name: Mapped[str] = mapped_column(String(20), doc="As it is called.", info={"label": "Called"})
    owner: Mapped[str] = mapped_column(default="ada")
    chip: Mapped[str | None] = mapped_column(unique=True)
    size: Mapped[str] = mapped_column(SqlEnum("small", "large"), default="small")
    born: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    about: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[Any] = mapped_column(Point, nullable=True)
    length = column_property(func.length(name))
    __mapper_args__ = {"polymorphic_identity": "animal", "polymorphic_on": "kind"}

    @hybrid_property
    def title(self) -> str:
        return f"{self.name} of {self.owner}"


class Dog(Animal):
    __tablename__ = "dog"
    id: Mapped[int] = mapped_column(ForeignKey("animal.id"), primary_key=True)
    barks: Mapped[bool] = mapped_column(default=True)
    __mapper_args__ = {"polymorphic_identity": "dog"}


class Counted(Base):
    """Has a version that SQLAlchemy counts itself."""

    __tablename__ = "counted"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


TEMPLATE = """<form {{ on("save") }}><b>{{ number }} {{ instance.customer.name }}</b><i>{{ status.value }} {{ note }} {{ total }}</i>
<u>{{ changed_fields|join(" ") }}</u><input name="note" value="{{ note }}"><input name="total" value="{{ total }}">
{% for field, texts in errors.items() %}<p class="{{ field or 'form' }}">{{ texts[0] }}</p>{% endfor %}
{% for field, both in conflicts.items() %}<s class="{{ field }}">{{ both.mine }} / {{ both.theirs }}</s>{% endfor %}</form>"""


class Own:
    """What both editors say of the rows."""

    template: ClassVar[str | None] = TEMPLATE
    model: ClassVar[Any] = Order
    fields: ClassVar[Sequence[str]] = ("status", "note", "placed", "total", "customer_id")
    readonly: ClassVar[Sequence[str]] = ("number",)
    version_field: ClassVar[str | None] = "version"
    select_related: ClassVar[Sequence[str]] = ("customer",)


class SyncEditor(Own, ModelComponent):
    def get_queryset(self) -> Any:
        return super().get_queryset().where(Order.seller == self.user)

    def get_related(self, name: str) -> Any:
        return super().get_related(name).where(Customer.seller == self.user)

    def on_list(self) -> None:
        self.emit("listed", customers=self.choices("customer_id"))

    def on_rename(self, number: str) -> None:
        self.number = number  # a field that is not to be written
        self.save()


class AsyncEditor(Own, AsyncModelComponent):
    def get_queryset(self) -> Any:
        return super().get_queryset().where(Order.seller == self.user)

    def get_related(self, name: str) -> Any:
        return super().get_related(name).where(Customer.seller == self.user)

    async def on_list(self) -> None:
        self.emit("listed", customers=await self.choices("customer_id"))

    async def on_rename(self, number: str) -> None:
        self.number = number  # a field that is not to be written
        await self.save()


class SyncLeaf(ModelComponent):
    template = '<form {{ on("save") }}><input name="text" value="{{ text }}"></form>'
    model = Counted
    fields = ("text",)
    version_field = "version"


class AsyncLeaf(AsyncModelComponent):
    template = SyncLeaf.template
    model = Counted
    fields = ("text",)
    version_field = "version"


class Formed:
    """What both forms say of the rows."""

    template: ClassVar[str | None] = "<div>{{ form }}</div>"
    model: ClassVar[Any] = Order
    fields: ClassVar[Sequence[str]] = ("number", "status", "placed", "total", "customer_id")


class SyncForm(Formed, ModelComponent):
    def get_related(self, name: str) -> Any:
        return super().get_related(name).where(Customer.seller == self.user)


class AsyncForm(Formed, AsyncModelComponent):
    offered = ("customer_id",)

    def get_related(self, name: str) -> Any:
        return super().get_related(name).where(Customer.seller == self.user)


class Kennel:
    """What both say of dogs."""

    template: ClassVar[str | None] = "<div>{{ form }}</div>"
    model: ClassVar[Any] = Dog
    fields: ClassVar[Sequence[str]] = ("name", "owner", "chip", "size", "born", "about", "barks")
    readonly: ClassVar[Sequence[str]] = ("length",)


class SyncKennel(Kennel, ModelComponent):
    pass


class AsyncKennel(Kennel, AsyncModelComponent):
    pass


class AsyncForgetful(Formed, AsyncModelComponent):
    pass


class Publishing(Engine):
    published: ClassVar[list[str]] = []

    async def publish(self, *topics: str) -> None:
        self.published.extend(topics)

    def publish_sync(self, *topics: str) -> None:
        self.published.extend(topics)


@dataclass
class Shop:
    """One database, an engine whose sessions are on it, and the statements that it was sent."""

    engine: Engine
    rows: sessionmaker[Session]
    editor: str
    leaf: str
    statements: list[str] = field(default_factory=list)

    def page(self, name: str = "", user: str = "ada", pk: int = 1) -> Page:
        context = self.engine.context(user=user)
        name = name or self.editor
        if self.engine.waits(name):
            return Page(self.engine, context, asyncio.run(self.engine.async_mount(name, context=context, pk=pk)))
        return Page(self.engine, context, self.engine.mount(name, context=context, pk=pk))

    def order(self) -> Order:
        with self.rows() as session:
            return session.scalars(select(Order)).one()

    def change(self, **values: Any) -> None:
        with self.rows.begin() as session:
            order = session.scalars(select(Order)).one()
            for name, value in values.items():
                setattr(order, name, value)

    def delete(self) -> None:
        with self.rows.begin() as session:
            session.delete(session.scalars(select(Order)).one())


def registry() -> Registry:
    found = Registry()
    for cls in (
        SyncEditor,
        AsyncEditor,
        SyncLeaf,
        AsyncLeaf,
        SyncForm,
        AsyncForm,
        SyncKennel,
        AsyncKennel,
        AsyncForgetful,
    ):
        found.register(cls.__name__.lower())(cls)
    return found


@pytest.fixture(params=["sync", "async"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    plain = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    Base.metadata.create_all(plain)
    rows = sessionmaker(plain, expire_on_commit=False)
    with rows.begin() as session:
        session.add(Order(number="A-1", customer=Customer(name="Grace"), total=Decimal("9.50")))
        session.add(Counted(text="one"))
        born = datetime.datetime(2026, 7, 2, 8, 30)
        session.add_all([Dog(name="Rex", chip="1", born=born), Dog(name="Bello", chip="2")])
    statements: list[str] = []

    @contextmanager
    def sync_session() -> Iterator[Session]:
        with Session(plain) as session:
            yield session

    @asynccontextmanager
    async def async_session() -> AsyncIterator[AsyncSession]:
        async with async_sessionmaker(waiting)() as session:
            yield session

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    # no pool: each of the page's steps runs on an event loop of its own
    waiting = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}", poolclass=NullPool)
    event.listen(plain, "before_cursor_execute", note)
    event.listen(waiting.sync_engine, "before_cursor_execute", note)
    Publishing.published.clear()
    engine = Publishing(
        renderer=inline_renderer(),
        secret_key="k",
        registry=registry(),
        debug=True,
        providers={Session: sync_session, AsyncSession: async_session},
    )
    yield Shop(engine, rows, f"{request.param}editor", f"{request.param}leaf", statements)
    plain.dispose()


def test_a_form_shows_the_row_and_saves_what_is_typed_into_it(shop: Shop) -> None:
    page = shop.page()
    assert page.text("b") == "A-1 Grace"
    page.fill(note="Ring twice", total="12.25").submit("form")
    assert page.status == 200
    assert page.text("i") == "new Ring twice 12.25"
    assert page.text("b") == "A-1 Grace"
    order = shop.order()
    assert (order.note, order.total, order.version) == ("Ring twice", Decimal("12.25"), 2)


def test_an_event_costs_one_query_to_load_and_one_to_save(shop: Shop) -> None:
    page = shop.page().fill(note="Ring twice")
    shop.statements.clear()
    page.submit("form")
    load, save = shop.statements
    assert load.startswith("SELECT")
    assert save == "UPDATE orders SET note=?, version=? WHERE orders.id = ? AND orders.version = ?"


def test_a_save_that_comes_too_late_shows_both_values_and_overwrites_nothing(shop: Shop) -> None:
    page = shop.page()
    shop.change(note="Left at the door", version=2)
    page.fill(note="Ring twice").submit("form")
    assert page.status == 409
    assert page.headers["X-Component-Code"] == "conflict"
    assert page.text("s.note") == "Ring twice / Left at the door"
    assert page.value("[name=note]") == "Ring twice"
    assert shop.order().note == "Left at the door"
    page.submit("form")
    assert page.status == 200
    assert (shop.order().note, shop.order().version) == ("Ring twice", 3)


def test_a_version_that_sqlalchemy_counts_is_held_too(shop: Shop) -> None:
    mine, theirs = shop.page(shop.leaf), shop.page(shop.leaf)
    theirs.fill(text="two").submit("form")
    assert theirs.status == 200
    mine.fill(text="three").submit("form")
    assert mine.status == 409
    with shop.rows() as session:
        assert session.scalars(select(Counted.text)).one() == "two"


def test_a_row_of_somebody_else_and_a_deleted_one_are_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.page(user="eve")
    page = shop.page()
    shop.change(seller="eve")
    page.fill(note="x").submit("form")
    assert page.status == 404
    shop.change(seller="ada")
    shop.delete()
    page.submit("form")
    assert page.status == 404


@pytest.mark.parametrize("name", ["number", "seller", "version", "pk", "id", "session", "customer"])
def test_a_field_that_is_readonly_or_not_shown_cannot_be_written_by_a_browser(shop: Shop, name: str) -> None:
    page = shop.page()
    page.send("save", **{name: "1"})
    assert page.status == 422
    assert shop.order().version == 1


def test_a_handler_that_writes_a_readonly_field_is_a_mistake(shop: Shop) -> None:
    with pytest.raises(ConfigurationError, match="number is read-only"):
        shop.page().send("rename", number="B-1")
    assert shop.order().number == "A-1"


def test_a_key_that_belongs_to_somebody_else_cannot_be_chosen(shop: Shop) -> None:
    with shop.rows.begin() as session:
        session.add_all([Customer(name="Eve's", seller="eve"), Customer(name="Hal")])
    page = shop.page()
    page.send("list")
    assert page.events == [("listed", {"customers": [[1, "Grace"], [3, "Hal"]]})]
    page.send("save", customer_id=2)
    assert page.status == 422
    assert page.text("p.customer_id") == "This cannot be chosen here."
    assert shop.order().customer_id == 1
    page.send("save", customer_id=3)
    assert shop.order().customer_id == 3


def test_text_that_does_not_fit_the_column_is_refused(shop: Shop) -> None:
    page = shop.page()
    page.fill(note="x" * 21).submit("form")
    assert page.status == 422
    assert shop.order().note == ""


def test_the_row_s_topic_is_published_after_the_commit_and_only_then(shop: Shop) -> None:
    page = shop.page()
    page.fill(note="Ring twice").submit("form")
    assert Publishing.published == ["order:1"]
    shop.change(note="again", version=7)
    page.fill(note="late").submit("form")
    assert page.status == 409
    assert len(Publishing.published) == 1


def test_nothing_is_written_where_nothing_changed(shop: Shop) -> None:
    page = shop.page()
    shop.statements.clear()
    page.submit("form")
    assert page.status == 200
    assert [text for text in shop.statements if not text.startswith("SELECT")] == []
    assert shop.order().version == 1


def test_the_members_of_an_enum_are_choices(shop: Shop) -> None:
    component = SyncEditor()
    assert component.choices("status") == [(Status.NEW, "new"), (Status.PAID, "paid")]
    with pytest.raises(ConfigurationError, match="no choices"):
        component.choices("note")


def test_a_misspelt_field_is_an_error_when_the_class_is_made() -> None:
    with pytest.raises(ConfigurationError, match=r"Order has no field 'statsu' \(did you mean 'status'\?\)"):
        type("Misspelt", (ModelComponent,), {"model": Order, "fields": ("statsu",)})


@pytest.mark.parametrize("pk", ["x", "", [1], {"pk": 1}, 1.5, 10**40, -1, "1 OR 1=1"])
def test_a_key_of_another_kind_is_not_found(shop: Shop, pk: Any) -> None:
    with pytest.raises(NotFound):
        shop.page(pk=pk)


def kind(shop: Shop) -> str:
    return shop.editor.removesuffix("editor")


def test_a_row_s_form_is_made_from_its_columns(shop: Shop) -> None:
    with shop.rows.begin() as session:
        session.add(Customer(name="Theirs", seller="eve"))
    page = shop.page(f"{kind(shop)}form")
    assert page.texts("label") == ["Number", "Status *", "Placed", "Total *", "Customer *"]
    assert page.has("[name=number][maxlength='10']")
    assert page.has("[name=total][type=number][step='0.01']")
    assert page.texts("[name=status] option") == ["New", "Paid"]
    assert page.texts("[name=customer_id] option") == ["Grace"]
    page.fill(number="A-2", status="paid", placed="2026-03-04", total="much").submit()
    assert (page.status, page.texts(".cf-errors p")) == (422, ["Enter a number."])
    assert page.value("[name=number]") == "A-2"
    page.fill(total="3.50").submit()
    order = shop.order()
    assert (page.status, order.number, order.status, order.total) == (200, "A-2", Status.PAID, Decimal("3.50"))
    assert order.placed == datetime.date(2026, 3, 4)


def test_the_choices_of_an_async_session_have_to_be_offered(shop: Shop) -> None:
    with pytest.raises(ConfigurationError, match=r"Write offered = \('customer_id',\)"):
        shop.page("asyncforgetful")


def test_columns_of_every_kind_and_of_two_tables_are_shown_and_saved(shop: Shop) -> None:
    page = shop.page(f"{kind(shop)}kennel")
    assert (page.texts("label")[0], page.text(".cf-help")) == ("Called", "As it is called.")
    assert page.texts("[name=size] option") == ["Small", "Large"]
    assert page.value("[name=born]") == "2026-07-02T08:30:00"
    assert page.has("textarea[name=about]")
    page.fill(name="Rexi", size="large", about="Good", born="2026-07-02T09:00").check("[name=barks]", False).submit()
    assert (page.status, page.texts(".cf-errors p")) == (200, [])
    with shop.rows() as session:
        dog = session.get_one(Dog, 1)
        assert (dog.name, dog.size, dog.about, dog.barks, dog.title) == ("Rexi", "large", "Good", False, "Rexi of ada")
        assert dog.born is not None
        assert dog.born.replace(tzinfo=None) == datetime.datetime(2026, 7, 2, 9)


@pytest.mark.parametrize(("field", "value"), [("chip", "2"), ("name", "Bello")])
def test_a_value_that_has_to_be_unique_is_refused_at_its_field(shop: Shop, field: str, value: str) -> None:
    page = shop.page(f"{kind(shop)}kennel").fill(**{field: value}).submit()
    assert page.status == 422
    assert page.text(f"[id$=-{field}-errors]") == "This is taken already."
    assert page.value(f"[name={field}]") == value
    with shop.rows() as session:
        assert (session.get_one(Dog, 1).chip, session.get_one(Dog, 1).name) == ("1", "Rex")
    page.fill(name="Rex", chip="3").submit()
    assert page.status == 200


def test_a_column_whose_type_says_nothing_is_in_nobody_s_way() -> None:
    class Everything(ModelComponent):
        template = "<div>{{ form }}</div>"
        model = Animal
        fields = ("place", "name")

    assert "place" in Everything._columns


def test_a_foreign_key_that_changed_shows_the_row_that_it_points_to_now(shop: Shop) -> None:
    with shop.rows.begin() as session:
        session.add(Customer(name="Hal"))
    page = shop.page()
    page.send("save", customer_id=2)
    assert (page.status, page.text("b")) == (200, "A-1 Hal")
