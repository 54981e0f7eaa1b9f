"""Commands and scripts on a Redis server, from an event loop or from a thread without one.

redis-py's client does more for each command than the command itself costs: locks, metrics, a task for every write. On an
event loop its connections are used directly, each by one command at a time.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, NoScriptError, RedisError, TimeoutError
from redis.retry import Retry

from ..core.time_limit import TimeLimit


class Script:
    """A Lua script with one key; a server that has seen it is sent its digest only."""

    __slots__ = ("digest", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    def known(self, words: tuple[str | bytes, ...]) -> tuple[str | bytes, ...]:
        """The command for a server that knows it; `words` are the key and the arguments."""
        return ("EVALSHA", self.digest, "1", *words)

    def whole(self, words: tuple[str | bytes, ...]) -> tuple[str | bytes, ...]:
        """The command for any server."""
        return ("EVAL", self.source, "1", *words)


class Connections:
    """The connections of one event loop: made when there is none to spare, kept for the next script."""

    def __init__(self, url: str, timeout: float) -> None:
        # the time limit is ours, around a whole script; redis-py's own costs a task for each write
        self._pool: Any = redis.asyncio.ConnectionPool.from_url(
            url, protocol=2, socket_timeout=None, socket_connect_timeout=timeout, retry=AsyncRetry(NoBackoff(), 0, ())
        )
        self._limit = TimeLimit(timeout)
        self._idle: list[Any] = []

    async def run(self, script: Script | None, *words: str | bytes) -> Any:
        """What a command answers, or with a `script` what that answers for a key and arguments.

        Raises TimeoutError, ConnectionError and what the server says. A broken connection is replaced once, for a server
        that was restarted breaks all of them: what is sent must know its own work again.
        """
        used = bool(self._idle)
        try:
            return await self._run_on(self._idle.pop() if used else self._pool.make_connection(), script, words)
        except (ConnectionError, OSError):
            if not used:
                raise
        await self.aclose()
        return await self._run_on(self._pool.make_connection(), script, words)

    async def _run_on(self, connection: Any, script: Script | None, words: tuple[str | bytes, ...]) -> Any:
        waiting = self._limit.begin()
        try:
            try:
                answer = await _ask(connection, script, words)
            finally:
                self._limit.end(waiting)  # before anything else is awaited, which it must not cancel
        except BaseException as exc:
            # cancelled, too: an answer that is still to come must not be taken for the next one's
            late = waiting.ran_out(exc)
            await connection.disconnect(nowait=True)
            if late:
                raise TimeoutError(f"no answer within {self._limit.seconds} s") from None
            raise
        self._idle.append(connection)
        return answer

    async def aclose(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)


async def _ask(connection: Any, script: Script | None, words: tuple[str | bytes, ...]) -> Any:
    if script is None:
        return await _exchange(connection, words)
    try:
        return await _exchange(connection, script.known(words))
    except NoScriptError:
        return await _exchange(connection, script.whole(words))


async def _exchange(connection: Any, command: tuple[str | bytes, ...]) -> Any:
    await connection.send_packed_command(_packed(command), check_health=False)
    return await connection.read_response()


def _packed(command: tuple[str | bytes, ...]) -> bytes:
    """A command as RESP writes it, an array of bulk strings; redis-py, ready for more kinds, takes three times as long."""
    parts = [b"*%d\r\n" % len(command)]
    for word in command:
        data = word if isinstance(word, bytes) else word.encode()
        parts += (b"$%d\r\n" % len(data), data, b"\r\n")
    return b"".join(parts)


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
        self._client: Any = None
        self._lock = threading.Lock()

    def run(self, script: Script | None, *words: str | bytes) -> Any:
        """`Connections.run()`, in this thread."""
        client = self._client or self._connect()
        try:
            return client.execute_command(*(words if script is None else script.known(words)))
        except NoScriptError:
            assert script is not None  # nothing else is not known
            return client.execute_command(*script.whole(words))

    def _connect(self) -> Any:
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
