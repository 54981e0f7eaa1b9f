"""The components of the conformance suite: one module, served unchanged by every host.

It imports nothing that a host brings along (`test_components_import.py` holds that), and branches on no platform.
"""

import enum
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec

from component_framework import (
    Bound,
    Component,
    FormComponent,
    Input,
    Limit,
    Password,
    Provided,
    Registry,
    StreamingComponent,
    Upload,
    WizardComponent,
    requires,
)
from component_framework.core.errors import Invalid
from component_framework.core.lifecycle import run_sync
from component_framework.core.model import ModelComponent

from . import shelf

registry = Registry()
earlier = Registry()
"""Some of the same components as an earlier release had them: what wrote the tokens of pages that are still open."""


@registry.register("counter")
class Counter(Component):
    """The specification's counter, as it is written there."""

    template_name = "counter"

    def mount(self) -> None:
        self.state["count"] = 0

    def on_increment(self) -> None:
        self.state["count"] += 1


@registry.register("tally")
class Tally(Component):
    """A counter with a typed field, whose handler takes an argument."""

    template_name = "tally.html"
    count: int = 0
    note: str | None = None

    def on_add(self, by: int = 1) -> None:
        self.count += by

    def on_clear(self) -> None:
        self.count = 0

    def on_remark(self, note: str | None) -> None:
        self.note = note


class Drawer:
    """What is provided for one call, and open while it lasts."""

    open_now: ClassVar[int] = 0

    @classmethod
    def lend(cls) -> Iterator["Drawer"]:
        """The provider."""
        cls.open_now += 1
        try:
            yield cls()
        finally:
            cls.open_now -= 1


@registry.register("till")
class Till(Component):
    """Asks for what no payload may name: a provided value, and the visitor."""

    template = "<p>{{ said }}</p>"
    said: str = ""

    def on_take(self, amount: int, drawer: Drawer, user: Annotated[Any, Provided()]) -> None:
        self.said = f"{user.name} takes {amount} of {drawer.open_now}"

    def on_count(self, drawer: Drawer) -> Iterator[None]:
        for step in (1, 2):
            self.said = f"{step} of {drawer.open_now}"
            yield

    def on_spoil(self, drawer: Drawer) -> None:
        raise RuntimeError("canary")


@registry.register("async_tally")
class AsyncTally(Component):
    """The same with a handler that is a coroutine; nothing in it waits."""

    template_name = "tally.html"
    count: int = 0
    note: str | None = None

    async def on_add(self, by: int = 1) -> None:
        self.count += by

    async def on_clear(self) -> None:
        self.count = 0

    def on_remark(self, note: str | None) -> None:
        self.note = note


@registry.register("countdown")
class Countdown(StreamingComponent):
    """A generator handler: three frames, an effect with the second, and two ways to fail on the way."""

    template_name = "countdown.html"
    left: int = 0

    def on_start(self, count: int = 2) -> Iterator[None]:
        for left in range(count, 0, -1):
            self.left = left
            if left == 1:
                self.emit("almost", left=left)
            yield
        self.left = 0

    def on_break(self) -> Iterator[None]:
        self.left = 7
        yield
        raise RuntimeError("canary-8f31: broke on the way")

    def on_refuse(self) -> Iterator[None]:
        raise Invalid({"count": ["Not today."]})
        yield

    def on_jump(self) -> None:
        self.left = 100


@registry.register("async_countdown")
class AsyncCountdown(StreamingComponent):
    """An async generator handler."""

    template_name = "countdown.html"
    left: int = 0

    async def on_start(self, count: int = 2) -> AsyncIterator[None]:
        for left in range(count, 0, -1):
            self.left = left
            yield
        self.left = 0

    async def on_break(self) -> AsyncIterator[None]:
        self.left = 7
        yield
        raise RuntimeError("canary-8f31: broke on the way")

    def on_jump(self) -> None:
        self.left = 100


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Line(msgspec.Struct):
    """A part of a state: a struct with types of its own."""

    sku: str
    price: Decimal
    due: date | None = None


@registry.register("sheet")
class Sheet(Component):
    """One field of every type that a state may have; the template shows what came back, with its type."""

    template_name = "sheet.html"
    nothing: str | None = None
    empty: str = ""
    zero: int = 0
    no: bool = False
    ratio: float = 0.0
    text: str = "a"
    day: date = date(2024, 2, 29)
    moment: datetime = datetime(2024, 2, 29, 12, 30, 15)
    price: Decimal = Decimal("0.10")
    colour: Colour = Colour.RED
    key: UUID = UUID(int=7)
    line: Line = Line("tea", Decimal("1.50"))
    lines: list[Line] = []
    days: list[date] = []
    prices: dict[str, Decimal] = {}
    tags: set[str] = set()

    def on_touch(self) -> None:
        """Change nothing: everything has to come back as it was."""

    def on_fill(self) -> None:
        self.day = date(1999, 12, 31)
        self.price = Decimal("12345678901234567890.00")
        self.colour = Colour.BLUE
        self.line = Line("coffee", Decimal("2"), date(2025, 1, 1))
        self.lines = [self.line, Line("milk", Decimal("0"))]
        self.days = [self.day, date(2000, 1, 1)]
        self.prices = {"a": Decimal("0.1"), "": Decimal("2")}
        self.tags = {"x"}
        self.state["free"] = {"list": [1, None, False, "é"]}

    def on_set(
        self,
        day: date,
        moment: datetime,
        price: Decimal,
        colour: Colour,
        key: UUID,
        line: Line,
        days: list[date],
        prices: dict[str, Decimal],
        ratio: float = 0.0,
        no: bool = False,
        nothing: str | None = None,
    ) -> None:
        self.day, self.moment, self.price, self.colour, self.key = day, moment, price, colour, key
        self.line, self.days, self.prices = line, days, prices
        self.ratio, self.no, self.nothing = ratio, no, nothing

    def get_context(self) -> dict[str, Any]:
        values = {name: self.state[name] for name in self.state}
        return {**super().get_context(), "values": [(name, repr(value)) for name, value in values.items()]}


