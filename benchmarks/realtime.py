"""Sockets against a bare Starlette WebSocket endpoint on the same server: an event, a publish to a thousand pages, an idle page."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from component_framework import Component, Engine, Limits, Registry
from component_framework.adapters.jinja import JinjaRenderer

from . import subject

PAGES = 1000
EVENTS = 2000

registry = Registry()
registry.register("async")(subject.Async)


@registry.register("board")
class Board(Component):
    """The same for everybody."""

    template = "<section><b>{{ total }}</b></section>"
    topics = ("board",)
    shared = True
    blocking = False

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "total": 42}


def app() -> Any:
    """Ours and theirs, with addresses that measure from the inside."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    from component_framework.adapters.starlette import component_routes

    limits = Limits(sessions=2 * PAGES, sessions_per_address=2 * PAGES, messages=1e9, heartbeat=3600)
    engine = Engine(renderer=JinjaRenderer(), secret_key="benchmark", registry=registry, limits=limits)
    sockets: set[WebSocket] = set()
    frame = json.dumps({"seq": 1, "content": engine.mount("board")})

    async def bare(socket: WebSocket) -> None:
        await socket.accept()
        sockets.add(socket)
        try:
            while True:
                event = json.loads(await socket.receive_text())
                await socket.send_text(subject.increment(subject.restore(event["state"]), int(event["by"])))
        except WebSocketDisconnect:
            sockets.discard(socket)

    async def publish_bare(request: Request) -> JSONResponse:
        begun = time.process_time()
        for socket in sockets:
            await socket.send_text(frame)
        return JSONResponse(time.process_time() - begun)

    async def publish_ours(request: Request) -> JSONResponse:
        sessions = list(engine.sessions)
        seen = [session.seq for session in sessions]
        begun = time.process_time()
        await engine.publish("board")
        while not all(_written(session, before) for session, before in zip(sessions, seen, strict=True)):  # noqa: ASYNC110  # an event would cost what is to be measured
            await asyncio.sleep(0.002)
        return JSONResponse(time.process_time() - begun)

    async def memory(request: Request) -> JSONResponse:
        gc.collect()
        return JSONResponse(_resident())

    async def page(request: Request) -> JSONResponse:
        return JSONResponse(str(engine.mount(request.path_params["name"])))

    return Starlette(
        routes=[
            *component_routes(engine), WebSocketRoute("/bare", bare), Route("/publish-bare", publish_bare),
            Route("/publish-ours", publish_ours), Route("/memory", memory), Route("/page/{name}", page),
        ]
    )  # fmt: skip


def _resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _written(session: Any, before: int) -> bool:
    """Whether all that was pushed since `before` has been handed to the server."""
    connection = session._connection
    return connection is None or (session.seq > before and connection.cursor == session.seq)


class Place:
    """The application, as its clients see it."""

    def __init__(self, port: int) -> None:
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self.address = f"ws://127.0.0.1:{port}"

    async def get(self, path: str) -> Any:
        return (await self.http.get(path)).json()

    async def open(self, path: str) -> ClientConnection:
        return await connect(self.address + path, compression=None, ping_interval=None, max_size=None)

    async def shown(self, name: str) -> list[str]:
        """What a page says of a component that it shows: name, id, token, digest."""
        markup = await self.get(f"/page/{name}")
        found = [re.search(f' {attribute}="([^"]*)"', markup) for attribute in ("id", "data-state", "data-digest")]
        return [name, *(each[1] if each else "" for each in found)]


async def events(port: int, rounds: int) -> list[float]:
    """Time per event over the socket, over that of the bare endpoint."""
    place = Place(port)
    name, id, token, _ = await place.shown("async")
    ratios = []
    mine, theirs = await place.open("/components/ws"), await place.open("/bare")
    await mine.recv()
    for number in range(rounds + 1):
        ours = await _ping_pong(
            mine,
            lambda n, number=number: {
                "type": "event", "n": number * EVENTS + n + 1, "component": name, "query": "event=increment", "body": "by=5",
                "state": token, "id": id,
            },
        )  # fmt: skip
        hand = subject.hand_token()
        ratios.append(ours / await _ping_pong(theirs, lambda n, hand=hand: {"state": hand, "by": "5"}))
    await mine.close()
    await theirs.close()
    return ratios[1:]


async def _ping_pong(socket: ClientConnection, message: Any) -> float:
    begun = time.perf_counter()
    for n in range(EVENTS):
        await socket.send(json.dumps(message(n)))
        answer = await socket.recv()
        assert "Count: 5" in str(answer)
    return time.perf_counter() - begun


async def pages(ours: int, bare: int, rounds: int) -> tuple[list[float], list[float]]:
    """A publish to a thousand pages, and the memory of one, over those of bare sockets; on two fresh servers."""
    mine, theirs = Place(ours), Place(bare)
    board = await mine.shown("board")
    memory_mine = await _fill(mine, "/components/ws", {"type": "join", "components": [board]})
    memory_theirs = await _fill(theirs, "/bare", None)
    ratios = []
    for _ in range(rounds + 1):
        await asyncio.sleep(0.2)
        ratios.append(await mine.get("/publish-ours") / await theirs.get("/publish-bare"))
    return ratios[1:], [memory_mine / memory_theirs]


async def _fill(place: Place, path: str, join: dict[str, Any] | None) -> float:
    """Open PAGES connections, and read what they get; gives the server's growth in bytes."""
    before = await place.get("/memory")
    for _ in range(PAGES):
        socket = await place.open(path)
        if join is not None:
            await socket.recv()
            await socket.send(json.dumps(join))
        _reading.append(asyncio.ensure_future(_read(socket)))
    await asyncio.sleep(1)
    after = await place.get("/memory")
    return float(after - before)


_reading: list[asyncio.Future[None]] = []


async def _read(socket: ClientConnection) -> None:
    async for _ in socket:
        pass
