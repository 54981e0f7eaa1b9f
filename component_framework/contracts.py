"""What backends of your own have to keep, as tests to subclass.

    class TestPigeon(TransportContract):
        @asynccontextmanager
        async def connect(self):
            yield pigeon, page

pytest finds such a class; its tests are coroutines, for the plugin that runs yours (anyio, pytest-asyncio).
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from .core.push import Push
from .core.transport import Transport, TransportClosed


class Page(Protocol):
    """The other end of a connection."""

    async def read(self) -> str:
        """The next message's text, wherever it begins and ends in what the connection carries."""
        ...

    async def leave(self) -> None:
        """Go away."""
        ...


class TransportContract:
    """Ordered, whole, and clear about its end."""

    @abstractmethod
    def connect(self) -> AbstractAsyncContextManager[tuple[Transport, Page]]:
        """A connection, with both of its ends."""

    async def test_it_is_a_transport(self) -> None:
        async with self.connect() as (transport, _):
            assert isinstance(transport, Transport)

    async def test_messages_arrive_whole_and_in_order(self) -> None:
        async with self.connect() as (transport, page):
            sending = asyncio.ensure_future(_send(transport, range(200)))
            for number in range(200):
                assert f'"n":{number},' in await page.read()
            await sending

    async def test_concurrent_sends_are_never_mixed(self) -> None:
        async with self.connect() as (transport, page):
            senders = [asyncio.ensure_future(_send(transport, range(start, start + 50))) for start in (0, 50, 100)]
            numbers = [int((await page.read()).split('"n":')[1].split(",")[0]) for _ in range(150)]
            await asyncio.gather(*senders)
            assert sorted(numbers) == list(range(150))
            for start in (0, 50, 100):
                assert [n for n in numbers if start <= n < start + 50] == list(range(start, start + 50))

    async def test_sending_after_closing_says_so(self) -> None:
        async with self.connect() as (transport, _):
            await transport.close(1012)
            await transport.close(1012)
            await _refused(transport.send(Push({"type": "x"}), 1))

    async def test_the_page_that_leaves_ends_the_waiting(self) -> None:
        async with self.connect() as (transport, page):
            waiting = asyncio.ensure_future(transport.recv())
            await asyncio.sleep(0)
            await page.leave()
            await _refused(asyncio.wait_for(waiting, 5))
            await _refused(transport.recv())


async def _refused(attempt: Awaitable[object]) -> None:
    try:
        await attempt
    except TransportClosed:
        return
    raise AssertionError("a closed transport raises TransportClosed")


async def _send(transport: Transport, numbers: range) -> None:
    for number in numbers:
        await transport.send(Push({"type": "x", "n": number, "text": "line\nline " * 50}), number + 1)