@registry.register("profile")
class Profile(Component):
    """A form: text with bounds, a number, a box, and a rule of the handler's own."""

    template_name = "profile.html"
    name: str = ""
    age: int = 0
    news: bool = False

    def on_save(
        self,
        name: Annotated[str, msgspec.Meta(min_length=1, max_length=20)],
        age: Annotated[int, msgspec.Meta(ge=0)],
        news: bool = False,
    ) -> None:
        self.name, self.age, self.news = name, age, news
        if name == "root":
            raise Invalid({"name": ["This name is taken."]})
        self.emit("saved", name=name)


@registry.register("greeting")
class Greeting(Component):
    """Params: one that a visitor may choose, and one that only the page may give."""

    template_name = "greeting.html"
    public_params = ("name",)
    text: str = ""

    def mount(self, name: str = "you", order: int = 0) -> None:
        self.text = f"Hello {name}, order {order}"

    def on_shout(self) -> None:
        self.text = f"{self.text.upper()} {self.params.get('order')}"


@registry.register("vault")
class Vault(Component):
    """Only for visitors who are logged in, and opened only by its keeper."""

    template_name = "vault.html"
    opened: int = 0

    def authorize(self, event: str | None) -> bool:
        if self.context.is_anonymous:
            return False
        return event is None or self.user.name == "keeper"

    def on_open(self) -> None:
        self.opened += 1


@registry.register("signal")
class Signal(Component):
    """Every effect, one event each."""

    template_name = "signal.html"
    sent: int = 0

    def on_tell(self, text: str) -> None:
        self.sent += 1
        self.emit("told", text=text)

    def on_tell_twice(self) -> None:
        self.emit("first", n=1)
        self.emit("second", n=2)

    def on_push(self, url: str) -> None:
        self.push_url(url)

    def on_replace(self, url: str) -> None:
        self.replace_url(url)

    def on_leave(self, url: str) -> None:
        self.redirect(url)

    def on_leave_site(self) -> None:
        self.redirect("https://example.org/there?a=1", external=True)

    def on_point(self, count: int) -> None:
        self.update("tally", target="elsewhere", count=count)

    def on_aim(self, target: str, count: int) -> None:
        self.update("tally", target=target, count=count)


@registry.register("family")
class Family(Component):
    """A parent that mounts a child for each name, and hears from them."""

    template_name = "family.html"
    names: list[str] = ["ann", "bob"]
    heard: int = 0

    def on_hear(self) -> None:
        self.heard += 1

    def on_adopt(self, name: str) -> None:
        self.names.append(name)

    def on_release(self, name: str) -> None:
        self.names.remove(name)


@registry.register("member")
class Member(Component):
    """A child with a state of its own, which tells its parent when it changes."""

    template_name = "member.html"
    name: str
    votes: int = 0

    def on_vote(self) -> None:
        self.votes += 1
        self.emit("voted", name=self.name)


@registry.register("fragile")
class Fragile(Component):
    """Everything that can go wrong inside of a component."""

    template_name = "fragile.html"
    text: str = "whole"
    cracked: bool = False
    items: list[int] = []

    def on_drop(self) -> None:
        self.text = "broken"
        raise RuntimeError("canary-8f31: dropped")

    def on_crack(self) -> None:
        self.cracked = True

    def on_swell(self, size: int) -> None:
        self.text = "x" * size

    def on_confuse(self) -> None:
        self.items = ["no number"]  # type: ignore[list-item]  # what the framework has to notice

    def on_mistype(self) -> None:
        int("canary-8f31")

    def on_write(self, text: str) -> None:
        self.text = text


@registry.register("account")
class Account(Component):
    """Takes over the state that an earlier release wrote."""

    template_name = "account.html"
    first: str = ""
    last: str = ""

    def on_swap(self) -> None:
        self.first, self.last = self.last, self.first

    @classmethod
    def migrate(cls, state: dict[str, Any], schema: str) -> dict[str, Any] | None:
        first, _, last = state["name"].partition(" ")
        return {"first": first, "last": last}


@earlier.register("account")
class EarlierAccount(Component):
    template = "<div>{{ name }}</div>"
    name: str = "Grace Hopper"


