"""Keep state in Redis, or in any server that speaks its protocol.

engine = Engine(store=RedisStateStore("redis://localhost"), state="store", …)
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable
from typing import Any
from weakref import WeakKeyDictionary

try:
    from redis.exceptions import ConnectionError, TimeoutError
except ImportError as exc:
    raise ImportError("redis is not installed. Run: pip install 'live-component-framework[redis]'") from exc

from ..core.errors import ConfigurationError, Unavailable
from ..core.lifecycle import in_event_loop
from ..core.store import HOUR, Record
from .redis_connections import TROUBLE, Connections, Script, ThreadConnections

HEAD = 64
"""Bytes before the data of a value: 16 digits of version, then the attempt that saved it, and blanks."""

# KEYS[1]; ARGV: the expected version, the value, the time to live in milliseconds. A save that is sent again because its
# answer was lost finds its own attempt, and is no conflict.
_SAVE = Script("""
local head = redis.call('GETRANGE', KEYS[1], 0, 63)
if string.sub(head, 17) == string.sub(ARGV[2], 17, 64) then return 1 end
if head == '' then head = '0000000000000000' end
if string.sub(head, 1, 16) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
""")


class RedisStateStore:
    """Records in Redis, saved by compare-and-swap in a script; one round trip for a load and one for a save (Redis 6.2 or newer).

    `url` is Redis's ("redis://", "rediss://", "unix://"); nothing is connected before the first use. Or pass clients of
    your own: `client`, of redis.asyncio (a cluster's, too), serves async components on its event loop, `sync_client`
    those that run in threads and under WSGI; alone it serves both. `ttl` is in seconds since a record was last used.
    `timeout` is in seconds: a server that does not answer in it is `Unavailable`; a client of your own brings its own.
    Keys begin with `prefix` and carry a hash tag, so that a cluster finds all of a record in one place.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        client: Any = None,
        sync_client: Any = None,
        ttl: float = HOUR,
        prefix: str = "component:",
        timeout: float = 1.0,
    ) -> None:
        if (url is None) == (client is None and sync_client is None):
            raise ConfigurationError('RedisStateStore needs the url of a server ("redis://…"), or clients of yours.')
        self.url = url
        self.ttl = str(int(ttl * 1000))
        self.prefix = prefix
        self._timeout = timeout
        self._given, self._given_sync = client, sync_client
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Connections] = WeakKeyDictionary()
        self._threads = None if url is None else ThreadConnections(url, timeout)
        self._attempts = iter(range(1 << 62))
        self._own = secrets.token_hex(8)

    async def load(self, key: str) -> Record | None:
        """See StateStore."""
        value = await self._run(None, "GETEX", self._name(key), "PX", self.ttl)
        if isinstance(value, str):  # from a client that decodes
            value = value.encode()
        if value is None or not value[:16].isdigit():
            return None  # not there, or nothing of ours
        return Record(int(value[:16]), value[HEAD:])

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        """See StateStore."""
        attempt = f"{self._own}.{next(self._attempts)}"
        value = f"{expected + 1:016d}{attempt:<48}".encode() + data
        return bool(await self._run(_SAVE, self._name(key), f"{expected:016d}", value, self.ttl))

    async def delete(self, key: str) -> None:
        """See StateStore."""
        await self._run(None, "DEL", self._name(key))

    async def aclose(self) -> None:
        """Close the connections of this event loop, or of threads without one; clients of yours stay open."""
        if in_event_loop():
            connections = self._loops.pop(asyncio.get_running_loop(), None)
            if connections is not None:
                await connections.aclose()
        elif self._threads is not None:
            self._threads.close()

    def _name(self, key: str) -> str:
        return f"{self.prefix}{{{key}}}"

    async def _run(self, script: Script | None, *words: str | bytes) -> Any:
        try:
            if self._threads is None:
                return await self._run_given(words if script is None else script.whole(words))
            if in_event_loop():
                return await self._connections().run(script, *words)
            return self._threads.run(script, *words)
        except (ConnectionError, TimeoutError, OSError) as exc:
            raise Unavailable(f"the state store cannot be reached: {exc}", retry_after=1) from exc
        except TROUBLE as exc:
            raise Unavailable(f"the state store refuses: {exc}", retry_after=5) from exc

    async def _run_given(self, command: tuple[str | bytes, ...]) -> Any:
        client, blocking = self._given, self._given_sync
        if client is not None and in_event_loop():
            answer = client.execute_command(*command)
            return await answer if isinstance(answer, Awaitable) else answer
        if blocking is None:
            raise ConfigurationError(
                "This component runs where there is no event loop. Give the store a client for that, too: "
                "RedisStateStore(client=…, sync_client=redis.Redis(…))."
            )
        if in_event_loop():
            return await asyncio.to_thread(blocking.execute_command, *command)
        return blocking.execute_command(*command)

    def _connections(self) -> Connections:
        loop = asyncio.get_running_loop()
        connections = self._loops.get(loop)
        if connections is None:
            assert self.url is not None  # or _run_given() serves
            connections = self._loops[loop] = Connections(self.url, self._timeout)
        return connections
