"""The lifecycle, written once.

`frames()` is an async generator: mount or hydrate, authorize, handle the event, and show the component each time it is
ready. Nothing in it suspends unless the component does, so `run_sync` can drive it with no event loop: the same lines
serve WSGI, ASGI, a template tag and a plain unit test.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from copy import deepcopy
from functools import partial
from types import AsyncGeneratorType, GeneratorType
from typing import Any

import msgspec

from .calls import answer, as_json
from .component import Component
from .effects import ELEMENT_ID, Effect, Update
from .errors import ConfigurationError, Invalid, NotFound, RequestError, StateError, StateOutdated, nearest
from .gate import refusal, require_permissions
from .host import Alone, Host, Offload
from .outcomes import announced, begin, opened
from .providing import Provisions
from .rendering import show
from .result import Result
from .running import Runner, steps
from .running import SyncItems as SyncItems
from .running import give_way as give_way
from .running import in_event_loop as in_event_loop
from .running import iter_sync as iter_sync
from .running import run_sync as run_sync
from .running import undivided as undivided
from .spec import Handler, Spec
from .unit import Unit
from .wire import Frame


class _Nothing:
    """What `nullcontext` is, for less: every event passes two of them."""

    def __aenter__(self) -> _Nothing:
        return self

    def __aexit__(self, *exc_info: object) -> _Nothing:
        return self

    def __await__(self) -> Iterator[None]:
        return iter(())


_NO_SCOPE: Any = _Nothing()
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
    admitted: bool = False,
) -> AsyncGenerator[Frame, None]:
    """Bring `component` to life, let it handle `event`, and yield a Frame each time it shows itself.

    `every` shows it at each `yield` of its handler; otherwise only the end is shown, with all effects until then.
    `offload` runs sync methods of an otherwise async class in a worker thread; None calls them directly. `admitted` says
    that the permissions were asked for already. Raises NotFound, Forbidden, Unauthenticated, StateError, and whatever the
    component raises.
    """
    spec = component._compiled
    component._host = host
    component._forget(anew=restored is None)
    run = Runner(component, offload if component.blocking else None, host.time_limit)
    handler = None if event is None else _find(spec, event)
    if not admitted and (component.permissions or (handler is not None and handler.permissions)):
        wanted = (*component.permissions, *(handler.permissions if handler is not None else ()))
        asked = (wanted, spec.title, event, component.context, host.has_permission)
        await run(require_permissions, *asked, kind="plain")
    if component.id is None:
        component.id = host.new_id(component)
    elif restored is None and not ELEMENT_ID.fullmatch(component.id):
        raise ConfigurationError(f"{component.id!r} is no element id: a letter, then letters, digits and _ . : - only")
    async with Provisions(component, host.providers, run) if spec.asks else _NO_SCOPE as provided:
        if restored is None:
            await _mount(component, spec, run, provided)
        else:
            await _hydrate(component, spec, run, restored)
        if "authorize" in spec.overrides or host.authorize is not None:
            await _authorize(component, spec, run, event)
        answered = restored.answered if isinstance(restored, Restored) else None
        if answered is not None:
            component._effects = list(answered)
        if handler is None and restored is not None and "catch_up" in spec.overrides:
            await run(component.catch_up)
        if handler is None or answered is not None:
            shown = await _frame(component, run, last=True)
        else:
            before = restored if isinstance(restored, Restored) else _snapshot(component, spec)
            try:
                if handler.is_outcome:
                    payload = opened(component, handler, payload)
                accepted = run(component._accept, handler, payload, kind="plain") if handler.blocks else None
                arguments = component._accept(handler, payload) if accepted is None else await accepted
                if provided is not None:
                    arguments = {**arguments, **await provided.fill(handler.shape.needs)}
                guarded = host.unit is not None or "unit_of_work" in spec.overrides
                async with (
                    _unit(component, run, host, before, streamed=every and handler.streams) if guarded else _NO_SCOPE
                ):
                    outcome = await run.timed(component.handle_event, handler.event, arguments, kind=handler.kind)
                    if isinstance(outcome, _GENERATORS):
                        async with aclosing(steps(outcome, run)) as taken:
                            async for _ in taken:
                                if every:
                                    yield await _frame(component, run)
                    shown = await _shown(component, handler, outcome, before, run)
            except Invalid as exc:
                if provided is not None:
                    await provided.restart(exc)
                shown_so_far = component._version, component._children
                await _hydrate(component, spec, run, before)
                component._version, component._children = shown_so_far
                component._effects.clear()
                component._works = ()
                component._show_refusal(handler, exc.errors)
                component._event_id = None  # not executed: a retry is a first try
                shown = await _frame(component, run, status=exc.status, last=True)
    yield shown


def _unit(component: Component, run: Runner, host: Host, before: Restored, *, streamed: bool) -> Any:
    """The component's own unit of work, or its surroundings'; that of a request does not last as long as a stream."""
    spec = component._compiled
    if "unit_of_work" in spec.overrides:
        manager = component.unit_of_work()
    elif host.unit is not None and not streamed:
        manager = host.unit()
    else:
        return _NO_SCOPE
    return Unit(manager, run, partial(_take_back, component, spec, run, host, before))


async def _take_back(component: Component, spec: Spec, run: Runner, host: Host, before: Restored) -> None:
    """Put the state of `before` in the place of one that was put away already."""
    version = component._version
    await _hydrate(component, spec, run, before)
    component._version, component._event_id = version + 1, None  # not executed: a retry is a first try
    with suppress(RequestError):  # somebody has gone on from it already, or the store is away
        await host.seal(component, ())


async def _shown(component: Component, handler: Handler, outcome: Any, before: Restored, run: Runner) -> Frame:
    """What a handler that has come to its end is answered with."""
    if handler.is_call and component._works:
        raise ConfigurationError(f"{component._compiled.title} starts work in a @call, which gives its value at once.")
    if handler.is_call and not handler.mutates:
        return answer(component, handler, outcome, before)
    if component._skip:
        return await _nothing(component, component._compiled, before)
    frame = await _frame(component, run, last=True)
    return msgspec.structs.replace(frame, value=as_json(component, handler, outcome)) if handler.is_call else frame


async def _mount(component: Component, spec: Spec, run: Runner, provided: Provisions | None) -> None:
    fitted = spec.fit_params(component.params)
    component.params = fitted
    # a copy: what a handler does to the state must not change the params that a fresh render begins with
    vars(component).update((name, deepcopy(value)) for name, value in fitted.items() if name in spec.state.names)
    if "mount" in spec.overrides:
        given = await provided.fill(spec.mount.needs) if provided is not None else {}
        await run(component.mount, **spec.mount_arguments(fitted), **given)


async def _hydrate(component: Component, spec: Spec, run: Runner, restored: Restored | Mapping[str, Any]) -> None:
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


async def admit(component: Component, restored: Restored, *, host: Host, offload: Offload | None) -> None:
    """Bring `component` to life and ask whether its visitor may see it, without showing it; raises what `frames()` would."""
    spec, component._host = component._compiled, host
    run = Runner(component, offload if component.blocking else None, host.time_limit)
    async with Provisions(component, host.providers, run) if spec.asks else _NO_SCOPE:
        await _hydrate(component, spec, run, restored)
        if "authorize" in spec.overrides or host.authorize is not None:
            await _authorize(component, spec, run, None)


async def _authorize(component: Component, spec: Spec, run: Runner, event: str | None) -> None:
    allowed = True
    if "authorize" in spec.overrides:
        allowed = await run(component.authorize, event)
    if allowed and component._host is not None and component._host.authorize is not None:
        allowed = await run(component._host.authorize, component, event)
    if not allowed:
        raise refusal(spec.title, component.context, event)


def _find(spec: Spec, event: str) -> Handler:
    try:
        return spec.handlers[event]
    except KeyError:
        raise NotFound(f"{spec.title} has no event {event!r} ({nearest(event, spec.handlers)})") from None


async def _frame(component: Component, run: Runner, *, status: int = 200, last: bool = False) -> Frame:
    """Show `component`, with the effects that it has asked for since the last frame."""
    effects, component._effects = component._effects, []
    if component._works:
        effects += announced(component)
    component._version += 1
    html = await show(component, run, effects)
    if component._works:
        begin(component)
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
    host, effects = component._host or Alone(), (*component._effects, *announced(component))
    changed = spec.load(before.state) != spec.load(spec.dump(*component._remembered()))
    if changed or any(isinstance(effect, Update) for effect in effects):
        what = "changed its state" if changed else "called update()"
        raise StateError(f"{spec.title} {what} and then called skip_render(): the page would not learn of the change.")
    await host.note(component, effects)
    component._effects = []
    if component._works:
        begin(component)
    return Frame(
        html="",
        component_id=component.id or "",
        token=component._token,
        version=component._version,
        effects=effects,
        status=204,
        last=True,
    )


async def _update(component: Component, effect: Update, run: Runner) -> Frame:
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


async def last(shown: AsyncIterator[Frame]) -> Frame:
    """The last frame of `shown`, which has at least one."""
    newest = None
    async for frame in shown:
        newest = frame
    assert newest is not None  # frames() yields at least once, or raises
    return newest
