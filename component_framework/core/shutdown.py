"""Ends open streams when the process is told to stop.

Servers wait for open connections before they stop, and a stream is one that never closes by itself. So the first
stream puts a handler in front of the server's own for SIGTERM and SIGINT: it ends the streams, then lets the server's
handler run. A server that is not run by the main thread cannot have signals of its own; it calls `stop()` itself.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol

_streams: weakref.WeakSet[asyncio.Future[None]] = weakref.WeakSet()  # a body that nobody began to read is forgotten
_stops = 0
_last_steps: list[weakref.finalize[..., object]] = []
_handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {}


class Closing(Protocol):
    """Chunks of a body that have to be closed."""

    def __next__(self) -> bytes: ...
    def close(self) -> None: ...


def stopping() -> asyncio.Future[None]:
    """A future of the running loop that is done when the process is told to stop."""
    listen()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    _streams.add(future)
    future.add_done_callback(_streams.discard)
    return future


def at_stop(step: weakref.finalize[..., object]) -> None:
    """Call `step` when the process is told to stop: some servers let the signal end it, and `atexit` is not asked."""
    listen()
    _last_steps[:] = [*(known for known in _last_steps if known.alive), step]


def stop() -> None:
    """End every open stream of this process, and clear away what nobody will ask for."""
    global _stops
    _stops += 1
    for step in _last_steps:
        step()
    for future in tuple(_streams):
        if not future.get_loop().is_closed():
            future.get_loop().call_soon_threadsafe(_finish, future)


class UntilStopped(Iterator[bytes]):
    """`chunks` until the process is told to stop, for a server without an event loop; `close()` closes them."""

    def __init__(self, chunks: Closing) -> None:
        listen()
        self._chunks = chunks
        self._before = _stops

    def __next__(self) -> bytes:
        if _stops != self._before:
            raise StopIteration
        return next(self._chunks)

    def close(self) -> None:
        self._chunks.close()


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def listen() -> None:
    """Hear of SIGTERM and SIGINT from now on; nothing happens but in the main thread.

    A server may put handlers of its own in place of ours after the application was loaded: then ours goes before them.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not _handlers.get(number):
            _chain(number)


def _chain(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def handle(signum: int, frame: FrameType | None) -> None:
        stop()
        if callable(before):
            before(signum, frame)
        elif before is signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)

    _handlers[number] = handle
    signal.signal(number, handle)
