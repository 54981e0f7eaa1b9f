"""Remember who is in a topic in Redis, or in any server that speaks its protocol.

presence = Presence(RedisRoster("redis://localhost"), engine.broker)
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

try:
    import redis.asyncio
except ImportError as exc:
    raise ImportError("redis is not installed. Run: pip install 'live-component-framework[redis]'") from exc

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError

from ..core.errors import Unavailable

# KEYS: data by member, deadlines by member (milliseconds of Redis's clock). Removes who has expired, and tells who.
_EXPIRE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
for _, member in ipairs(expired) do
  redis.call('HDEL', KEYS[1], member)
  redis.call('ZREM', KEYS[2], member)
end
"""

# ARGV: member, data, time to live in milliseconds. Keys go by themselves when everybody has.
_ENTER = (
    _EXPIRE
    + """
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
local new = redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, string.format('%d', last + 60000)) end
return {new, expired}
"""
)

_LEAVE = "redis.call('ZREM', KEYS[2], ARGV[1]) return redis.call('HDEL', KEYS[1], ARGV[1])"

_MEMBERS = _EXPIRE + "local all = redis.call('HGETALL', KEYS[1]) return {all, expired}"


class RedisRoster:
    """Members in Redis, one script for each question; see core.presence.Roster.

    `timeout` is in seconds. Keys begin with `prefix` and carry a hash tag, so that a cluster finds a topic in one place.
    """

    def __init__(self, url: str, *, prefix: str = "component:in:", timeout: float = 1.0) -> None:
        self.url = url
        self.prefix = prefix
        self._options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        self._clients: dict[asyncio.AbstractEventLoop, redis.asyncio.Redis] = {}

    async def enter(self, topic: str, member: str, data: bytes, ttl: float) -> tuple[bool, Collection[str]]:
        new, expired = await self._run(_ENTER, topic, member, data, str(int(ttl * 1000)))
        return bool(new), [name.decode() for name in expired]

    async def leave(self, topic: str, member: str) -> bool:
        return bool(await self._run(_LEAVE, topic, member))

    async def members(self, topic: str) -> tuple[dict[str, bytes], Collection[str]]:
        found, expired = await self._run(_MEMBERS, topic)
        members = {name.decode(): data for name, data in zip(found[::2], found[1::2], strict=True)}
        return members, [name.decode() for name in expired]

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def _run(self, script: str, topic: str, *arguments: str | bytes) -> Any:
        keys = [f"{self.prefix}{{{topic}}}:{kind}" for kind in ("data", "until")]
        client: Any = self._client()
        try:
            return await client.eval(script, 2, *keys, *arguments)
        except (RedisError, OSError) as exc:
            raise Unavailable(f"the roster cannot be reached: {exc}", retry_after=1) from exc

    def _client(self) -> redis.asyncio.Redis:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
            self._clients[loop] = redis.asyncio.Redis.from_url(self.url, retry=retry, **self._options)
        return self._clients[loop]
