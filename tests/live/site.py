"""A site whose pages hear of each other: a shared list in memory, a room, calls both ways; over a stream or a socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from component_framework import (
    BrowserError,
    Component,
    Engine,
    Limits,
    MemoryStateStore,
    Mounted,
    Registry,
    Session,
    StreamingComponent,
    call,
    outcome,
)
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.starlette import component_routes, request_context

CSP = "default-src 'self'"


class Point(msgspec.Struct):
    x: int
    y: int = 0


class World:
    """What the components of one application show, and the application itself."""

    def __init__(self, **options: Any) -> None:
        self.registry = Registry()
        self.stock: dict[int, int] = {1: 10, 2: 20}
        self.shown = 0
        self.heard: list[tuple[str, Any]] = []
        self.go_on = asyncio.Event()
        """Lets the work of reports come to its end."""
        self.working = 0
        self.gone = threading.Event()
        """A tab has left."""
        given: dict[str, Any] = {"limits": Limits(grace=0.5, heartbeat=0.5), "store": MemoryStateStore()} | options
        self.engine = Engine(
            renderer=JinjaRenderer("."), secret_key="k" * 32, registry=self.registry, **given
        )  # fmt: skip
        _components(self)
        _listeners(self)

    def routes(self) -> list[BaseRoute]:
        return [*component_routes(self.engine), Route("/page/{names}", self.page), Route("/favicon.ico", _no_icon)]

    async def page(self, request: Request) -> Response:
        functions = self.engine.page_functions(request_context(self.engine, request))
        parts = []
        for name in request.path_params["names"].split(","):
            name, _, pk = name.partition(":")
            context = request_context(self.engine, request)
            parts.append(await self.engine.async_mount(name, context=context, **({"pk": int(pk)} if pk else {})))
        markup = f"<!doctype html><html lang=en><head>{functions['component_scripts']()}</head><body>{''.join(parts)}</body></html>"
        return HTMLResponse(markup, headers={"Content-Security-Policy": CSP})

    def app(self) -> Starlette:
        return Starlette(routes=self.routes())


async def _no_icon(request: Request) -> Response:
    return Response(status_code=204)


def _components(world: World) -> None:
    register = world.registry.register

    @register("stock")
    class Stock(Component):
        """State in the page: it is told to ask for itself."""

        template = """<section><b>{{ amount }}</b> <i>{{ clicks }}</i> <input name="note" id="note-{{ pk }}">
<button {{ on("take") }}>Take</button> <button {{ on("count") }}>Count</button></section>"""
        topics = ("stock:{pk}",)
        pk: int
        clicks: int = 0

        def get_context(self) -> dict[str, Any]:
            return {**super().get_context(), "amount": world.stock[self.pk]}

        async def on_take(self) -> None:
            world.stock[self.pk] -= 1
            await world.engine.publish(f"stock:{self.pk}")

        def on_count(self) -> None:
            self.clicks += 1

        @call
        def total(self, prices: list[int]) -> int:
            return world.stock[self.pk] * sum(prices)

        @call(mutates=True)
        def reset(self) -> int:
            before, self.clicks = self.clicks, 0
            return before

    @register("stored")
    class Stored(Stock):
        """State on the server: it is rendered there, and pushed."""

        lives_in = "store"
        blocking = False

    @register("board")
    class Board(Component):
        """The same for everybody."""

        template = "<section><b>{{ total }}</b></section>"
        topics = ("stock:1", "stock:2")
        shared = True

        def get_context(self) -> dict[str, Any]:
            world.shown += 1
            return {**super().get_context(), "total": sum(world.stock.values())}

    @register("plain")
    class Plain(Component):
        template = """<section><b>{{ n }}</b> <button {{ on("add") }}>Add</button> <button id="slow" {{ on("slow") }}>Slow</button>
