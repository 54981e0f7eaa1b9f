"""Keep state in Redis, or in any server that speaks its protocol.

engine = Engine(store=RedisStateStore("redis://localhost"), state="store", …)
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable
from typing import Any
from weakref import WeakKeyDictionary

try:
    import redis
except ImportError as exc:
    raise ImportError("redis is not installed. Run: pip install 'live-component-framework[redis]'") from exc

import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, TimeoutError
from redis.retry import Retry

from ..core.errors import Unavailable
from ..core.lifecycle import in_event_loop
from ..core.store import HOUR, Record

# KEYS[1]; ARGV: time to live in milliseconds. Answers version and data, and lets the time begin anew.
_LOAD = """
local found = redis.call('HMGET', KEYS[1], 'v', 'd')
if found[1] then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return found
"""

# KEYS[1]; ARGV: expected version, data, time to live, attempt. A save that is sent again because its answer was lost
# finds its own attempt, and is no conflict.
_SAVE = """
local found = redis.call('HMGET', KEYS[1], 'v', 'a')
if found[2] == ARGV[4] then return 1 end
if (found[1] or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'v', string.format('%d', tonumber(ARGV[1]) + 1), 'd', ARGV[2], 'a', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""


class RedisStateStore:
    """Records in Redis, saved by compare-and-swap in one script; one round trip for a load and one for a save.

    `url` is Redis's ("redis://", "rediss://", "unix://"); nothing is connected before the first use. `ttl` is in seconds
    since a record was last used. `timeout` is in seconds: a server that does not answer in it is `Unavailable`. Keys
    begin with `prefix` and carry a hash tag, so that a cluster finds all of a record in one place.
    """

    def __init__(self, url: str, *, ttl: float = HOUR, prefix: str = "component:", timeout: float = 1.0) -> None:
        self.url = url
        self.ttl = str(int(ttl * 1000))
        self.prefix = prefix
        # one retry, and for a broken connection only: a server that was restarted breaks every pooled one
        self._options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        }
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = WeakKeyDictionary()
        self._sync: redis.Redis | None = None
        self._lock = threading.Lock()
        self._attempts = iter(range(1 << 62))
        self._own = secrets.token_hex(8)

    async def load(self, key: str) -> Record | None:
        """See StateStore."""
        version, data = await self._run(_LOAD, key, self.ttl)
        return None if version is None else Record(int(version), data)

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        """See StateStore."""
        return bool(await self._run(_SAVE, key, str(expected), data, self.ttl, self._attempt()))

    async def delete(self, key: str) -> None:
        """See StateStore."""
        await self._run("return redis.call('DEL', KEYS[1])", key)

    async def aclose(self) -> None:
        """Close the connections of this event loop, or of threads without one."""
        if in_event_loop():
            client = self._clients.pop(asyncio.get_running_loop(), None)
            if client is not None:
                await client.aclose()
        elif self._sync is not None:
            self._sync.close()
            self._sync = None

    async def _run(self, script: str, key: str, *arguments: str | bytes) -> Any:
        name = f"{self.prefix}{{{key}}}"
        try:
            answer = self._client().eval(script, 1, name, *arguments)
            return await answer if isinstance(answer, Awaitable) else answer
        except (ConnectionError, TimeoutError, OSError) as exc:
            raise Unavailable(f"the state store cannot be reached: {exc}", retry_after=1) from exc
        except RedisError as exc:
            raise Unavailable(f"the state store refuses: {exc}", retry_after=5) from exc

    def _client(self) -> Any:
        """The client of the running event loop; the blocking one where none runs, as in a worker thread or under WSGI."""
        if not in_event_loop():
            with self._lock:
                self._sync = self._sync or redis.Redis.from_url(self.url, **self._options)
            return self._sync
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = redis.asyncio.Redis.from_url(self.url, **self._async_options())
        return client

    def _async_options(self) -> dict[str, Any]:
        return {**self._options, "retry": AsyncRetry(NoBackoff(), 1, supported_errors=(ConnectionError,))}

    def _attempt(self) -> str:
        return f"{self._own}.{next(self._attempts)}"
