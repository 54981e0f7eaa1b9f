"""Values that handlers, `mount()` and classes ask for by annotation."""

import asyncio
import enum
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType

import msgspec
import pydantic
import pytest
from msgspec.structs import replace

from component_framework import Component, Context, Engine, Limits, Provided, Registry
from component_framework.adapters.jinja import inline_renderer
from component_framework.core.errors import BindingError, ConfigurationError, Invalid, Unauthenticated
from component_framework.core.providing import need_of
from component_framework.core.request import HttpRequest
from component_framework.core.streaming import close
from component_framework.core.wire import Reply


class Ledger:
    """What a session would be: it is open while a call lasts, and knows how the call ended."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = [] if log is None else log
        self.open = True

    def write(self, text: str) -> None:
        assert self.open
        self.log.append(text)


@dataclass
class Settings:
    currency: str = "EUR"


class Visitor:
    is_authenticated = True

    def __init__(self, name: str) -> None:
        self.name = name


class Nobody:
    is_authenticated = False


def engine_for(*classes: type[Component], **options: Any) -> Engine:
    registry = Registry()
    for cls in classes:
        registry.register(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower())(cls)
    return Engine(renderer=inline_renderer(), secret_key="k", registry=registry, **options)


def send(engine: Engine, name: str, event: str, body: str = "", user: Any = None) -> Reply:
    return engine.answer_sync(request(engine, name, event, body, user))


async def asend(engine: Engine, name: str, event: str, body: str = "", user: Any = None) -> Reply:
    return await engine.answer(request(engine, name, event, body, user), asyncio.to_thread)


def request(engine: Engine, name: str, event: str, body: str, user: Any) -> HttpRequest:
    headers = {"content-type": "application/x-www-form-urlencoded", "hx-request": "true"}
    context = engine.context(user=user, request="the request")
    return HttpRequest(
        component=name, headers=headers, query=f"event={event}", body=body.encode(), stream=False, context=context
    )


class Book(Component):
    template = "<div>{{ entries }}</div>"
    entries: int = 0

    def on_enter(self, text: str, ledger: Ledger) -> None:
        ledger.write(text)
        self.entries += 1

    def on_fail(self, ledger: Ledger) -> None:
        ledger.write("before")
        raise RuntimeError("no ink")

    def on_refuse(self, ledger: Ledger) -> None:
        raise Invalid({"text": ["Too long."]})


def test_a_handler_is_given_what_it_asks_for_beside_its_payload() -> None:
    log: list[str] = []
    engine = engine_for(Book, providers={Ledger: lambda: Ledger(log)})
    assert ">1</div>" in str(send(engine, "book", "enter", "text=bread").body)
    assert log == ["bread"]


def test_a_payload_can_never_name_what_is_provided() -> None:
    log: list[str] = []
    engine = engine_for(Book, providers={Ledger: lambda: Ledger(log)})
    assert send(engine, "book", "enter", "text=bread&ledger=mine").status == 422
    assert log == []


def test_an_open_handler_does_not_take_it_from_the_payload_either() -> None:
    class Loose(Component):
        template = "<p></p>"

        def on_take(self, ledger: Ledger, **rest: str) -> None:
            ledger.write("".join(rest))

    log: list[str] = []
    engine = engine_for(Loose, providers={Ledger: lambda: Ledger(log)})
    assert send(engine, "loose", "take", "ledger=mine&a=1").status == 422
    assert send(engine, "loose", "take", "a=1").status == 200
    assert log == ["a"]


def test_a_template_cannot_bind_it() -> None:
    class Bound(Component):
        template = '<p {{ on("take", ledger=1) }}></p>'

        def on_take(self, ledger: Ledger) -> None: ...

    with pytest.raises(BindingError, match="ledger"):
        engine_for(Bound, providers={Ledger: Ledger}).mount("bound")


def test_a_generator_is_closed_after_the_component_was_shown() -> None:
    steps: list[str] = []

    class Shown(Component):
        template = "<p></p>"

        def on_go(self, ledger: Ledger) -> None:
            steps.append("handled")

        def get_context(self) -> dict[str, Any]:
            steps.append("rendered")
            return super().get_context()  # type: ignore[no-any-return]  # get_context() may be async

    def open_ledger(context: Context) -> Iterator[Ledger]:
        steps.append("opened")
        yield Ledger()
        steps.append("closed")

    send(engine_for(Shown, providers={Ledger: open_ledger}), "shown", "go")
    assert steps == ["opened", "handled", "rendered", "closed"]


ENDINGS: list[str] = []


def noting() -> Iterator[Ledger]:
    try:
        yield Ledger()
    except BaseException as exc:
        ENDINGS.append(type(exc).__name__)
        raise
    ENDINGS.append("well")


async def anoting() -> AsyncIterator[Ledger]:
    try:
        yield Ledger()
    except BaseException as exc:
        ENDINGS.append(type(exc).__name__)
        raise
    ENDINGS.append("well")


@pytest.mark.parametrize("provider", [noting, anoting, contextmanager(noting), asynccontextmanager(anoting)])
@pytest.mark.parametrize(
    ("event", "status", "ending"), [("enter", 200, "well"), ("fail", 500, "RuntimeError"), ("refuse", 422, "Invalid")]
)
def test_a_provider_hears_how_the_call_ended(provider: Any, event: str, status: int, ending: str) -> None:
    body = "text=x" if event == "enter" else ""
    engine = engine_for(Book, providers={Ledger: provider})
    ENDINGS.clear()
    assert send(engine, "book", event, body).status == status
    assert [ending] == ENDINGS
    ENDINGS.clear()
    assert asyncio.run(asend(engine, "book", event, body)).status == status
    assert [ending] == ENDINGS


def test_a_provider_that_swallows_an_exception_does_not_make_a_failure_a_success() -> None:
    @contextmanager
    def lenient() -> Iterator[Ledger]:
        try:
            yield Ledger()
        except RuntimeError:
            pass

    assert send(engine_for(Book, providers={Ledger: lenient}), "book", "fail").status == 500


def test_a_context_manager_that_is_returned_is_entered_and_left() -> None:
    class Door(Ledger):
        def __enter__(self) -> "Door":
            self.write("in")
            return self

        def __exit__(self, *exc_info: object) -> None:
            self.log.append("out")
            self.open = False

    log: list[str] = []
    send(engine_for(Book, providers={Ledger: lambda: Door(log)}), "book", "enter", "text=bread")
    assert log == ["in", "bread", "out"]
    send(engine_for(Book, providers={Ledger: lambda: nullcontext(Door(log))}), "book", "enter", "text=milk")
    assert log == ["in", "bread", "out", "milk"]


async def test_an_async_provider_that_waits_serves_a_sync_component_on_an_event_loop() -> None:
    log: list[str] = []

    async def fetch(context: Context) -> Ledger:
        await asyncio.sleep(0)
        return Ledger(log)

    engine = engine_for(Book, providers={Ledger: fetch})
    assert (await asend(engine, "book", "enter", "text=bread")).status == 200
    assert engine.waits("book")
    assert log == ["bread"]


def test_everybody_in_one_call_gets_the_same_value_and_the_next_call_another() -> None:
    given: list[Ledger] = []

    class Twice(Component):
        template = "<p></p>"
        ledger: Annotated[Ledger, Provided()]

        def mount(self, book: Ledger) -> None:
            given.append(book)

        def on_go(self, again: Ledger) -> None:
            given.extend([again, self.ledger])

    engine = engine_for(Twice, providers={Ledger: Ledger})
    send(engine, "twice", "go")
    assert len({id(one) for one in given}) == 1
    send(engine, "twice", "go")
    assert len({id(one) for one in given}) == 2


def test_an_attribute_that_is_provided_is_no_state_and_is_gone_after_the_call() -> None:
    class Holder(Component):
        template = "<p>{{ component.ledger.open }}</p>"
        ledger: Annotated[Ledger, Provided()]
        count: int = 0

    engine = engine_for(Holder, providers={Ledger: Ledger})
    component = engine.component("holder")
    result = component.dispatch()
    assert result["state"] == {"count": 0}
    assert "True" in result["html"]
    assert not hasattr(component, "ledger")


def test_mount_is_given_what_it_asks_for_and_it_is_no_param() -> None:
    class Opened(Component):
        template = "<p>{{ title }}</p>"
        title: str = ""

        def mount(self, ledger: Ledger, title: str = "none") -> None:
            ledger.write(title)
            self.title = title

    log: list[str] = []
    engine = engine_for(Opened, providers={Ledger: lambda: Ledger(log)})
    assert "bread" in engine.mount("opened", title="bread")
    assert log == ["bread"]
    with pytest.raises(BindingError, match="ledger"):
        engine.mount("opened", ledger="mine")


def test_a_type_that_json_could_be_is_provided_where_the_engine_has_a_provider_of_it() -> None:
    class Priced(Component):
        template = '<p {{ on("show") }}>{{ currency }}</p>'
        currency: str = ""

        def on_show(self, settings: Settings) -> None:
            self.currency = settings.currency

    engine = engine_for(Priced, providers={Settings: lambda: Settings("CHF")}, debug=True)
    assert "CHF" in str(send(engine, "priced", "show").body)
    assert send(engine, "priced", "show", "settings={}").status == 422


def test_a_mark_makes_any_type_a_provided_one() -> None:
    class Marked(Component):
        template = "<p>{{ limit }}</p>"
        limit: int = 0

        def on_show(self, limit: Annotated[int, Provided()]) -> None:
            self.limit = limit

    engine = engine_for(Marked, providers={int: lambda: 7})
    assert ">7<" in str(send(engine, "marked", "show").body)
    assert send(engine, "marked", "show", "limit=1").status == 422


def test_the_context_the_user_and_the_request_need_no_provider() -> None:
    class Who(Component):
        template = "<p>{{ name }}</p>"
        name: str = ""

        def on_look(self, where: Context, user: Visitor, request: Annotated[Any, Provided()]) -> None:
            self.name = f"{where.user is user} {user.name} {request}"

    engine = engine_for(Who)
    assert "True Ada the request" in str(send(engine, "who", "look", user=Visitor("Ada")).body)


def test_a_handler_that_asks_for_a_user_is_closed_to_nobody() -> None:
    class Own(Component):
        template = "<p>{{ name }}</p>"
        name: str = ""

        def on_look(self, user: Visitor) -> None:
            self.name = user.name

        def on_glance(self, user: Visitor | None) -> None:
            self.name = "nobody" if user is None else user.name

    engine = engine_for(Own)
    assert send(engine, "own", "look").status == 401
    assert send(engine, "own", "look", user=Nobody()).status == 401
    assert "nobody" in str(send(engine, "own", "glance", user=Nobody()).body)
    with pytest.raises(Unauthenticated):
        engine.component("own").dispatch("look")
    with pytest.raises(ConfigurationError, match="asks for user: Visitor, but the adapter has str"):
        engine.component("own", context=Context(user="Ada")).dispatch("look")


def test_what_nobody_provides_is_said_at_check_and_at_the_first_render() -> None:
    engine = engine_for(Book, providers={Visitor: lambda context: context.user})
    assert engine.check() == [message for message in engine.check() if "Write Engine(providers={Ledger: …})" in message]
    assert engine.check()
    with pytest.raises(ConfigurationError, match=r"Book asks for ledger: Ledger, which no payload can hold"):
        engine.mount("book")


def test_a_component_without_an_engine_says_so_when_the_event_comes() -> None:
    with pytest.raises(ConfigurationError, match="ledger: Ledger"):
        Book().dispatch("enter", {"text": "x"})


def test_a_default_serves_where_nobody_provides() -> None:
    class Spare(Component):
        template = "<p>{{ has }}</p>"
        has: bool = True

        def on_look(self, ledger: Ledger | None = None) -> None:
            self.has = ledger is not None

    assert Spare().dispatch("look")["state"] == {"has": False}


def test_a_test_puts_another_provider_in_place_of_the_real_one() -> None:
    real: list[str] = []
    fake: list[str] = []
    engine = engine_for(Book, providers={Ledger: lambda: Ledger(real)})
    with engine.provide(Ledger, lambda: Ledger(fake)):
        send(engine, "book", "enter", "text=test")
    send(engine, "book", "enter", "text=real")
    assert (fake, real) == (["test"], ["real"])


def test_a_provider_that_cannot_be_called_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="cannot be called"):
        Engine(renderer=inline_renderer(), secret_key="k", providers={Settings: Settings()})  # type: ignore[dict-item]  # what is refused


def test_a_value_stays_open_until_a_stream_ends() -> None:
    class Told(Component):
        template = "<p>{{ lines }}</p>"
        lines: int = 0

        def on_tell(self, ledger: Ledger) -> Iterator[None]:
            for _ in range(2):
                ledger.write("line")
                self.lines += 1
                yield

    ENDINGS.clear()
    engine = engine_for(Told, providers={Ledger: noting})
    assert ">2<" in str(send(engine, "told", "tell").body)
    assert ENDINGS == ["well"]


class Kinds(enum.EnumMeta):
    """As Django's choices have one."""


