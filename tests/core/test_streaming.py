"""Streams: every step in one context, and an end that the handler always hears of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from component_framework import Component
from component_framework.core import shutdown
from component_framework.core.asgi import send_reply
from component_framework.core.lifecycle import iter_sync
from component_framework.core.streaming import live_body
from component_framework.core.wire import Reply

from .served import Page, engine_of

NAME = ContextVar("NAME", default="nobody")
heard: list[str] = []


async def offload(function: Callable[..., Any], *args: Any) -> Any:
    """Each call in another thread, with the context variables of the caller, as frameworks do it."""
    return await asyncio.to_thread(function, *args)


class Threaded(Component):
    template = "<p>{seen}</p>"
    seen: str = ""

    def on_run(self) -> Iterator[None]:
        token = NAME.set("ada")
        try:
            for _ in range(3):
                self.seen += f"{NAME.get()} "
                yield
        finally:
            NAME.reset(token)
            heard.append(NAME.get())


class Mixed(Component):
    """Has an async handler, so that the engine runs it on the loop and its sync generator in threads."""

    template = "<p>{seen}</p>"
    seen: str = ""
    on_run = Threaded.on_run

    async def on_other(self) -> None: ...


class Async(Component):
    template = "<p>{seen}</p>"
    seen: str = ""

    async def on_run(self) -> AsyncIterator[None]:
        NAME.set("ada")
        try:
            for _ in range(3):
                self.seen += f"{NAME.get()} "
                yield
        finally:
            heard.append(NAME.get())


engine = engine_of(Threaded, Mixed, Async)


async def stream(name: str) -> Reply:
    heard.clear()
    request = Page(engine, name).request("run", {}, accept="text/event-stream")
    return await engine.answer(request, offload)


def body(reply: Reply) -> AsyncIterator[bytes]:
    assert not isinstance(reply.body, bytes), reply.body
    return live_body(reply.body, asyncio.get_running_loop().create_future())


@pytest.mark.parametrize("name", ["threaded", "mixed", "async"])
async def test_what_a_step_sets_in_a_context_variable_the_next_one_finds(name: str) -> None:
    token = NAME.set("grace")
    chunks = [chunk async for chunk in body(await stream(name))]
    assert b">ada ada ada </p>" in chunks[-1]
    assert heard == ["ada" if name == "async" else "grace"]
    NAME.reset(token)


async def test_a_handler_on_the_loop_may_reset_what_it_set() -> None:
    class Resetting(Component):
        template = "<p></p>"

        async def on_run(self) -> AsyncIterator[None]:
            yield
            token = NAME.set("ada")
            yield
            NAME.reset(token)

    served = engine_of(Resetting)
    reply = await served.answer(Page(served, "resetting").request("run", {}, accept="text/event-stream"))
    assert b"component:done" in b"".join([chunk async for chunk in body(reply)])


@pytest.mark.parametrize("name", ["threaded", "mixed", "async"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
async def test_the_handlers_finally_runs_whenever_the_visitor_leaves(name: str, steps: int) -> None:
    chunks: Any = body(await stream(name))
    for _ in range(steps):
        await anext(chunks)
    await chunks.aclose()
    assert len(heard) == 1


@pytest.mark.parametrize("name", ["threaded", "mixed", "async"])
async def test_a_visitor_who_left_before_the_first_chunk_is_heard_of_too(name: str) -> None:
    async def send(message: object) -> None:
        raise ConnectionResetError

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(ConnectionResetError):
        await send_reply(await stream(name), receive, send)
    assert len(heard) == 1


@pytest.mark.parametrize("read", [0, 1, 2])
def test_without_an_event_loop_closing_reaches_the_handler_too(read: int) -> None:
    heard.clear()
    reply = engine.answer_sync(Page(engine, "threaded").request("run", {}, accept="text/event-stream"))
    assert not isinstance(reply.body, bytes)
    chunks = iter_sync(reply.body)
    for _ in range(read):
        next(chunks)
    chunks.close()
    assert len(heard) == 1


async def test_a_handler_that_waits_is_cancelled_when_the_visitor_leaves() -> None:
    waiting = asyncio.Event()

    class Waiting(Component):
        template = "<p></p>"

        async def on_run(self) -> AsyncIterator[None]:
            try:
                yield
                waiting.set()
                await asyncio.Event().wait()
            finally:
                heard.append("left")

    served = engine_of(Waiting)
    heard.clear()
    reply = await served.answer(Page(served, "waiting").request("run", {}, accept="text/event-stream"))
    chunks: Any = body(reply)
    await anext(chunks)
    reader = asyncio.ensure_future(anext(chunks))
    await waiting.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await chunks.aclose()
    assert heard == ["left"]


async def test_silence_is_filled_with_heartbeats_and_the_servers_end_is_the_streams() -> None:
    stop = asyncio.get_running_loop().create_future()
    ended: list[str] = []

    async def silent() -> AsyncIterator[bytes]:
        try:
            await asyncio.Event().wait()
            yield b"never"
        finally:
            ended.append("closed")

    chunks = live_body(silent(), stop, ping=0.001)
    assert await anext(chunks) == b"event: ping\ndata: \n\n"
    assert await anext(chunks) == b"event: ping\ndata: \n\n"
    stop.set_result(None)
    assert [chunk async for chunk in chunks] == []
    assert ended == ["closed"]


async def test_frames_that_are_ready_at_once_let_others_run() -> None:
    async def ready() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x"

    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    stop = asyncio.get_running_loop().create_future()
    assert len([chunk async for chunk in live_body(ready(), stop)]) == 100
    task.cancel()
    assert turns >= 100


async def two() -> AsyncIterator[bytes]:
    yield b"1"
    yield b"2"


async def test_a_stream_that_has_ended_is_not_waited_for_when_the_process_stops() -> None:
    before = len(shutdown._streams)
    assert [chunk async for chunk in live_body(two(), shutdown.stopping())] == [b"1", b"2"]
    left = live_body(two(), shutdown.stopping())
    await anext(left)
    await left.aclose()
    await asyncio.sleep(0)  # a future's callbacks run in the loop's next round
    assert len(shutdown._streams) == before


async def test_a_stream_ends_when_the_process_stops() -> None:
    stop = shutdown.stopping()
    body = live_body(two(), stop)
    assert await anext(body) == b"1"
    shutdown.stop()
    await stop
    assert [chunk async for chunk in body] == []
