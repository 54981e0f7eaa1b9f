"""Carries messages between all processes that serve one application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from .errors import ConfigurationError

logger = logging.getLogger("component_framework")

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
        """Begin to deliver `topic` to the listener of this event loop: what is published after this returns is heard.

        A broker that is away is not waited for; the listener is told by `lost` when it is back.
        """
        ...

    async def unfollow(self, topic: str) -> None:
        """Deliver `topic` no more."""
        ...


class MemoryBroker:
    """Within one process, across its event loops and threads."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.AbstractEventLoop, Deliver] = {}
        self._wanted: dict[asyncio.AbstractEventLoop, set[str]] = {}

    async def publish(self, topic: str, message: bytes) -> None:
        self.publish_sync(topic, message)

    def publish_sync(self, topic: str, message: bytes) -> None:
        for loop, topics in list(self._wanted.items()):
            if topic in topics:
                with suppress(RuntimeError):  # a loop that was closed: nobody is there any more
                    loop.call_soon_threadsafe(self._deliver, loop, topic, message)

    def _deliver(self, loop: asyncio.AbstractEventLoop, topic: str, message: bytes) -> None:
        deliver = self._listeners.get(loop)
        if deliver is not None and topic in self._wanted[loop]:
            attempt(deliver, topic, message)

    async def listen(self, deliver: Deliver, lost: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        require_no_listener(loop in self._listeners)
        self._listeners[loop] = deliver
        self._wanted.setdefault(loop, set())
        try:
            await loop.create_future()
        finally:
            del self._listeners[loop], self._wanted[loop]

    async def follow(self, topic: str) -> None:
        self._wanted.setdefault(asyncio.get_running_loop(), set()).add(topic)

    async def unfollow(self, topic: str) -> None:
        if (topics := self._wanted.get(asyncio.get_running_loop())) is not None:
            topics.discard(topic)


def require_no_listener(listening: bool) -> None:
    """Raise ConfigurationError where a second Engine would take the messages of the first."""
    if listening:
        raise ConfigurationError(
            "This broker delivers to another Engine on this event loop already. Give each Engine a broker of its own."
        )


def attempt(function: Callable[..., None], *args: object) -> None:
    """Call a `deliver` or `lost`; what it raises is logged."""
    try:
        function(*args)
    except Exception:  # one message that cannot be delivered must not end the delivery of all others
        logger.exception("a message between processes could not be delivered")