@registry.register("archive")
class Archive(Component):
    """Does not take over anything."""

    template_name = "account.html"
    first: str = "new"
    last: str = ""

    def on_swap(self) -> None:
        self.first, self.last = self.last, self.first


@earlier.register("archive")
class EarlierArchive(Component):
    template = "<div>{{ name }}</div>"
    name: str = "Grace Hopper"


class Temper(enum.Enum):
    CALM = "calm"
    WILD = "wild"


class Item(msgspec.Struct):
    what: str
    amount: Annotated[int, msgspec.Meta(ge=1)] = 1


class Stop(msgspec.Struct):
    city: str


class Guest(msgspec.Struct):
    """A form with most kinds of field, and lines."""

    name: Annotated[str, msgspec.Meta(max_length=20)]
    password: Password
    born: date | None = None
    share: Annotated[Decimal | None, Input(comma=True)] = None
    mood: Annotated[Temper, Input(type="radio")] = Temper.CALM
    terms: Annotated[bool, Input(required=True)] = False
    lines: Annotated[list[Item], msgspec.Meta(max_length=3)] = []


@registry.register("sign_up")
class SignUp(FormComponent):
    """A generated form: what was typed stays, what is wrong is told, and the handler runs with valid values only."""

    schema = Guest
    template_name = "sign_up.html"
    joined: str = ""
    ticks: int = 0

    def on_submit(self, form: Guest) -> None:
        if form.name == "Eve":
            raise Invalid({"name": ["There is an Eve already."]})
        self.joined = f"{form.name} {form.born} {form.share} {form.mood.value} {[line.amount for line in form.lines]}"
        self.reset()

    def on_tick(self) -> None:
        self.ticks += 1


@registry.register("book")
class BookEditor(ModelComponent):
    """A row: its form is made from its columns, and only what is in `fields` can be written."""

    model = shelf.Book
    repository = shelf.Shelf()
    fields = ("title", "pages", "lent")
    readonly = ("price",)
    version_field = "version"
    template_name = "book.html"

    def mount(self, pk: int) -> None:
        shelf.put_back(pk)
        run_sync(self._begin())

    def hydrate(self, state: dict[str, Any]) -> None:
        run_sync(self._restore(state))

    def save(self) -> list[str]:
        return run_sync(self._write())

    def on_others(self, title: str) -> None:
        """What somebody else does to the row in the meantime."""
        row = shelf.ROWS[self.__dict__["pk"]]
        row.title, row.version = title, row.version + 1

    def on_burn(self) -> None:
        del shelf.ROWS[self.__dict__["pk"]]


@registry.register("tour")
class Tour(WizardComponent):
    """Two steps."""

    steps = {"stop": Stop, "person": Guest}
    template_name = "tour.html"
    done: str = ""

    def finish(self, stop: Stop, person: Guest) -> None:
        self.done = f"{stop.city} {person.name}"


@registry.register("filter")
class Filter(Component):
    """Inputs that assign fields, and one that does not."""

    template_name = "filter.html"
    words: Bound[Annotated[str, msgspec.Meta(max_length=8)]] = ""
    page: Bound[int] = 1
    total: int = 7

    def on_show(self) -> None: ...


@registry.register("album")
class Album(Component):
    """Takes files, and says what it got."""

    template = (
        "<div>{% for photo in photos %}<p>{{ photo }}</p>{% endfor %}<b>{{ errors.photos }}{{ errors.photo }}</b></div>"
    )
    photos: list[str] = []

    def on_add(
        self, photos: list[Annotated[Upload, Limit("2 MB", {"image/png", "text/*"}, count=3)]], by: str = ""
    ) -> None:
        self.photos = [
            f"{by}{photo.name}|{photo.size}|{photo.type}|{sum(map(len, photo.chunks()))}" for photo in photos
        ]

    def on_add_one(self, photo: Annotated[Upload, Limit("2 MB")]) -> None:
        self.photos = [photo.name]

    @requires("authenticated")
    def on_add_mine(self, photo: Upload) -> None:
        self.photos = [photo.name]

    def on_fail(self, photo: Upload) -> None:
        raise RuntimeError("a bug")


class Enrolment(msgspec.Struct):
    """A form with files among its fields."""

    name: Annotated[str, msgspec.Meta(max_length=20)]
    photo: Annotated[Upload, Limit("2 MB", {"image/png"})]
    papers: list[Annotated[Upload, Limit("1 MB", {"text/*"}, count=2)]] = []


@registry.register("badge")
class Badge(FormComponent):
    """Takes a form with files; on any component, the same comes by a handler's annotation."""

    schema = Enrolment
    template = "<section>{{ form }}<p>{{ said }}</p></section>"
    said: str = ""

    def on_submit(self, form: Enrolment) -> None:
        if form.name == "Eve":
            raise Invalid({"name": ["There is an Eve already."]})
        papers = [f"{paper.name} {paper.read().decode()}" for paper in form.papers]
        self.said = f"{form.name}: {form.photo.name} {form.photo.size} {form.photo.type} {papers}"
        self.reset()
