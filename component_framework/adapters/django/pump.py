"""The frames of an async component under WSGI, where the server asks for one chunk after the other and has no loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from asgiref.sync import ThreadSensitiveContext
from django.db import connections

from ...core.engine import Engine
from ...core.host import Offload
from ...core.request import HttpRequest
from ...core.shutdown import stopping
from ...core.streaming import close, live_body
from ...core.wire import Reply


class Pump:
    """Iterates over a reply's frames on an event loop of its own, which runs while the server waits for a chunk.

    Its sync parts, and Django's async ORM, run in one worker thread of its own; the database connections that they
    open end with it. The server, or Django for a body that nobody iterates over, calls `close()`.
    """

    def __init__(self, engine: Engine, asked: HttpRequest, offload: Offload) -> None:
        self._runner = asyncio.Runner()
        self._thread = AsyncExitStack()
        self._offload = offload
        self._frames: AsyncGenerator[bytes, None] | None = None
        self.reply: Reply = self._runner.run(self._begin(engine, asked))
        if self._frames is None:
            self.close()

    async def _begin(self, engine: Engine, asked: HttpRequest) -> Reply:
        await self._thread.enter_async_context(ThreadSensitiveContext())
        reply = await engine.answer(asked, self._offload)
        if not isinstance(reply.body, bytes):
            self._frames = live_body(reply.body, stopping())
        return reply

    def __iter__(self) -> Pump:
        return self

    def __next__(self) -> bytes:
        chunk = self._runner.run(self._step())
        if not chunk:
            raise StopIteration
        return chunk

    async def _step(self) -> bytes:
        assert self._frames is not None  # else the reply is not a stream
        return await anext(self._frames, b"")

    def close(self) -> None:
        """Close the handler, its thread and its loop."""
        with self._runner:
            self._runner.run(self._end())

    async def _end(self) -> None:
        if self._frames is not None and not isinstance(self.reply.body, bytes):
            await self._frames.aclose()
            await close(self.reply.body)  # frames that nobody began to read did not
        await self._offload(connections.close_all)
        await self._thread.aclose()
