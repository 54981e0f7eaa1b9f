"""Streamed answers: the component class of the specification, and a body that an ASGI server can send.

`live_body` adds to the frames what a connection needs: a heartbeat, the end when the server shuts down, and the
closing of the handler's generator when the client leaves.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from .component import StreamingComponent as StreamingComponent
from .host import Offload
from .lifecycle import run_sync, undivided
from .outcomes import keep_loop
from .wire import sse_message

PING = 15.0
"""Seconds of silence after which a heartbeat is sent (WIRE.md)."""

PING_MESSAGE = sse_message("", event="ping")
_END = object()


def thread_context() -> contextvars.Context:
    """A copy of the running context for worker threads, where the event loop is known although it does not run there."""
    context = contextvars.copy_context()
    context.run(keep_loop)
    return context


class Steps:
    """Iterates over `frames` in worker threads, one step at a time, all of them in `context`, as the first one was."""

    def __init__(self, frames: AsyncIterator[Any], offload: Offload, context: contextvars.Context) -> None:
        self._frames = frames
        self._offload = offload
        self._context = context

    def __aiter__(self) -> Steps:
        return self

    async def __anext__(self) -> Any:
        value = await undivided(self._offload(self._context.run, run_sync, _next(self._frames)))
        if value is _END:
            raise StopAsyncIteration
        return value

    async def aclose(self) -> None:
        """Close the frames, in a worker thread as well: their `finally` may wait."""
        await undivided(self._offload(self._context.run, run_sync, close(self._frames)))


async def _next(frames: AsyncIterator[Any]) -> Any:
    return await anext(frames, _END)


async def close(frames: AsyncIterator[Any]) -> None:
    """Close what can be closed; nothing happens if it is closed already."""
    if (close := getattr(frames, "aclose", None)) is not None:
        await close()


async def live_body(
    body: AsyncIterator[bytes], stop: asyncio.Future[None], *, ping: float = PING
) -> AsyncGenerator[bytes, None]:
    """`body` with a heartbeat in every `ping` seconds of silence, ended early when `stop` is done.

    For a framework that takes an iterator (Django); where we send by ourselves, core.asgi does the same with one task.

    Closing this iterator, or cancelling the task that reads it, cancels the step under way and closes `body`. At the
    end `stop` is done as well, so that nothing waits for it any longer.
    """
    step: asyncio.Future[bytes] | None = None
    context = own_context()
    try:
        while not stop.done():
            if step is None:
                step = asyncio.get_running_loop().create_task(_step(body), context=context)
                await asyncio.sleep(0)  # a frame that is ready at once needs no waiting, and nobody else starves
            if not step.done():
                await asyncio.wait((step, stop), timeout=ping, return_when=asyncio.FIRST_COMPLETED)
            if step.done():
                chunk = step.result()
                step = None
                if not chunk:
                    return
                yield chunk
            elif not stop.done():
                yield PING_MESSAGE
    finally:
        if step is not None:
            step.cancel()
            await asyncio.gather(step, return_exceptions=True)
        stop.cancel()
        await close(body)


def own_context() -> contextvars.Context:
    """The context of this task, in which the first step ran: what a handler sets it finds, and may reset, in the next.

    Python 3.11 does not give it away: a copy serves there, in which a handler cannot reset what its first step set.
    """
    task: Any = asyncio.current_task()
    return task.get_context() if hasattr(task, "get_context") else contextvars.copy_context()


async def _step(body: AsyncIterator[bytes]) -> bytes:
    return await anext(body, b"")
