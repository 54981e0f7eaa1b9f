"""Work that a handler begins and does not wait for: `self.start(coroutine, done="counted")`.

The work runs in the process that the event came to. Its page learns a signed handle of it, and tells by that handle,
over its connection to any process, that the component is still there. Two topics of the broker belong to each work:
"o:<key>" to whom it belongs, which hears that somebody waits for it, or nobody any more; and "d:<key>" to who waits,
which hears what became of it. What became of it is signed, and the page sends it as an event of the component, with
the component's own state: so a result obeys the rules of every other event, and nothing newer is overwritten.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import PayloadError, RequestError, Unavailable
from .outcomes import Work, read_handle, seal_outcome
from .push import Push
from .spec import spec_of

if TYPE_CHECKING:
    from .component import Context
    from .live import Live
    from .session import Session
    from .signing import Token

logger = logging.getLogger("component_framework")

FORGET = 3
"""Heartbeats without a word from the other side after which it is taken to be gone."""


class Job:
    """A work of this process, while it runs and until its page has taken what became of it."""

    __slots__ = ("outcome", "silent", "task", "work")

    def __init__(self, work: Work, task: asyncio.Task[None]) -> None:
        self.work = work
        self.task = task
        self.outcome: bytes | None = None
        self.silent = 0


class Waiting:
    """A work, perhaps of another process, that a page of this one waits for."""

    __slots__ = ("context", "handle", "name", "silent", "text")

    def __init__(self, name: str, text: str, handle: Token, context: Context) -> None:
        self.name = name
        self.text = text
        """The handle as the page knows it."""
        self.handle = handle
        self.context = context
        self.silent = 0


class Works:
    """What runs here, and what pages of this process wait for."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._jobs: dict[str, Job] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    # -- where it runs ------------------------------------------------------------------------------------------------

    def begin(self, works: Iterable[Work]) -> None:
        """Run `works`, whose components have been shown; on the event loop."""
        for work in works:
            self._jobs[work.key] = Job(work, self._live.keep(self._run(work)))

    async def _run(self, work: Work) -> None:
        await self._live.ready()
        await self._live.subscriptions.hold(f"o:{work.key}")
        event, payload = await _outcome(work)
        job = self._jobs.get(work.key)
        if job is None:
            return
        engine = self._live.engine
        sealed = seal_outcome(
            engine.signer, work.name, work.component_id, event, payload, work.context.identity, engine.clock()
        )
        job.outcome = msgspec.json.encode({"event": event, "outcome": sealed})
        await self._tell(work.key, job.outcome)

    async def _told(self, key: str, here: bool) -> None:
        job = self._jobs.get(key)
        if job is None:
            return
        if not here:
            await self._drop(key)
            return
        job.silent = 0
        await self._tell(key, job.outcome or b"{}")

    async def _tell(self, key: str, message: bytes) -> None:
        try:
            await self._live.broker.publish(f"d:{key}", message)
        except Unavailable:
            pass  # who waits asks again at the next heartbeat

    async def _drop(self, key: str) -> None:
        job = self._jobs.pop(key)
        job.task.cancel()
        await self._live.subscriptions.release(f"o:{key}")

    # -- where its page is --------------------------------------------------------------------------------------------

    async def attend(self, session: Session, works: Iterable[tuple[str, str]]) -> None:
        """Let a page wait for `works`, of each its component's name and its handle, and for nothing else any more."""
        engine, wanted = self._live.engine, {}
        for name, text in works:
            try:
                handle = read_handle(engine.signer, name, text, session.context.identity, engine.clock())
            except RequestError:
                continue  # it was not ours, or too long ago
            wanted[handle.record] = Waiting(name, text, handle, session.context)
        for key in session.waiting.keys() - wanted.keys():
            del session.waiting[key]
            await self._live.subscriptions.leave(session, f"d:{key}")
            await self._say(key, here=False)
        for key in wanted.keys() - session.waiting.keys():
            session.waiting[key] = wanted[key]
            await self._live.subscriptions.enter(session, f"d:{key}")
            await self._say(key, here=True)

    async def _say(self, key: str, *, here: bool) -> None:
        try:
            await self._live.broker.publish(f"o:{key}", b"1" if here else b"")
        except Unavailable:
            pass  # said again at the next heartbeat; and who hears nothing for long gives up

    def deliver(self, topic: str, message: bytes) -> None:
        """What the broker brings of a work."""
        kind, _, key = topic.partition(":")
        if kind == "o":
            self._live.keep(self._told(key, bool(message)))
            return
        told = msgspec.json.decode(message)
        for session in list(self._live.subscriptions.sessions(topic)):
            if (waiting := session.waiting.get(key)) is not None:
                waiting.silent = 0
                if told:
                    session.push(_outcome_push(waiting, told["event"], told["outcome"]))

    async def beat(self) -> None:
        """Ask for what pages wait for, and give up what nobody asks for, or answers for, any more."""
        for key, job in list(self._jobs.items()):
            job.silent += 1
            if job.silent > FORGET:
                await self._drop(key)
        for session in list(self._live.sessions.values()):
            for key, waiting in list(session.waiting.items()):
                waiting.silent += 1
                if waiting.silent > FORGET:
                    self._lose(session, waiting)
                else:
                    await self._say(key, here=True)

    def _lose(self, session: Session, waiting: Waiting) -> None:
        """The process in which it ran is gone."""
        engine, handle = self._live.engine, waiting.handle
        event = msgspec.json.decode(handle.state)["failed"]
        payload = {"error": "This was interrupted. Try again."}
        sealed = seal_outcome(
            engine.signer, waiting.name, handle.id, event, payload, waiting.context.identity, engine.clock()
        )
        session.push(_outcome_push(waiting, event, sealed))


def _outcome_push(waiting: Waiting, event: str, sealed: str) -> Push:
    return Push({"type": "outcome", "work": waiting.text, "id": waiting.handle.id, "event": event, "outcome": sealed})


async def _outcome(work: Work) -> tuple[str, Mapping[str, Any]]:
    """Which event tells of how `work` ended, and its payload."""
    try:
        value = await work.coroutine
        return work.done, _argument(work, value)
    except RequestError as exc:
        return work.failed, {"error": exc.public}
    except Exception:  # a bug in the work: its component hears an id, the log has the rest under it
        error_id = secrets.token_hex(4)
        logger.exception("%s work of %r failed", error_id, work.name)
        return work.failed, {"error": f"Something went wrong. ({error_id})"}


def _argument(work: Work, value: Any) -> Mapping[str, Any]:
    """`value` as the one argument of the handler that takes it; raises PayloadError for what is no JSON of its type."""
    shape = spec_of(work.cls).handlers[work.done].shape
    if not shape.names:
        return {}
    [name] = shape.names
    plain = msgspec.to_builtins(value)
    try:
        shape.fit({name: plain})
    except RequestError as exc:
        raise PayloadError(name, f"{work.cls.__qualname__} takes something else: {exc}") from exc
    return {name: plain}


def on_loop(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: Any) -> None:
    """Call `function` on `loop`: now, from there; soon, from a worker thread."""
    try:
        here = asyncio.get_running_loop() is loop
    except RuntimeError:
        here = False
    if here:
        function(*args)
    else:
        loop.call_soon_threadsafe(function, *args)
