"""Carries messages between all processes that serve one application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

Deliver = Callable[[str, bytes], None]


class Broker(Protocol):
    """Publishes messages under topics, and delivers those of the topics that a process follows."""

    async def publish(self, topic: str, message: bytes) -> None:
        """Send `message` to every process that follows `topic`, this one too; raises Unavailable."""
        ...

    def publish_sync(self, topic: str, message: bytes) -> None:
        """`publish()` where there is no event loop."""
        ...

    async def listen(self, deliver: Deliver, lost: Callable[[], None]) -> None:
        """Deliver until cancelled; `lost` is called after a gap in which messages may have been missed."""
        ...

    async def follow(self, topic: str) -> None:
        """Begin to deliver `topic` to the listener of this event loop."""
        ...

    async def unfollow(self, topic: str) -> None:
        """Deliver `topic` no more."""
        ...


class MemoryBroker:
    """Within one process, across its event loops and threads."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.AbstractEventLoop, tuple[Deliver, set[str]]] = {}
        self._wanted: dict[asyncio.AbstractEventLoop, set[str]] = {}

    async def publish(self, topic: str, message: bytes) -> None:
        self.publish_sync(topic, message)

    def publish_sync(self, topic: str, message: bytes) -> None:
        for loop, (deliver, topics) in list(self._listeners.items()):
            if topic in topics and not loop.is_closed():
                loop.call_soon_threadsafe(deliver, topic, message)

    async def listen(self, deliver: Deliver, lost: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._listeners[loop] = (deliver, self._wanted.setdefault(loop, set()))
        try:
            await loop.create_future()
        finally:
            del self._listeners[loop], self._wanted[loop]

    async def follow(self, topic: str) -> None:
        self._wanted.setdefault(asyncio.get_running_loop(), set()).add(topic)

    async def unfollow(self, topic: str) -> None:
        self._wanted.setdefault(asyncio.get_running_loop(), set()).discard(topic)
