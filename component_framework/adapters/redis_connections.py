"""Scripts on a Redis server, from an event loop or from a thread without one.

redis-py's client does more for each command than the command itself costs: locks, metrics, a task for every write. On an
event loop its connections are used directly, each by one script at a time.
"""

from __future__ import annotations

import asyncio
import builtins
import hashlib
import threading
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, NoScriptError, RedisError, TimeoutError
from redis.retry import Retry


class Script:
    """A Lua script with one key; a server that has seen it is sent its digest only."""

    __slots__ = ("digest", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class Connections:
    """The connections of one event loop: made when there is none to spare, kept for the next script."""

    def __init__(self, url: str, timeout: float) -> None:
        # the time limit is ours, around a whole script; redis-py's own costs a task for each write
        self._pool: Any = redis.asyncio.ConnectionPool.from_url(
            url, protocol=2, socket_timeout=None, socket_connect_timeout=timeout, retry=AsyncRetry(NoBackoff(), 0, ())
        )
        self._timeout = timeout
        self._idle: list[Any] = []

    async def run(self, script: Script, key: str, *arguments: str | bytes) -> Any:
        """What `script` answers; raises TimeoutError, ConnectionError and what the server says.

        A broken connection is replaced once: a server that was restarted breaks all of them. The script must know its
        own work again.
        """
        used = bool(self._idle)
        try:
            return await self._run_on(
                self._idle.pop() if used else self._pool.make_connection(), script, key, arguments
            )
        except (ConnectionError, OSError):
            if not used:
                raise
        await self.aclose()
        return await self._run_on(self._pool.make_connection(), script, key, arguments)

    async def _run_on(self, connection: Any, script: Script, key: str, arguments: tuple[str | bytes, ...]) -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    answer = await _exchange(connection, "EVALSHA", script.digest, "1", key, *arguments)
                except NoScriptError:
                    answer = await _exchange(connection, "EVAL", script.source, "1", key, *arguments)
        except builtins.TimeoutError:
            await connection.disconnect(nowait=True)
            raise TimeoutError(f"no answer within {self._timeout} s") from None
        except BaseException:  # cancelled, too: an answer that is still to come must not be taken for the next one's
            await connection.disconnect(nowait=True)
            raise
        self._idle.append(connection)
        return answer

    async def aclose(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)


async def _exchange(connection: Any, *command: str | bytes) -> Any:
    await connection.send_packed_command(connection.pack_command(*command), check_health=False)
    return await connection.read_response()


class ThreadConnections:
    """The connections of threads that have no event loop; a client of redis-py's, made at the first use."""

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            # one retry, and for a broken connection only: a server that was restarted breaks every pooled one
            "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        }
        self._client: redis.Redis | None = None
        self._lock = threading.Lock()

    def run(self, script: Script, key: str, *arguments: str | bytes) -> Any:
        """`Connections.run()`, in this thread."""
        client = self._client or self._connect()
        try:
            return client.evalsha(script.digest, 1, key, *arguments)
        except NoScriptError:
            return client.eval(script.source, 1, key, *arguments)

    def _connect(self) -> redis.Redis:
        with self._lock:
            self._client = self._client or redis.Redis.from_url(self._url, **self._options)
            return self._client

    def close(self) -> None:
        """Close all of them."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


TROUBLE = (RedisError, OSError)
"""What scripts raise when there is no answer, or none that helps."""
