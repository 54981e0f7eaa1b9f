"""The three transports keep the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from component_framework.contracts import Page, TransportContract
from component_framework.core.transport import AsgiStreamTransport, SocketTransport, StreamTransport, Transport


class AsgiPage:
    """A server with a client behind it, as ASGI sees both; it has room for a few messages only."""

    def __init__(self, gone: dict[str, Any], key: str) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue(3)
        self.received: asyncio.Queue[Any] = asyncio.Queue()
        self.gone = gone
        self.key = key

    async def send(self, message: Any) -> None:
        if self.key in message:
            await self.sent.put(message[self.key])

    async def receive(self) -> Any:
        return await self.received.get()

    async def read(self) -> str:
        data = await self.sent.get()
        return data if isinstance(data, str) else data.decode()

    async def leave(self) -> None:
        self.received.put_nowait(self.gone)


class TestSocket(TransportContract):
    @asynccontextmanager
    async def connect(self) -> AsyncIterator[tuple[Transport, Page]]:
        page = AsgiPage({"type": "websocket.disconnect", "code": 1005}, "text")
        yield SocketTransport(page.receive, page.send), page


class TestAsgiStream(TransportContract):
    @asynccontextmanager
    async def connect(self) -> AsyncIterator[tuple[Transport, Page]]:
        page = AsgiPage({"type": "http.disconnect"}, "body")
        yield AsgiStreamTransport(page.receive, page.send), page


class IteratorPage:
    def __init__(self, transport: StreamTransport) -> None:
        self.body = transport.body()

    async def read(self) -> str:
        return (await anext(self.body)).decode()

    async def leave(self) -> None:
        reading = asyncio.ensure_future(anext(self.body))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await self.body.aclose()


class TestIterator(TransportContract):
    @asynccontextmanager
    async def connect(self) -> AsyncIterator[tuple[Transport, Page]]:
        transport = StreamTransport()
        page = IteratorPage(transport)
        yield transport, page
        await page.body.aclose()
