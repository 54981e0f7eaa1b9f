"""What becomes of a work, as events that only the server can send: `@outcome`, and how they are signed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .effects import Emit
from .errors import ConfigurationError, NotFound, RequestError, nearest
from .plain import require_json
from .signing import Token, TokenSigner, raw

if TYPE_CHECKING:
    from .component import Component, Context
    from .spec import Handler

F = TypeVar("F", bound=Callable[..., Any])

PREFIX = "outcome:"
"""What the event of an outcome begins with on the wire, so that it is never taken for one that a page may send."""

_FIELD = "outcome"
_LOOP: ContextVar[Any] = ContextVar("component_loop", default=None)


def outcome(method: F) -> F:
    """Let the decorated `on_<event>` method take what a work gives, and nothing else: `self.start(…, done="<event>")`.

    It has one parameter, the result, typed as any; or, where it is told of a failure, `error: str`, a text for the
    visitor. A page cannot call it.
    """
    if not method.__name__.startswith("on_"):
        raise ConfigurationError(
            f"@outcome on {method.__name__}: an outcome is an event. Name it on_{method.__name__}."
        )
    method.component_outcome = True  # type: ignore[attr-defined]  # a mark on a function
    return method


class Work:
    """A coroutine that a component has begun, and what tells of its end; closed if it never runs."""

    __slots__ = ("cls", "component_id", "context", "coroutine", "done", "failed", "key", "name")

    def __init__(self, component: Component, coroutine: Coroutine[Any, Any, Any], done: str, failed: str) -> None:
        self.coroutine = coroutine
        self.cls = type(component)
        self.name = component._compiled.name
        self.done = PREFIX + done
        self.failed = PREFIX + failed
        self.key = secrets.token_urlsafe(12)
        self.component_id = ""
        self.context: Context = component.context

    def __del__(self) -> None:
        self.coroutine.close()  # one that has run does not mind; one that was begun by an event that failed never will


def start(component: Component, coroutine: Coroutine[Any, Any, Any], done: str, failed: str) -> Work:
    """A Work of `component`; raises ConfigurationError for an event that is no outcome of it."""
    work = Work(component, coroutine, done, failed)
    spec = component._compiled
    for event in (work.done, work.failed):
        if event not in spec.handlers:
            name = event[len(PREFIX) :]
            known = [known[len(PREFIX) :] for known in spec.handlers if known.startswith(PREFIX)]
            how = f"Write @outcome above on_{name}" if name in spec.handlers else nearest(name, known)
            raise ConfigurationError(f"{spec.title} has no outcome {name!r} ({how}).")
    return work


def announced(component: Component) -> list[Emit]:
    """What tells the page of the works of `component`; raises ConfigurationError where nothing can run them."""
    if not component._works:
        return []
    engine = component.engine
    if engine is None:
        return [Emit("component:work", {}) for _ in component._works]
    from .running import in_event_loop

    if _LOOP.get() is None and not in_event_loop():
        raise ConfigurationError(
            f"{component._compiled.title} starts work, which needs an event loop: serve it over ASGI."
        )
    return [Emit("component:work", {"work": _handle(engine, component, work)}) for work in component._works]


def _handle(engine: Any, component: Component, work: Work) -> str:
    work.component_id = component.id or ""
    state = raw({"failed": work.failed})
    token = Token(int(engine.clock()), work.component_id, "", 0, raw({}), {}, state, work.key)
    handle: str = engine.signer.seal(token, f"{work.name}?work", work.context.identity)
    return handle


def begin(component: Component) -> None:
    """Run the works of `component`: it has been shown, and its state was saved."""
    works, component._works = component._works, ()
    if (engine := component.engine) is None:
        return
    from .work import on_loop

    loop = _LOOP.get()
    if loop is None:
        from asyncio import get_running_loop

        loop = get_running_loop()
    on_loop(loop, lambda: engine.live().works.begin(works))


def keep_loop() -> None:
    """Remember the event loop, in the context of what goes on in a worker thread."""
    from asyncio import get_running_loop

    _LOOP.set(get_running_loop())


def read_handle(signer: TokenSigner, name: str, text: str, identity: str, now: float) -> Token:
    """What is signed in the handle of a work; raises StateInvalid, or StateExpired."""
    return signer.open(text, f"{name}?work", identity, now)


def seal_outcome(
    signer: TokenSigner, name: str, component_id: str, event: str, payload: Mapping[str, Any], identity: str, now: float
) -> str:
    """The payload of an outcome, good for one component of one visitor; raises PayloadError for what is not JSON."""
    require_json(payload, event)
    return signer.seal(Token(int(now), component_id, "", 0, raw({}), {}, raw(payload)), f"{name}?{event}", identity)


def opened(component: Component, handler: Handler, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload of an outcome, out of what a page has passed on; raises NotFound for what the server did not sign."""
    engine = component.engine
    if engine is None:
        return payload  # no page has sent it: a test has
    text = payload.get(_FIELD)
    text = text[-1] if isinstance(text, list) and text else text
    try:
        if not isinstance(text, str) or payload.keys() != {_FIELD}:
            raise NotFound("an outcome comes signed, and alone")
        purpose = f"{component._compiled.name}?{handler.event}"
        token: Token = engine.signer.open(text, purpose, component.context.identity, engine.clock())
        if token.id != component.id:
            raise NotFound("the outcome is of another component")
    except RequestError as exc:
        raise NotFound(f"{component._compiled.title} has no event {handler.event!r} for pages: {exc}") from None
    values: Mapping[str, Any] = msgspec.json.decode(token.state)
    return values
