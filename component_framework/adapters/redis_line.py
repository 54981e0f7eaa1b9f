"""What one event loop hears from Redis, and goes on hearing after the connection broke."""

from __future__ import annotations

import asyncio
import builtins
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, MovedError, RedisError, TimeoutError

from ..core.broker import Deliver, attempt

logger = logging.getLogger("component_framework")

SILENCE = 2.0
"""Seconds without a message after which the server is asked whether it is there, and as long to answer."""

LONGEST_PAUSE = 1.0
"""Seconds between two attempts to reach a server that is away."""

CONNECTIONS = 16
"""How many messages are on their way at once; the others wait for their turn."""

SHARDED = hasattr(PubSub, "ssubscribe")
"""Whether the client knows sharded channels on an event loop."""

_HELLO = "\0"
"""The topic that is followed first, always: its confirmation says that the server knows of all others."""


class Line:
    """The two connections of one event loop: what it publishes on, and what it listens on."""

    def __init__(self, url: str, prefix: str, timeout: float, options: dict[str, Any], *, sharded: bool) -> None:
        self._url = url
        self._options = options
        self._shard = "s" if sharded else ""
        self._prefix = prefix
        self._timeout = timeout
        self._pubsub: Any = None
        self._open()
        self._wanted: set[str] = set()
        self._waiting: dict[str, asyncio.Event] = {}
        """Topics that somebody waits for the server to confirm."""
        self._away = False
        """The server does not answer: nobody waits for it."""
        self._gap = False
        """The next time that the server confirms our topics, something may have been missed."""
        self.listening = False

    def _open(self) -> None:
        retry = AsyncRetry(NoBackoff(), 1, supported_errors=(ConnectionError,))
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            self._url, max_connections=CONNECTIONS, timeout=self._timeout, retry=retry, **self._options
        )
        self.publisher = redis.asyncio.Redis.from_pool(pool)
        # no retry: a client that mends its connection by itself does not tell of the gap
        self._listener = redis.asyncio.Redis.from_url(self._url, retry=AsyncRetry(NoBackoff(), 0, ()), **self._options)

    async def publish(self, channel: str, message: bytes) -> None:
        await getattr(self.publisher, f"{self._shard}publish")(channel, message)

    async def move(self, exc: MovedError) -> None:
        """Go to the node of a cluster that has our channels."""
        before = self.publisher, self._listener
        self._url = moved(self._url, exc)
        self._open()
        for client in before:
            with suppress(RedisError, OSError):
                await client.aclose()

    async def listen(self, deliver: Deliver, lost: Callable[[], None]) -> None:
        pause = 0.05
        while True:
            try:
                await self._connect()
                pause = 0.05
                await self._read(deliver, lost)
            except MovedError as exc:
                await self._release()
                await self.move(exc)
            except (RedisError, OSError) as exc:
                await self._disconnect(exc)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def follow(self, topic: str) -> None:
        self._wanted.add(topic)
        if not self.listening:
            await asyncio.sleep(0)  # a listener that was started a moment ago begins
        confirmed = self._waiting.setdefault(topic, asyncio.Event()) if self.listening and not self._away else None
        await self._tell("subscribe", topic)
        if confirmed is not None:
            await self._await_confirmation(topic, confirmed)

    async def _await_confirmation(self, topic: str, confirmed: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await confirmed.wait()
        except builtins.TimeoutError:
            self._away = True
            self._waiting.pop(topic, None)

    async def unfollow(self, topic: str) -> None:
        self._wanted.discard(topic)
        await self._tell("unsubscribe", topic)

    async def _tell(self, command: str, *topics: str) -> None:
        if self._pubsub is not None and topics:
            with suppress(RedisError, OSError):  # the listener notices, and subscribes to everything anew
                await getattr(self._pubsub, self._shard + command)(*(self._prefix + topic for topic in topics))

    async def _connect(self) -> None:
        pubsub, known = self._listener.pubsub(), set(self._wanted)
        await getattr(pubsub, f"{self._shard}subscribe")(*(self._prefix + topic for topic in (_HELLO, *known)))
        self._pubsub = pubsub
        await self._tell("subscribe", *(self._wanted - known))  # what was wished for while the server was asked
        await self._tell("unsubscribe", *(known - self._wanted))

    async def _read(self, deliver: Deliver, lost: Callable[[], None]) -> None:
        """Deliver until the connection breaks, or the server is silent although it was asked."""
        asked = False
        while True:
            message = await self._pubsub.get_message(timeout=SILENCE)
            if message is None:
                if asked:
                    raise TimeoutError("the server does not answer")
                asked = True
                await self._pubsub.ping()
                continue
            asked = self._away = False
            topic = (message["channel"] or b"").decode()[len(self._prefix) :]
            kind = message["type"].removeprefix(self._shard)
            if kind == "message":
                attempt(deliver, topic, message["data"])
            elif kind == "subscribe":
                self._confirm(topic, lost)
            elif self._shard and kind == "unsubscribe" and topic in self._wanted:
                raise ConnectionError("the shard of our channels has moved")

    def _confirm(self, topic: str, lost: Callable[[], None]) -> None:
        if topic in self._waiting:
            self._waiting.pop(topic).set()
        if topic == _HELLO:
            if self._gap:
                attempt(lost)
            self._gap = True

    async def _disconnect(self, exc: Exception) -> None:
        if not self._away:
            logger.warning("the broker cannot be reached, and is tried again and again: %s", exc)
        self._away = self._gap = True
        await self._release()

    async def _release(self) -> None:
        while self._waiting:
            self._waiting.popitem()[1].set()
        pubsub, self._pubsub = self._pubsub, None
        with suppress(RedisError, OSError):
            if pubsub is not None:
                await pubsub.aclose()
            await self._listener.connection_pool.disconnect()

    async def aclose(self) -> None:
        await self._release()
        with suppress(RedisError, OSError):
            await self._listener.aclose()
        with suppress(RedisError, OSError):
            await self.publisher.aclose()


def moved(url: str, exc: MovedError) -> str:
    """`url` with the node in it that a cluster has named."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}{at}{exc.host}:{exc.port}").geturl()