class Size(enum.StrEnum, metaclass=Kinds):
    SMALL = "small"


class Money(msgspec.Struct):
    cents: int


@pytest.mark.parametrize(
    "kind",
    [int, str | None, Size, list[Size], Money, list[Money], dict[str, int], Settings, Any, Literal["a"], NewType("Id", int)],
)  # fmt: skip
def test_what_json_can_be_is_the_payload_s(kind: Any) -> None:
    assert need_of("x", kind) is None


@pytest.mark.parametrize(
    "kind", [Ledger, Ledger | None, list[Ledger], Context, Annotated[int, Provided], Annotated[str, Provided()]]
)
def test_what_json_cannot_be_is_provided(kind: Any) -> None:
    assert need_of("x", kind) is not None


class Member(pydantic.BaseModel):
    name: str


@dataclass
class Guest:
    name: str = "a guest"


def test_a_schema_that_the_engine_provides_is_no_form() -> None:
    class Club(Component):
        template = "<p>{{ said }}</p>"
        said: str = ""

        def on_enter(self, member: Member) -> None:
            self.said = member.name

        def on_visit(self, guest: Guest, note: str = "") -> None:
            self.said = guest.name + note

    engine = engine_for(Club, providers={Member: lambda: Member(name="Ada"), Guest: Guest})
    assert ">Ada<" in str(send(engine, "club", "enter").body)
    assert send(engine, "club", "enter", "name=Eve").status == 422
    assert send(engine, "club", "enter", "member=Eve").status == 422
    assert ">a guest!<" in str(send(engine, "club", "visit", "note=!").body)
    assert send(engine, "club", "visit", "name=Eve").status == 422


class Endless(Component):
    template = "<p>{{ lines }}</p>"
    lines: int = 0

    async def on_tell(self, ledger: Ledger) -> AsyncIterator[None]:
        while True:
            self.lines += 1
            yield

    async def on_wait(self, ledger: Ledger) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize("provider", [noting, anoting])
async def test_a_value_is_closed_when_the_visitor_leaves_a_stream(provider: Any) -> None:
    engine = engine_for(Endless, providers={Ledger: provider})
    ENDINGS.clear()
    reply = await engine.answer(replace(request(engine, "endless", "tell", "", None), stream=True), asyncio.to_thread)
    assert not isinstance(reply.body, bytes)
    assert b">1<" in await anext(reply.body)
    assert ENDINGS == []
    await close(reply.body)
    assert ENDINGS == ["GeneratorExit"]


@pytest.mark.parametrize("provider", [noting, anoting])
async def test_a_provider_hears_of_a_handler_that_took_too_long(provider: Any) -> None:
    engine = engine_for(Endless, providers={Ledger: provider}, limits=Limits(handler=0.01))
    ENDINGS.clear()
    assert (await asend(engine, "endless", "wait")).status == 504
    assert ENDINGS == ["Timeout"]
