"""How messages reach one page and come back: three methods that every connection has, whatever carries it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol, runtime_checkable

from .push import Push
from .wire import stream_headers

GOING_AWAY = 1001
POLICY = 1008
TOO_BIG = 1009
RESTART = 1012
TRY_LATER = 1013
"""Close codes (RFC 6455 7.4.1 and its registry)."""


class TransportClosed(Exception):
    """The other side is gone, or this side has closed; `code` says why."""

    def __init__(self, code: int = 1005) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


@runtime_checkable
class Transport(Protocol):
    """One connection to one page. Messages arrive in the order in which they were sent, and never mixed."""

    async def send(self, push: Push, seq: int) -> None:
        """Send `push` with its number; returns once the connection has room. Raises TransportClosed."""
        ...

    async def recv(self) -> str | bytes:
        """The next message from the page; raises TransportClosed."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection; a second time does nothing."""
        ...


class SocketTransport:
    """A WebSocket, as ASGI has it; `accept()` first."""

    def __init__(self, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        self._receive = receive
        self._send = send
        self._closed: int | None = None

    async def accept(self) -> None:
        """Answer the handshake."""
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept"})

    async def send(self, push: Push, seq: int) -> None:
        if self._closed is not None:
            raise TransportClosed(self._closed)
        try:
            await self._send({"type": "websocket.send", "text": push.socket(seq)})
        except (OSError, RuntimeError) as exc:  # what servers raise for a socket that has just gone
            self._closed = 1006
            raise TransportClosed(1006) from exc

    async def recv(self) -> str | bytes:
        if self._closed is not None:
            raise TransportClosed(self._closed)
        message = await self._receive()
        if message["type"] != "websocket.receive":
            code: int = message.get("code") or 1005
            self._closed = code
            raise TransportClosed(code)
        text: str | None = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._closed is not None:
            return
        self._closed = code
        try:
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (OSError, RuntimeError):
            pass  # it is gone already


class StreamTransport:
    """An event stream that a framework sends as an asynchronous iterator of bytes; the page posts what it has to say.

    `max_waiting` messages may wait for the client; then `send` waits.
    """

    def __init__(self, max_waiting: int = 1) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(max_waiting)
        self._done = asyncio.get_running_loop().create_future()
        self._farewell: bytes | None = None

    async def send(self, push: Push, seq: int) -> None:
        if self._done.done():
            raise TransportClosed(self._done.result())
        if not self._queue.full():
            self._queue.put_nowait(push.stream(seq))
            return
        put = asyncio.ensure_future(self._queue.put(push.stream(seq)))
        try:
            await asyncio.wait((put, self._done), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sent = put.done()
            put.cancel()
        if not sent:
            raise TransportClosed(self._done.result())

    async def recv(self) -> str | bytes:
        raise TransportClosed(await asyncio.shield(self._done))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if not self._done.done():
            self._farewell = Push({"type": "close", "code": code, "reason": reason}).stream(0)
            self._done.set_result(code)

    async def body(self) -> AsyncGenerator[bytes, None]:
        """What to send to the client; closing it says that the client has left."""
        try:
            while not (self._done.done() and self._queue.empty()):
                get = asyncio.ensure_future(self._queue.get())
                try:
                    await asyncio.wait((get, self._done), return_when=asyncio.FIRST_COMPLETED)
                    if get.done():
                        yield get.result()
                finally:
                    get.cancel()
            if self._farewell is not None:
                yield self._farewell
        finally:
            if not self._done.done():
                self._done.set_result(GOING_AWAY)


class AsgiStreamTransport:
    """An event stream that ASGI sends."""

    def __init__(self, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        self._receive = receive
        self._send = send
        self._closed: int | None = None
        self._lock = asyncio.Lock()

    async def accept(self, pairs: Callable[[Mapping[str, str]], list[tuple[bytes, bytes]]]) -> None:
        """Send the head of the answer."""
        await self._send({"type": "http.response.start", "status": 200, "headers": pairs(stream_headers())})

    async def send(self, push: Push, seq: int) -> None:
        if self._closed is not None:
            raise TransportClosed(self._closed)
        try:
            await self._send({"type": "http.response.body", "body": push.stream(seq), "more_body": True})
        except (OSError, RuntimeError) as exc:  # what servers raise for a connection that has just gone
            self._closed = 1006
            raise TransportClosed(1006) from exc

    async def recv(self) -> str | bytes:
        while self._closed is None:
            message: MutableMapping[str, Any] = await self._receive()
            if message["type"] == "http.disconnect":
                self._closed = GOING_AWAY
        raise TransportClosed(self._closed)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._closed is not None:
            return
        farewell = Push({"type": "close", "code": code, "reason": reason}).stream(0)
        self._closed = code
        try:
            await self._send({"type": "http.response.body", "body": farewell, "more_body": True})
            await self._send({"type": "http.response.body", "body": b""})
        except (OSError, RuntimeError):
            pass  # it is gone already
