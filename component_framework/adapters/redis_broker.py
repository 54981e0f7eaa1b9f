"""Publish through Redis, or any server that speaks its protocol, so that pages on every worker hear of it.

engine = Engine(broker=RedisBroker("redis://localhost"), …)
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

try:
    import redis
except ImportError as exc:
    raise ImportError("redis is not installed. Run: pip install 'live-component-framework[redis]'") from exc

from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, MovedError, RedisError
from redis.retry import Retry

from ..core.broker import Deliver, require_no_listener
from ..core.errors import ConfigurationError, Unavailable
from .redis_line import CONNECTIONS, SHARDED, Line, moved


class RedisBroker:
    """Redis's publish and subscribe; nothing is connected before the first use.

    `url` is Redis's ("redis://", "rediss://", "unix://"). Topics become channels that begin with `prefix`. `timeout` is
    in seconds: a server that does not take a message in it is `Unavailable`. A listener reconnects by itself. Each
    Engine has a broker of its own.

    `sharded` uses sharded channels (Redis 7, Valkey): in a cluster a message then goes to one shard, the same for all
    topics of a prefix, and not to every node. `url` may name any node of the cluster.
    """

    def __init__(self, url: str, *, prefix: str = "component:", timeout: float = 1.0, sharded: bool = False) -> None:
        if sharded and not SHARDED:
            raise ConfigurationError("RedisBroker(sharded=True) needs redis 8. Run: pip install 'redis>=8'")
        self.url = url
        self.prefix = f"{{{prefix}}}" if sharded else prefix  # braces: all channels have one slot (Redis Cluster)
        self.timeout = timeout
        self.sharded = sharded
        self._options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "decode_responses": False,
        }
        self._lines: dict[asyncio.AbstractEventLoop, Line] = {}
        self._sync: redis.Redis | None = None
        self._lock = threading.Lock()

    async def publish(self, topic: str, message: bytes) -> None:
        """See Broker."""
        line = self._lines.get(asyncio.get_running_loop())
        if line is None:  # a loop that does not listen may be gone in a moment, and would leave its connections open
            await asyncio.to_thread(self.publish_sync, topic, message)
            return
        try:
            try:
                await line.publish(self.prefix + topic, message)
            except MovedError as exc:
                await line.move(exc)
                await line.publish(self.prefix + topic, message)
        except (RedisError, OSError) as exc:
            raise _unavailable(exc) from exc

    def publish_sync(self, topic: str, message: bytes) -> None:
        """See Broker."""
        publish = "spublish" if self.sharded else "publish"
        try:
            try:
                getattr(self._sync_client(), publish)(self.prefix + topic, message)
            except MovedError as exc:
                self._disconnect_sync()
                self.url, self._sync = moved(self.url, exc), None
                getattr(self._sync_client(), publish)(self.prefix + topic, message)
        except (RedisError, OSError) as exc:
            raise _unavailable(exc) from exc

    async def listen(self, deliver: Deliver, lost: Callable[[], None]) -> None:
        """See Broker."""
        line = self._line()
        require_no_listener(line.listening)
        line.listening = True
        try:
            await line.listen(deliver, lost)
        finally:
            await self.aclose()

    async def follow(self, topic: str) -> None:
        """See Broker. A server that is away hears of it when it is back."""
        await self._line().follow(topic)

    async def unfollow(self, topic: str) -> None:
        """See Broker."""
        await self._line().unfollow(topic)

    async def aclose(self) -> None:
        """Close the connections of this event loop, and those of threads that are not in use at the moment."""
        line = self._lines.pop(asyncio.get_running_loop(), None)
        if line is not None:
            await line.aclose()
        self._disconnect_sync()

    def _disconnect_sync(self) -> None:
        if self._sync is not None:
            self._sync.connection_pool.disconnect(inuse_connections=False)

    def _line(self) -> Line:
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            self._lines[loop] = Line(self.url, self.prefix, self.timeout, self._options, sharded=self.sharded)
        return self._lines[loop]

    def _sync_client(self) -> redis.Redis:
        with self._lock:
            if self._sync is None:
                retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))  # a restart breaks every connection
                pool = redis.BlockingConnectionPool.from_url(
                    self.url, max_connections=CONNECTIONS, timeout=self.timeout, retry=retry, **self._options
                )
                self._sync = redis.Redis(connection_pool=pool)
            return self._sync


def _unavailable(exc: Exception) -> Unavailable:
    return Unavailable(f"the broker cannot be reached: {exc}", retry_after=1)
