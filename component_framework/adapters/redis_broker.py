"""Publish through Redis, or any server that speaks its protocol, so that pages on every worker hear of it.

engine = Engine(broker=RedisBroker("redis://localhost"), …)
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

try:
    import redis
except ImportError as exc:
    raise ImportError("redis is not installed. Run: pip install 'live-component-framework[redis]'") from exc

import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, TimeoutError
from redis.retry import Retry

from ..core.broker import Deliver
from ..core.errors import Unavailable

SILENCE = 2.0
"""Seconds without a message after which the server is asked whether it is there, and as long to answer."""

LONGEST_PAUSE = 1.0
"""Seconds between two attempts to reach a server that is away."""


@dataclass(slots=True)
class _Line:
    """What one event loop has open."""

    client: redis.asyncio.Redis
    wanted: set[str] = field(default_factory=set)
    pubsub: Any = None


class RedisBroker:
    """Redis's publish and subscribe; nothing is connected before the first use.

    `url` is Redis's ("redis://", "rediss://", "unix://"). Topics become channels that begin with `prefix`. `timeout` is
    in seconds: a server that does not take a message in it is `Unavailable`. A listener reconnects by itself.
    """

    def __init__(self, url: str, *, prefix: str = "component:", timeout: float = 1.0) -> None:
        self.url = url
        self.prefix = prefix
        self._options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        self._lines: dict[asyncio.AbstractEventLoop, _Line] = {}
        self._sync: redis.Redis | None = None
        self._lock = threading.Lock()

    async def publish(self, topic: str, message: bytes) -> None:
        """See Broker."""
        try:
            await self._line().client.publish(self.prefix + topic, message)
        except (RedisError, OSError) as exc:
            raise _unavailable(exc) from exc

    def publish_sync(self, topic: str, message: bytes) -> None:
        """See Broker."""
        retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
        with self._lock:
            self._sync = self._sync or redis.Redis.from_url(self.url, retry=retry, **self._options)
        try:
            self._sync.publish(self.prefix + topic, message)
        except (RedisError, OSError) as exc:
            raise _unavailable(exc) from exc

    async def listen(self, deliver: Deliver, lost: Callable[[], None]) -> None:
        """See Broker."""
        line = self._line()
        pause, first = 0.05, True
        try:
            while True:
                try:
                    await self._connect(line)
                    if not first:
                        lost()
                    pause, first = 0.05, False
                    await self._read(line.pubsub, deliver)
                except (RedisError, OSError):
                    first = False  # what was published until now is lost, too
                    await self._disconnect(line)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            await self.aclose()

    async def follow(self, topic: str) -> None:
        """See Broker. A server that is away hears of it when it is back."""
        line = self._line()
        line.wanted.add(topic)
        if line.pubsub is not None:
            with suppress(RedisError, OSError):  # the listener notices, and subscribes to everything anew
                await line.pubsub.subscribe(self.prefix + topic)

    async def unfollow(self, topic: str) -> None:
        """See Broker."""
        line = self._line()
        line.wanted.discard(topic)
        if line.pubsub is not None:
            with suppress(RedisError, OSError):
                await line.pubsub.unsubscribe(self.prefix + topic)

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        line = self._lines.pop(asyncio.get_running_loop(), None)
        if line is not None:
            await self._disconnect(line)
            with suppress(RedisError, OSError):
                await line.client.aclose()

    async def _connect(self, line: _Line) -> None:
        pubsub = line.client.pubsub()
        known = set(line.wanted)
        await pubsub.subscribe(self.prefix, *(self.prefix + topic for topic in known))
        line.pubsub = pubsub
        if late := line.wanted - known:  # what was wished for while the server was asked
            await pubsub.subscribe(*(self.prefix + topic for topic in late))

    async def _read(self, pubsub: Any, deliver: Deliver) -> None:
        """Deliver until the connection breaks, or the server is silent although it was asked."""
        asked = False
        while True:
            message = await pubsub.get_message(timeout=SILENCE)
            if message is None:
                if asked:
                    raise TimeoutError("the server does not answer")
                asked = True
                await pubsub.ping()
                continue
            asked = False
            if message["type"] == "message":
                deliver(message["channel"].decode()[len(self.prefix) :], message["data"])

    async def _disconnect(self, line: _Line) -> None:
        pubsub, line.pubsub = line.pubsub, None
        if pubsub is not None:
            with suppress(RedisError, OSError):
                await pubsub.aclose()

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            retry = AsyncRetry(NoBackoff(), 1, supported_errors=(ConnectionError,))
            line = self._lines[loop] = _Line(redis.asyncio.Redis.from_url(self.url, retry=retry, **self._options))
        return line


def _unavailable(exc: Exception) -> Unavailable:
    return Unavailable(f"the broker cannot be reached: {exc}", retry_after=1)
