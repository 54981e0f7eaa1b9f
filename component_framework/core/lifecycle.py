"""The lifecycle, written once.

`frames()` is an async generator: mount or hydrate, authorize, handle the event, and show the component each time it is
ready. Nothing in it suspends unless the component does, so `run_sync` can drive it with no event loop: the same lines
serve WSGI, ASGI, a template tag and a plain unit test.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing, nullcontext, suppress
from contextvars import copy_context
from copy import deepcopy
from types import AsyncGeneratorType, GeneratorType
from typing import Any, TypeVar

import msgspec

from .calls import answer, as_json
from .component import Component
from .effects import ELEMENT_ID, Effect, Update
from .errors import ConfigurationError, Invalid, NotFound, StateError, StateOutdated, Timeout, nearest
from .gate import count, refusal, require_permissions
from .host import Alone, Host, Offload
from .rendering import show
from .result import Result
from .spec import Handler, Spec, kind_of
from .unit import Unit
from .wire import Frame

T = TypeVar("T")

_END = object()
_NO_UNIT = nullcontext()
_GENERATORS = (AsyncGeneratorType, GeneratorType)


class Restored(msgspec.Struct, frozen=True):
    """An earlier contact: the encoded state, which children were mounted, and the version.

    `answered` holds the effects of the event where it was handled before: this call is a retry of it.
    """

    state: bytes
    children: Mapping[str, Any]
    version: int
    answered: Sequence[Effect] | None = None


async def frames(
    component: Component,
    event: str | None,
    payload: Mapping[str, Any],
    restored: Restored | Mapping[str, Any] | None,
    *,
    host: Host,
    offload: Offload | None = None,
    every: bool = False,
) -> AsyncGenerator[Frame, None]:
    """Bring `component` to life, let it handle `event`, and yield a Frame each time it shows itself.

    `every` shows it at each `yield` of its handler; otherwise only the end is shown, with all effects until then.
    `offload` runs sync methods of an otherwise async class in a worker thread; None calls them directly. Raises
    NotFound, Forbidden, Unauthenticated, StateError, and whatever the component raises.
    """
    spec = component._compiled
    component._host = host
    component.errors, component._effects, component._skip = {}, [], False  # of an earlier dispatch() of the same object
    run = _Runner(component, offload if component.blocking else None, host.time_limit)
    handler = None if event is None else _find(spec, event)
    require_permissions(component, handler)
    if component.rate_limit is not None or (handler is not None and handler.rate_limit is not None):
        await count(host.rate_limiter, component, handler)
    if component.id is None:
        component.id = host.new_id(component)
    elif restored is None and not ELEMENT_ID.fullmatch(component.id):
        raise ConfigurationError(f"{component.id!r} is no element id: a letter, then letters, digits and _ . : - only")
    if restored is None:
        await _mount(component, spec, run)
    else:
        await _hydrate(component, spec, run, restored)
    if "authorize" in spec.overrides or host.authorize is not None:
        await _authorize(component, spec, run, event)
    if isinstance(restored, Restored) and restored.answered is not None:
        component._effects = list(restored.answered)
    elif handler is not None:
        before = restored if isinstance(restored, Restored) else _snapshot(component, spec)
        try:
            arguments = handler.shape.fit(payload)
            async with Unit(component, run) if "unit_of_work" in spec.overrides else _NO_UNIT:
                outcome = await run.timed(component.handle_event, handler.event, arguments, kind=handler.kind)
                if isinstance(outcome, _GENERATORS):
                    async with aclosing(_steps(outcome, run)) as steps:
                        async for _ in steps:
                            if every:
                                yield await _frame(component, run)
                if handler.is_call and not handler.mutates:
                    shown = answer(component, handler, outcome, before)
                elif component._skip:
                    shown = await _nothing(component, spec, before)
                else:
                    shown = await _frame(component, run, last=True)
                    if handler.is_call:
                        shown = msgspec.structs.replace(shown, value=as_json(component, handler, outcome))
        except Invalid as exc:
            shown_so_far = component._version, component._children
            await _hydrate(component, spec, run, before)
            component._version, component._children = shown_so_far
            component._effects.clear()
            component.errors = exc.errors
            component._event_id = None  # not executed: a retry is a first try
            shown = await _frame(component, run, status=exc.status, last=True)
        yield shown
        return
    yield await _frame(component, run, last=True)


async def _mount(component: Component, spec: Spec, run: _Runner) -> None:
    fitted = spec.fit_params(component.params)
    component.params = fitted
    # a copy: what a handler does to the state must not change the params that a fresh render begins with
    vars(component).update((name, deepcopy(value)) for name, value in fitted.items() if name in spec.state.names)
    if "mount" in spec.overrides:
        await run(component.mount, **spec.mount_arguments(fitted))


async def _hydrate(component: Component, spec: Spec, run: _Runner, restored: Restored | Mapping[str, Any]) -> None:
    if isinstance(restored, Restored):
        try:
            values, free = spec.load(restored.state)
        except StateError as exc:
            raise StateOutdated(str(exc)) from exc
        component._children = dict(restored.children)
        component._version = restored.version
    else:
        values, free = spec.convert(restored)
    if "hydrate" in spec.overrides:
        await run(component.hydrate, {**values, **free})
    else:
        _assign(component, values, free)


def _assign(component: Component, values: Mapping[str, Any], free: Mapping[str, Any]) -> None:
    vars(component).update(values)
    component._free = dict(free)


def _snapshot(component: Component, spec: Spec) -> Restored:
    state = spec.dump(*component._remembered())
    return Restored(state, component._children, component._version)


async def _authorize(component: Component, spec: Spec, run: _Runner, event: str | None) -> None:
    allowed = True
    if "authorize" in spec.overrides:
        allowed = await run(component.authorize, event)
    if allowed and component._host is not None and component._host.authorize is not None:
        allowed = await run(component._host.authorize, component, event)
    if not allowed:
        raise refusal(component, event)


def _find(spec: Spec, event: str) -> Handler:
    try:
        return spec.handlers[event]
    except KeyError:
        raise NotFound(f"{spec.title} has no event {event!r} ({nearest(event, spec.handlers)})") from None


async def _steps(
    outcome: AsyncGeneratorType[Any, Any] | GeneratorType[Any, Any, Any], run: _Runner
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


class _Runner:
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

    async def timed(self, method: Callable[..., Any], *args: Any, kind: str | None = None) -> Any:
        """A call that raises Timeout when it takes longer than the limit.

        What waits on the event loop is cancelled then. A thread cannot be: a sync method comes to its end, and what it
        did to the state is not saved.
        """
        if self.limit is None:
            return await self(method, *args, kind=kind)
        import asyncio  # here and below: importing it takes longer than all of this package

        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.limit) if self._may_wait(kind) else nullcontext():
                value = await self(method, *args, kind=kind)
        except TimeoutError:
            if time.monotonic() - begun < self.limit:
                raise  # the handler's own
            raise self._timeout() from None
        if time.monotonic() - begun > self.limit:
            raise self._timeout()
        return value

    def _may_wait(self, kind: str | None) -> bool:
        return kind != "plain" and in_event_loop()

    def _timeout(self) -> Timeout:
        return Timeout(f"{self.component._compiled.title} took longer than {self.limit} s")


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
    if "asyncio" not in sys.modules:
        return False
    from asyncio import get_running_loop

    try:
        get_running_loop()
    except RuntimeError:
        return False
    return True


async def _frame(component: Component, run: _Runner, *, status: int = 200, last: bool = False) -> Frame:
    """Show `component`, with the effects that it has asked for since the last frame."""
    effects, component._effects = component._effects, []
    component._version += 1
    html = await show(component, run, effects)
    others = (
        [await _update(component, effect, run) for effect in effects if isinstance(effect, Update)] if effects else ()
    )
    return Frame(
        html=html,
        component_id=component.id or "",
        token=component._token,
        version=component._version,
        effects=tuple(effect for effect in effects if not isinstance(effect, Update)) if effects else (),
        others=tuple(others),
        errors=component.errors,
        status=status,
        last=last,
    )


async def _nothing(component: Component, spec: Spec, before: Restored) -> Frame:
    """A Frame of effects alone; raises StateError where the page would have to learn of more than that."""
    host, effects = component._host or Alone(), tuple(component._effects)
    changed = spec.load(before.state) != spec.load(spec.dump(*component._remembered()))
    if changed or any(isinstance(effect, Update) for effect in effects):
        what = "changed its state" if changed else "called update()"
        raise StateError(f"{spec.title} {what} and then called skip_render(): the page would not learn of the change.")
    await host.note(component, effects)
    component._effects = []
    return Frame(
        html="",
        component_id=component.id or "",
        token=component._token,
        version=component._version,
        effects=effects,
        status=204,
        last=True,
    )


async def _update(component: Component, effect: Update, run: _Runner) -> Frame:
    host = component._host or Alone()
    return await host.show_other(
        effect.component, target=effect.target, params=effect.params, context=component.context, offload=run.offload
    )


async def dispatch(
    component: Component, event: str | None, payload: Mapping[str, Any] | None, state: Mapping[str, Any] | None
) -> Result:
    """The lifecycle for a caller in the same process, with state as values instead of a token."""
    host = component._host or Alone()
    shown = await last(frames(component, event, payload or {}, state, host=host))
    values = {
        "html": shown.html,
        "state": component.dehydrate(),
        "component_id": component.id,
        "errors": component.errors,
        "effects": shown.effects,
    }
    return Result(values, host.trouble if isinstance(host, Alone) else None)


async def last(steps: AsyncIterator[Frame]) -> Frame:
    """The last of `steps`, which has at least one."""
    shown = None
    async for step in steps:
        shown = step
    assert shown is not None  # frames() yields at least once, or raises
    return shown


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive `coroutine` to its end in this thread, with no event loop; ConfigurationError if it has to wait."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)  # a loop that runs in this thread would close the generators in it once more
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # a StopIteration does not know its type
    finally:
        coroutine.close()
        sys.set_asyncgen_hooks(*hooks)
    raise ConfigurationError(
        f"{getattr(coroutine, '__qualname__', coroutine)} had to wait for something asynchronous, but was called from synchronous code. "
        "Use async_dispatch() or await engine.async_mount(), or serve the component over ASGI."
    )


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
