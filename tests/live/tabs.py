"""Pages that are lists, for tests of sessions in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from component_framework import Context, Session
from component_framework.core.live import Live
from component_framework.core.push import Push
from component_framework.core.transport import TransportClosed
from tests.live.site import World


class Tab:
    """A page that can stall, leave, and come back."""

    def __init__(self, live: Live, context: Context | None = None) -> None:
        self.live = live
        self.options: dict[str, Any] = {}
        self.context = context or Context()
        self.frames: list[dict[str, Any]] = []
        self.everything: list[dict[str, Any]] = []
        self.token: str | None = None
        self.seen = 0
        self.closed: int | None = None
        self.room = asyncio.Event()
        self.room.set()
        self._news = asyncio.Event()
        self._out: asyncio.Queue[str | None] = asyncio.Queue()
        self.session: Session | None = None
        self._running: asyncio.Task[None] | None = None

    async def send(self, push: Push, seq: int) -> None:
        await self.room.wait()
        if self.closed is not None:
            raise TransportClosed(self.closed)
        frame = json.loads(push.socket(seq))
        self.token = frame.get("session", self.token)
        self.seen = seq or self.seen
        self.frames.append(frame)
        self.everything.append(frame)
        self._news.set()

    async def recv(self) -> str | bytes:
        text = None if self.closed is not None else await self._out.get()
        if text is None:
            raise TransportClosed(1001)
        return text

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = code if self.closed is None else self.closed
        self._out.put_nowait(None)

    async def come(self) -> Session:
        self.closed = None
        self._out = asyncio.Queue()
        self.session = await self.live.enter(self.context, self.token)
        self._running = asyncio.ensure_future(self.live.run(self.session, self, last=self.seen, **self.options))
        await self.hear("hello")
        return self.session

    async def go(self) -> None:
        self._out.put_nowait(None)
        assert self._running is not None
        await self._running

    def say(self, **message: Any) -> None:
        self._out.put_nowait(json.dumps(message))

    async def hear(self, kind: str) -> dict[str, Any]:
        """Take frames until one of `kind`."""
        while True:
            while self.frames:
                frame = self.frames.pop(0)
                if frame.get("type") == kind or kind in frame:
                    return frame
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)


@asynccontextmanager
async def alive(world: World) -> AsyncIterator[Live]:
    live = world.engine.live()
    yield live
    await live.stop()
