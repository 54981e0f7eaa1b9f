"""A server that gives up on a request, at any step of it: what was begun is ended, nothing is half done, the next event works."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from component_framework import Component, Engine, MemoryStateStore, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.asgi import offload
from component_framework.core.store import Record
from component_framework.core.wire import Call
from tests.core.test_stored_state import token

registry = Registry()
open_now: Counter[str] = Counter()
"""What was begun and has not come to its end."""


@contextmanager
def begun(what: str) -> Iterator[None]:
    open_now[what] += 1
    try:
        yield
    finally:
        open_now[what] -= 1


class Connection:
    """As a database session is."""


async def connection() -> AsyncIterator[Connection]:
    with begun("provider"):
        await asyncio.sleep(0)
        yield Connection()
        await asyncio.sleep(0)


class Work(Component):
    template = "<p>{{ count }}</p>"
    lives_in = "store"
    count: int = 0

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[None]:
        with begun("unit"):
            await asyncio.sleep(0)
            yield
            await asyncio.sleep(0)


@registry.register("async_work")
class AsyncWork(Work):
    async def on_add(self, db: Connection) -> None:
        with begun("handler"):
            await asyncio.sleep(0)
            self.count += 1
            await asyncio.sleep(0)


@registry.register("threaded_work")
class ThreadedWork(Work):
    """A sync handler of a class that has an async one: it runs in a worker thread."""

    def on_add(self, db: Connection) -> None:
        with begun("handler"):
            self.count += 1

    async def on_wait(self) -> None: ...


@registry.register("stream_work")
class StreamWork(Work):
    async def on_add(self, db: Connection) -> AsyncIterator[None]:
        with begun("handler"):
            self.count += 1
            yield
            await asyncio.sleep(0)
            yield


class Waiting(MemoryStateStore):
    """A store that takes its time, as one behind a network does."""

    async def load(self, key: str) -> Record | None:
        await asyncio.sleep(0)
        return await super().load(key)

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        await asyncio.sleep(0)
        saved = await super().save(key, data, expected=expected)
        await asyncio.sleep(0)
        return saved


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", registry)
async def test_a_request_that_is_cancelled_at_any_step_leaves_nothing_open_and_the_next_one_works(
    name: str, stream: bool
) -> None:
    served = Engine(
        renderer=JinjaRenderer(), secret_key="k", registry=registry, store=Waiting(), providers={Connection: connection}
    )
    state = token(await served.async_mount(name))
    before = asyncio.all_tasks()
    for step in range(60):
        call = Call(component=name, event="add", state=state, stream=stream, event_id=f"event-{step}")
        task = asyncio.create_task(whole(served, call))
        for _ in range(step):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert +open_now == Counter(), step
        again = await whole(served, call)  # the same event, as a browser sends it that has heard nothing
        assert b"component:error" not in again
        assert f">{step + 1}</p>".encode() in again, step
    assert asyncio.all_tasks() == before


async def whole(served: Engine, call: Call) -> bytes:
    """The answer to `call`, to its end."""
    reply: Any = await served.handle(call, offload)
    if isinstance(reply.body, bytes):
        assert reply.status == 200, reply.body
        return reply.body
    try:
        return b"".join([chunk async for chunk in reply.body])
    finally:
        await reply.body.aclose()
