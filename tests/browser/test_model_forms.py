"""Forms of rows in real browsers: two visitors, one row; and a generated form of every kind of field."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from msgspec import Meta
from playwright.sync_api import Page
from sqlalchemy import ForeignKey, Numeric, StaticPool, String, Text, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from component_framework import Email, Engine, FormComponent, Input, LongText, Password, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.sqlalchemy import ModelComponent
from component_framework.adapters.starlette import component_routes, request_context
from examples.shared.site import CSP, SHARED
from tests.browser.conftest import Driver, Tab
from tests.servers import uvicorn_thread

from .test_forms import errors, fill, focus, settled, value, violations


class Base(DeclarativeBase):
    pass


class Status(enum.Enum):
    NEW = "new"
    PAID = "paid"


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

    def __str__(self) -> str:
        return self.name


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(10), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    status: Mapped[Status] = mapped_column(default=Status.NEW)
    note: Mapped[str] = mapped_column(Text, default="")
    placed: Mapped[datetime.date | None]
    total: Mapped[Decimal] = mapped_column(Numeric(10, 2), default=Decimal("9.50"))
    gift: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)


database = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
rows = sessionmaker(database)
registry = Registry()


@registry.register("order")
class OrderEditor(ModelComponent):
    model = Order
    fields = ("number", "customer_id", "status", "note", "placed", "total", "gift")
    version_field = "version"
    topics: ClassVar[Sequence[str]] = ("order:{pk}",)
    template = "<section class=card>{{ form }}</section>"


@registry.register("deaf")
class DeafEditor(OrderEditor):
    """Does not hear of what others save."""

    topics = ()


class Line(msgspec.Struct):
    what: str
    kind: Annotated[Literal["a", "b"], Input(type="radio")] = "a"


class Everything(msgspec.Struct):
    """A field of every kind that a form can ask for."""

    text: Annotated[str, Meta(max_length=9), Input(help="A help text.", placeholder="Like this", autocomplete="name")]
    email: Email
    password: Password
    lines: Annotated[list[Line], Meta(min_length=1)]
    web: Annotated[str, Input(type="url")] = ""
    phone: Annotated[str, Input(type="tel")] = ""
    search: Annotated[str, Input(type="search")] = ""
    colour: Annotated[str, Input(type="color")] = "#aa0000"
    number: Annotated[int, Meta(ge=1, le=9)] = 1
    volume: Annotated[int, Meta(ge=0, le=10), Input(type="range")] = 3
    price: Annotated[Decimal, Input(comma=True)] = Decimal("1.5")
    day: Annotated[datetime.date | None, Input(min=datetime.date(2026, 1, 1))] = None
    moment: Annotated[datetime.datetime | None, Input(zone="Europe/Amsterdam")] = None
    hour: datetime.time | None = None
    month: Annotated[str, Input(type="month")] = ""
    week: Annotated[str, Input(type="week")] = ""
    hidden: Annotated[str, Input(type="hidden")] = "x"
    about: LongText = ""
    status: Status = Status.NEW
    several: Annotated[list[Literal["a", "b", "c"]], Input(type="select-multiple")] = []
    boxes: Annotated[list[Literal["a", "b", "c"]], Input(help="As many as you like.")] = []
    radio: Annotated[Literal["a", "b"], Input(type="radio", help="One of them.")] = "a"
    box: Annotated[bool, Input(required=True, help="Tick it.")] = False


@registry.register("everything")
class EverythingForm(FormComponent):
    schema = Everything
    template = "<section class=card>{{ form }}<p id=got>{{ got }}</p></section>"
    got: str = ""

    def initial(self) -> Any:
        return {"lines": [{"what": ""}]}

    def on_submit(self, form: Everything) -> None:
        self.got = f"{form.several} {form.boxes} {form.radio} {form.price} {form.moment} {form.volume} {form.hidden}"


def build() -> Starlette:
    engine = Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry, providers={Session: rows})

    def page(request: Request) -> Response:  # in a worker thread, since the session is sync
        context = request_context(engine, request)
        params = {"pk": 1} if request.path_params["name"] != "everything" else {}
        markup = engine.mount(request.path_params["name"], context=context, **params)
        links = "".join(f'<link rel="stylesheet" href="/shared/{name}.css">' for name in ("app", "forms"))
        meta = '<meta name="viewport" content="width=device-width">'
        head = f'<!doctype html><html lang="en"><title>A form</title>{meta}{links}{engine.scripts(None, context)}'
        body = f"<body><main><h1>A form</h1>{markup}</main></body></html>"
        return HTMLResponse(head + body, headers={"Content-Security-Policy": CSP})

    async def icon(request: Request) -> Response:
        return Response(status_code=204)

    own = [Route("/page/{name}", page), Route("/favicon.ico", icon), Mount("/shared", StaticFiles(directory=SHARED))]
    return Starlette(routes=[*component_routes(engine), *own])


@pytest.fixture
def address() -> Iterator[str]:
    Base.metadata.drop_all(database)
    Base.metadata.create_all(database)
    with rows.begin() as session:
        session.add_all([Customer(name="Grace"), Customer(name="Hal")])
        session.add_all([Order(number=number, customer_id=1) for number in ("A-1", "A-2")])
    with uvicorn_thread(build()) as address:
        yield address


def visit(tab: Tab, address: str, name: str) -> None:
    tab.expected = ["422", "409"]
    tab(lambda page: page.set_default_timeout(10_000))
    tab(lambda page: page.goto(f"{address}/page/{name}"))


def save(tab: Tab) -> None:
    """Send the form, and wait for its answer: the check of the field that is left by that comes before it."""

    def send(page: Page) -> None:
        with page.expect_response(lambda answer: "event=validate" not in answer.url):
            page.click(".cf-submit")

    settled(tab)
    tab(send)
    settled(tab)


def stored() -> Order:
    with rows() as session:
        return session.get_one(Order, 1)


def test_two_visitors_of_one_row_see_both_values_and_overwrite_nothing(driver: Driver, address: str) -> None:
    mine, theirs = Tab(driver), Tab(driver)
    for tab in (mine, theirs):
        visit(tab, address, "order")
        settled(tab)
    fill(theirs, number="B-1")
    fill(mine, number="C-1", note="two\nlines")
    save(theirs)
    theirs(lambda page: page.wait_for_function("() => document.querySelector('[name=number]').defaultValue === 'B-1'"))
    assert stored().number == "B-1"
    # what the other visitor typed stays while the page learns of the change
    mine(lambda page: page.wait_for_function("() => document.querySelector('[name=number]').defaultValue === 'B-1'"))
    assert value(mine, "note") == "two\nlines"
    for tab in (mine, theirs):
        assert tab.unexpected() == []
        driver.run(tab.page.close)


def test_a_late_save_is_answered_with_both_values(tab: Tab, address: str) -> None:
    visit(tab, address, "deaf")
    with rows.begin() as session:
        order = session.get_one(Order, 1)
        order.number, order.version = "B-1", 2
    fill(tab, number="C-1", total="7.00")
    save(tab)
    tab(lambda page: page.wait_for_selector("text=In the meantime this became: B-1"))
    focus(tab, "number")
    assert (value(tab, "number"), value(tab, "total"), stored().number) == ("C-1", "7.00", "B-1")
    save(tab)
    tab(lambda page: page.wait_for_selector(".cf-errors p", state="detached"))
    assert (stored().number, stored().total) == ("C-1", Decimal("7.00"))


def test_what_is_wrong_with_a_row_is_shown_and_mended(tab: Tab, address: str) -> None:
    visit(tab, address, "order")
    fill(tab, number="A-2")
    tab(lambda page: page.select_option("[name=customer_id]", label="Hal"))
    tab(lambda page: page.check("[name=gift]"))
    save(tab)
    errors(tab, "This is taken already.")
    focus(tab, "number")
    assert tab(lambda page: page.is_checked("[name=gift]"))
    fill(tab, number="A-3", placed="2026-03-04")
    save(tab)
    errors(tab)
    order = stored()
    assert (order.number, order.customer_id, order.gift, order.placed) == ("A-3", 2, True, datetime.date(2026, 3, 4))
    tab(lambda page: page.uncheck("[name=gift]"))
    save(tab)
    settled(tab)
    tab(lambda page: page.wait_for_function("() => !document.querySelector('[name=gift]').hasAttribute('checked')"))
    assert not stored().gift


def test_a_form_of_every_kind_of_field_is_filled_in(tab: Tab, address: str) -> None:
    visit(tab, address, "everything")
    save(tab)
    focus(tab, "text")
    fill(
        tab, text="Ada", email="a@b.nl", password="x", price="2,5", moment="2026-07-02T10:30", **{"lines-0-what": "Pen"}
    )
    tab(lambda page: page.select_option("[name=several]", ["a", "c"]))
    for box in ("[name=boxes][value=b]", "[name=boxes][value=c]", "[name=radio][value=b]", "[name=box]"):
        tab(lambda page, box=box: page.check(box))
    save(tab)
    tab(lambda page: page.wait_for_function("() => document.querySelector('#got').textContent"))
    got = tab(lambda page: page.text_content("#got"))
    assert got == "['a', 'c'] ['b', 'c'] b 2.5 2026-07-02 10:30:00+02:00 3 x"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["everything", "order"])
def test_axe_finds_nothing_wrong_with_it(driver: Driver, address: str, name: str, scheme: Any, width: int) -> None:
    size = {"width": width, "height": 900}
    tab = Tab(driver, bypass_csp=True, color_scheme=scheme, viewport=size)  # axe comes past the policy
    visit(tab, address, name)
    assert violations(tab) == []
    if name == "order":
        fill(tab, total="")
    save(tab)
    tab(lambda page: page.wait_for_selector("[aria-invalid]"))
    assert violations(tab) == []
    assert tab(lambda page: page.evaluate("document.documentElement.scrollWidth")) <= width
    tab.shoot(f"form-{name}-{scheme}-{width}")
    driver.run(tab.page.close)