<form {{ on("greet") }}><input name="name"><p>{{ errors.name|join }}</p><button>Greet</button></form></section>"""
        n: int = 0
        greeted: str = ""

        async def on_add(self) -> None:
            await asyncio.sleep(0.02)
            self.n += 1
            self.emit("added", n=self.n)

        def on_greet(self, name: int) -> None:
            self.greeted = str(name)

        async def on_slow(self) -> AsyncIterator[None]:
            for _ in range(3):
                self.n += 100
                yield

    @register("guests")
    class Guests(Component):
        template = "<ul>{% for guest in guests %}<li>{{ guest.name }}</li>{% endfor %}</ul>"
        topics = ("presence:room",)

        def get_context(self) -> dict[str, Any]:
            return {**super().get_context(), "guests": list(self.engine.members("room").values())}

    async def counted(year: int) -> int:
        world.working += 1
        try:
            await asyncio.wait_for(world.go_on.wait(), 20)
            if year < 0:
                raise RuntimeError("no such year")
            return 2 * year
        finally:
            world.working -= 1

    @register("report")
    class Report(Component):
        """Begins work that goes on when the event is over."""

        template = """<section><b>{{ total }}</b><em>{{ trouble }}</em><button {{ on("make", year=7) }}>Make</button>
<button {{ on("make", year=-1) }}>Fail</button><button {{ on("break_off") }}>Break</button></section>"""
        total: int = 0
        trouble: str = ""

        async def on_make(self, year: int) -> None:
            self.trouble = "working"
            self.start(counted(year), done="counted", failed="failed")

        async def on_break_off(self) -> None:
            self.start(counted(1), done="counted", failed="failed")
            raise RuntimeError("on purpose")

        @outcome
        def on_counted(self, total: int) -> None:
            self.total, self.trouble = total, ""

        @outcome
        def on_failed(self, error: str) -> None:
            self.trouble = error

    @register("sync_report")
    class SyncReport(Component):
        """The same, where nothing of the class is async."""

        template = """<section><b>{{ total }}</b><button {{ on("make", year=7) }}>Make</button></section>"""
        total: int = 0

        def on_make(self, year: int) -> None:
            self.start(counted(year), done="counted", failed="failed")

        @outcome
        def on_counted(self, total: int) -> None:
            self.total = total

        @outcome
        def on_failed(self, error: str) -> None: ...

    @register("stored_report")
    class StoredReport(Report):
        lives_in = "store"

    @register("ticker")
    class Ticker(StreamingComponent):
        template = "<section>{{ n }}</section>"
        n: int = 0


def _listeners(world: World) -> None:
    engine = world.engine

    @engine.on("start")
    def start() -> None:
        world.heard.append(("start", None))

    @engine.on("stop")
    async def stop() -> None:
        world.heard.append(("stop", None))

    @engine.on("connect")
    async def connect(session: Session) -> None:
        world.heard.append(("connect", session.id))

    @engine.on("disconnect")
    def disconnect(session: Session) -> None:
        world.heard.append(("disconnect", session.id))
        world.gone.set()

    @engine.on("say")
    async def say(session: Session, text: str, room: str = "room") -> None:
        world.heard.append(("say", text))
        await engine.broadcast("said", group=room, exclude=session, text=text)

    @engine.on("enter")
    async def enter(session: Session, room: str = "room") -> None:
        await session.join(room)
        session.send("entered", room=room)

    @engine.on("leave")
    def leave(session: Session, room: str = "room") -> None:
        session.leave(room)

    @engine.on("drive")
    async def drive(session: Session, target: str, event: str, data: dict[str, Any]) -> None:
        try:
            outcome: Any = await session.component(target).call(event, timeout=5, **data)
        except BrowserError as exc:
            outcome = str(exc)
        session.send("driven", outcome=outcome)

    @engine.on("point")
    async def point(session: Session, at: Mounted) -> None:
        session.send("pointed", at=at, all=[at])

    @engine.on("where")
    async def where(session: Session) -> None:
        world.heard.append(("where", await session.call("position", returns=Point, timeout=5, precise=True)))
        session.emit("found", ok=True)
