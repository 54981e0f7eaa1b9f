"""How the methods of a component are called: with an event loop or without, in a worker thread or here, within a time limit."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, nullcontext, suppress
from contextvars import copy_context
from types import AsyncGeneratorType, GeneratorType
from typing import Any, TypeVar

from .component import Component
from .errors import ConfigurationError, Timeout
from .host import Offload
from .spec import kind_of

T = TypeVar("T")

_END = object()


class Runner:
    """Calls the component's methods: awaits the async ones, and takes sync ones off the event loop when told to."""

    __slots__ = ("component", "limit", "offload")

    def __init__(self, component: Component, offload: Offload | None, limit: float | None) -> None:
        self.component = component
        self.offload = offload
        self.limit = limit

    async def __call__(self, method: Callable[..., Any], *args: Any, kind: str | None = None, **kwargs: Any) -> Any:
        if self.offload is not None and (kind or kind_of(method)) == "plain":
            value = await undivided(self.offload(lambda: method(*args, **kwargs)))
        else:
            value = method(*args, **kwargs)
        return await value if hasattr(value, "__await__") else value

    def timed(self, method: Callable[..., Any], *args: Any, kind: str | None = None) -> Awaitable[Any]:
        """A call that raises Timeout when it takes longer than the limit.

        What waits on the event loop is cancelled then. A thread cannot be: a sync method comes to its end, and what it
        did to the state is not saved.
        """
        return self(method, *args, kind=kind) if self.limit is None else self._timed(self.limit, method, args, kind)

    async def _timed(self, limit: float, method: Callable[..., Any], args: Sequence[Any], kind: str | None) -> Any:
        import asyncio  # here and below: importing it takes longer than all of this package

        begun = time.monotonic()
        try:
            async with asyncio.timeout(limit) if self._may_wait(kind) else nullcontext():
                value = await self(method, *args, kind=kind)
        except TimeoutError:
            if time.monotonic() - begun < limit:
                raise  # the handler's own
            raise self._timeout() from None
        if time.monotonic() - begun > limit:
            raise self._timeout()
        return value

    def _may_wait(self, kind: str | None) -> bool:
        return kind != "plain" and in_event_loop()

    def _timeout(self) -> Timeout:
        return Timeout(f"{self.component._compiled.title} took longer than {self.limit} s")


async def steps(
    outcome: AsyncGeneratorType[Any, Any] | GeneratorType[Any, Any, Any], run: Runner
) -> AsyncGenerator[None, None]:
    """The steps of a handler that yields, sync or async; closing this closes the handler."""
    if isinstance(outcome, AsyncGeneratorType):
        async with aclosing(outcome):
            while await run.timed(_advance_async, outcome, kind="coroutine"):
                yield
    else:
        context = copy_context()  # each step may run in another thread
        try:
            while await run.timed(context.run, _advance, outcome, kind="plain"):
                yield
        finally:
            await run(context.run, outcome.close, kind="plain")


async def _advance_async(generator: AsyncIterator[Any]) -> bool:
    return await anext(generator, _END) is not _END


def _advance(generator: Iterator[Any]) -> bool:
    """Take one step; StopIteration cannot cross an await, so it becomes False."""
    for _ in generator:
        return True
    return False


async def undivided(work: Awaitable[T]) -> T:
    """Await what a worker thread does; a cancellation takes effect once it is done, for a thread cannot be stopped.

    Going on at once would close a generator, or roll back a transaction, in which the thread is still at work.
    """
    import asyncio

    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((task,))
        raise


def in_event_loop() -> bool:
    """Whether this thread runs an event loop at the moment, so that awaiting may suspend."""
    # where nobody has imported asyncio to its end, no loop runs; asyncio itself is slower to import than all of this package
    running = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)
    return running is not None and running() is not None


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive `coroutine` to its end in this thread, with no event loop; ConfigurationError if it has to wait."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)  # a loop that runs in this thread would close the generators in it once more
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # a StopIteration does not know its type
    except RuntimeError as exc:
        if str(exc) != _NO_LOOP:
            raise
        raise _waited(coroutine) from exc  # what a component awaits has asked for the loop before it waited
    finally:
        coroutine.close()
        sys.set_asyncgen_hooks(*hooks)
    raise _waited(coroutine)


_NO_LOOP = "no running event loop"


def _waited(coroutine: Coroutine[Any, Any, Any]) -> ConfigurationError:
    return ConfigurationError(
        f"{getattr(coroutine, '__qualname__', coroutine)} had to wait for something asynchronous, but was called from synchronous code. "
        "Use async_dispatch() or await engine.async_mount(), or serve the component over ASGI."
    )


async def give_way(attempt: int) -> None:
    """Wait a moment, the longer the more often this was overtaken, so that those who try at the same time come apart."""
    if not attempt:
        return
    import random  # seldom needed, and not to be imported by every program

    seconds = random.uniform(0, 0.001 * 2 ** min(attempt, 5))  # noqa: S311  # no secret
    if in_event_loop():
        import asyncio

        await asyncio.sleep(seconds)
    else:
        time.sleep(seconds)  # noqa: ASYNC251  # there is no loop to stop


def iter_sync(items: AsyncIterator[T]) -> SyncItems[T]:
    """Iterate over `items` in this thread, with no event loop."""
    return SyncItems(items)


class SyncItems(Iterator[T]):
    """Asynchronous items that need not wait; `close()` closes them, begun or not."""

    def __init__(self, items: AsyncIterator[T]) -> None:
        self._items = items

    def __next__(self) -> T:
        try:
            return run_sync(_next(self._items))
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        if (aclose := getattr(self._items, "aclose", None)) is not None:
            run_sync(aclose())


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)
