"""Bodies of streams, for a framework that takes an iterator."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from component_framework.core import shutdown
from component_framework.core.running import iter_sync
from component_framework.core.streaming import live_body


async def two() -> AsyncIterator[bytes]:
    yield b"1"
    yield b"2"


async def test_a_stream_that_has_ended_is_not_waited_for_when_the_process_stops() -> None:
    before = len(shutdown._streams)
    assert [chunk async for chunk in live_body(two(), shutdown.stopping())] == [b"1", b"2"]
    left = live_body(two(), shutdown.stopping())
    await anext(left)
    await left.aclose()
    await asyncio.sleep(0)  # a future's callbacks run in the loop's next round
    assert len(shutdown._streams) == before


async def test_a_stream_ends_when_the_process_stops() -> None:
    stop = shutdown.stopping()
    body = live_body(two(), stop)
    assert await anext(body) == b"1"
    shutdown.stop()
    await stop
    assert [chunk async for chunk in body] == []


@pytest.mark.parametrize("read", [0, 1])
def test_a_stream_without_an_event_loop_ends_at_its_next_frame_and_is_closed(read: int) -> None:
    closed: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"1"
        finally:
            closed.append("closed")

    body = shutdown.UntilStopped(iter_sync(endless()))
    for _ in range(read):
        assert next(body) == b"1"
    shutdown.stop()
    assert list(body) == []
    body.close()
    assert closed == ["closed"] * read


async def test_a_body_that_nobody_began_to_read_is_not_remembered() -> None:
    before = len(shutdown._streams)
    body = live_body(two(), shutdown.stopping())
    assert len(shutdown._streams) == before + 1
    del body
    assert len(shutdown._streams) == before


async def test_a_server_that_puts_its_own_signal_handler_in_place_of_ours_is_preceded_again() -> None:
    shutdown.listen()
    ours = signal.getsignal(signal.SIGTERM)
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        stop = shutdown.stopping()
        signal.raise_signal(signal.SIGTERM)
        await stop
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, ours)
        shutdown._handlers.clear()
