"""The tabs of one process: who is connected, who follows which topic, and how a push reaches them.

Everything here runs on one event loop. What happens in other processes comes in by the broker, and what happens here
goes out by it, so that both look alike.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .broker import Broker
from .component import Context
from .connection import Connection
from .errors import RequestError, StateInvalid, Unavailable
from .host import Offload
from .inbox import Inbox
from .presence import TOPIC, Presence
from .push import PING, RESYNC, Push
from .realtime import identity_topic
from .session import Session
from .shutdown import stopping
from .signing import Token, raw
from .subscriptions import Subscriptions
from .transport import POLICY, RESTART, TRY_LATER, Transport, TransportClosed
from .work import Works, on_loop

if TYPE_CHECKING:
    from .engine import Engine

logger = logging.getLogger("component_framework")
T = TypeVar("T")

NAME = "live"
"""The name that tokens of sessions are signed for; no component can have it."""

FIRST = "live?first"
"""What the token of a page is signed for that has not come yet; good once, for the page may be shown twice."""

VERSION = 1
"""Of what is said over connections; a page whose script speaks another does without one (docs/wire-protocol.md)."""

EVERYBODY = "a:"
SILENCES = 3
"""Heartbeats without a word from the page after which its socket is taken to be dead."""


class Live:
    """The sessions of one engine on one event loop."""

    def __init__(self, engine: Engine, broker: Broker, offload: Offload | None) -> None:
        self.engine = engine
        self.broker = broker
        self.offload = offload
        self.limits = engine.limits
        self.loop = asyncio.get_running_loop()
        self.id = secrets.token_urlsafe(9)
        self.sessions: dict[str, Session] = {}
        self.broker_topics: set[str] = set()
        self.subscriptions = Subscriptions(self)
        self.presence = Presence(self)
        self.inbox = Inbox(self)
        self.works = Works(self)
        self._users: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._begun: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._leaving: set[asyncio.Future[None]] = set()

    # -- coming and going -------------------------------------------------------------------------------------------

    async def enter(self, context: Context, token: str | None) -> Session:
        """The session of `token`, or a new one; raises Unavailable when there are too many."""
        await self.ready()
        session = self._known(context, token) if token else None
        if session is not None:
            session.context = context
            return session
        return self._admit(context)

    def _known(self, context: Context, token: str) -> Session | None:
        """The session of `token`, if it is one of ours and of this visitor; None for any other."""
        for purpose in (NAME, FIRST):
            with suppress(RequestError):
                session = self.sessions.get(self.open(context, token, purpose).id)
                return session if session is None or purpose == NAME or session.awaited else None
        return None

    def open(self, context: Context, token: str, purpose: str = NAME) -> Token:
        """What is signed in a session's token; raises StateInvalid, or StateExpired."""
        if not isinstance(token, str):
            raise StateInvalid("the session is no token")
        return self.engine.signer.open(token, purpose, context.identity, self.engine.clock())

    async def prepare(self, context: Context) -> tuple[Session, str]:
        """A session whose page has not come yet, and the token with which its first connection takes it, and no other."""
        await self.ready()
        session = self._admit(context, awaited=True)
        self._await_return(session)
        return session, self._token(session, FIRST)

    def _admit(self, context: Context, *, awaited: bool = False) -> Session:
        session = Session(self, secrets.token_urlsafe(12), context)
        limits, (user, address) = self.limits, session._counted
        if (
            len(self.sessions) >= limits.sessions
            or (user and self._users[user] >= limits.sessions_per_user)
            or (address and self._addresses[address] >= limits.sessions_per_address)
        ):
            raise Unavailable("there are too many open pages", retry_after=30)
        self.sessions[session.id] = session
        self._users[user] += 1
        self._addresses[address] += 1
        if user:
            self.keep(self.subscriptions.enter(session, identity_topic(user)))
        session.awaited = awaited
        if not awaited:
            self.inbox.lifecycle("connect", session)
        return session

    async def run(
        self,
        session: Session,
        transport: Transport,
        *,
        last: int = 0,
        renew: Callable[[], Awaitable[Context]] | None = None,
        answers: bool = False,
    ) -> None:
        """Serve a connection of `session` until it ends, from the message after `last`. A newer one takes its place.

        `answers` says that the page answers heartbeats; `renew` finds out again who is at it, before each event.
        """
        resumed = not session.awaited and (session.seq > 0 or session.received > 0 or session._expiry is not None)
        self._detain(session)
        if session.awaited:
            session.awaited = False
            self.inbox.lifecycle("connect", session)
        session._renew = renew
        hello = {
            "type": "hello", "session": self._token(session), "received": session.received, "resumed": resumed,
            "v": VERSION, "heartbeat": self.limits.heartbeat,
        }  # fmt: skip
        connection = Connection(session, transport, session.resume(last if resumed else 0), [Push(hello)], answers)
        if (earlier := session._connection) is not None:
            earlier.drop(RESTART)
        session._connection = connection
        connection.task = asyncio.create_task(self._write(connection))
        try:
            while connection.closing is None:
                message = await transport.recv()
                connection.alive = True
                self.inbox.take(session, message)
        except TransportClosed:
            pass
        finally:
            connection.drop(1000)
            await asyncio.gather(connection.task, return_exceptions=True)
            if session._connection is None and session.id in self.sessions and session._expiry is None:
                self._await_return(session)

    async def _write(self, connection: Connection) -> None:
        try:
            await connection.write()
        except TransportClosed:
            connection.drop(1006)
        except asyncio.CancelledError:
            closing = connection.closing
            if closing is None:
                raise
            await self._close_stuck(connection.transport, closing)

    async def _close_stuck(self, transport: Transport, code: int) -> None:
        """Close what cannot be written to, without waiting for it to be read."""
        try:
            async with asyncio.timeout(1):
                await transport.close(code)
        except TimeoutError:
            pass  # the server notices by itself

    def _await_return(self, session: Session) -> None:
        session._expiry = self.loop.call_later(self.limits.grace, self._expire, session)

    def _detain(self, session: Session) -> None:
        if session._expiry is not None:
            session._expiry.cancel()
            session._expiry = None

    def _expire(self, session: Session) -> None:
        self.keep(self._forget(session))

    async def end(self, session: Session, code: int, reason: str = "") -> None:
        """End a session, and the connection that it may have."""
        if session._connection is not None:
            session._connection.drop(code)
        await self._forget(session)

    async def _forget(self, session: Session) -> None:
        if self.sessions.pop(session.id, None) is None:
            return
        done = self.loop.create_future()
        self._leaving.add(done)
        try:
            await self._take_leave(session)
        finally:
            self._leaving.discard(done)
            done.set_result(None)

    async def _take_leave(self, session: Session) -> None:
        self._detain(session)
        for counter, key in zip((self._users, self._addresses), session._counted, strict=True):
            counter[key] -= 1
            if counter[key] <= 0:
                del counter[key]
        session.finish()
        if session.greeting is not None:
            await asyncio.wait((session.greeting,))
        if not session.awaited:
            await self.inbox.tell("disconnect", session)
        await self.works.attend(session, ())
        await self.subscriptions.drop(session)
        if session.context.identity:
            await self.subscriptions.leave(session, identity_topic(session.context.identity))

    def _token(self, session: Session, purpose: str = NAME) -> str:
        token = Token(int(self.engine.clock()), session.id, "", 0, raw({}), {}, raw({}), self.id)
        return self.engine.signer.seal(token, purpose, session.context.identity)

    # -- from the page, where it cannot send down its connection ------------------------------------------------------

    async def post(self, context: Context, body: bytes) -> None:
        """Messages of a page whose connection goes one way; raises RequestError. They may be for another process."""
        await self.ready()
        token, messages = self.inbox.read_post(body)
        opened = self.open(context, token)
        session = self.sessions.get(opened.id)
        if session is not None:
            session.context = context
            self.inbox.take_all(session, messages)
        elif opened.record != self.id:
            relayed = msgspec.json.encode({"session": opened.id, "messages": messages})
            await self.broker.publish(f"w:{opened.record}", relayed)
        else:
            raise StateInvalid("the session is over")

    # -- to the pages -------------------------------------------------------------------------------------------------

    def deliver(self, topic: str, message: bytes) -> None:
        """What the broker brings."""
        kind = topic.partition(":")[0]
        if kind == "t":
            self.subscriptions.publish(topic)
        elif kind == "w":
            self._relayed(message)
        elif kind in ("o", "d"):
            self.works.deliver(topic, message)
        elif kind == "p":
            self.presence.deliver(message)
        elif kind == "i":
            for session in list(self.subscriptions.sessions(topic)):
                self.keep(self.end(session, POLICY, "logged out"))
        else:
            self._broadcast(topic, message)

    def _broadcast(self, topic: str, message: bytes) -> None:
        sent = msgspec.json.decode(message)
        exclude = sent.pop("exclude", None)
        push = Push(sent)
        for session in self.sessions.values() if topic == EVERYBODY else self.subscriptions.sessions(topic):
            if session.id != exclude:
                session.push(push)

    def _relayed(self, message: bytes) -> None:
        relayed = msgspec.json.decode(message)
        session = self.sessions.get(relayed["session"])
        if session is not None:
            self.inbox.take_all(session, relayed["messages"])

    def lost(self) -> None:
        """The broker was away: nobody knows what was published meanwhile, so that every page looks anew."""
        for session in self.sessions.values():
            session.push(RESYNC)
        self.subscriptions.publish_all()

    async def enter_group(self, session: Session, group: str, who: dict[str, Any]) -> None:
        """Add a session to a group, and tell who it is if it says so."""
        if session.closed:
            return
        if group not in session.groups:
            session.groups.add(group)
            await self.subscriptions.enter(session, f"g:{group}")
        if who:
            await self.presence.enter(session.id, group, who)

    async def leave_group(self, session: Session, group: str) -> None:
        """Take a session out of a group."""
        if group in session.groups:
            session.groups.discard(group)
            await self.subscriptions.leave(session, f"g:{group}")
            await self.presence.leave(session.id, group)

    @property
    def run_off_loop(self) -> Offload:
        """How sync functions reach a worker thread."""
        from .asgi import offload

        return self.offload or offload

    # -- the event loop -----------------------------------------------------------------------------------------------

    def soon(self, function: Callable[..., None], *args: Any) -> None:
        """Call `function` on the event loop: now, from there; soon, from a worker thread."""
        on_loop(self.loop, function, *args)

    def on_loop(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> Awaitable[T]:
        """Begin `function` on the event loop, whether or not anybody awaits it."""
        try:
            if asyncio.get_running_loop() is self.loop:
                return self.keep(function(*args))
        except RuntimeError:
            pass
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(function(*args), self.loop), loop=self.loop)

    def keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that is not forgotten while it runs, and whose failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._kept)
        return task

    def _kept(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("work for open pages failed", exc_info=error)

    async def ready(self) -> None:
        """Listen to the broker, and tell the listeners of "start"; the first page waits for that, the others with it."""
        if self._begun is None:
            self._begun = self.keep(self._start())
        if not self._begun.done():
            await asyncio.shield(self._begun)  # a first page that leaves must not take it with it

    async def _start(self) -> None:
        self.keep(self.broker.listen(self.deliver, self.lost))
        for topic in (EVERYBODY, TOPIC, f"w:{self.id}"):
            await self.subscriptions.hold(topic)
        self.keep(self.presence.ask())
        self.keep(self._beat())
        self.keep(self._end_at(stopping()))
        await self.inbox.tell("start", None)

    async def _beat(self) -> None:
        """One clock for all connections: a heartbeat, and the end of those that do not answer."""
        while True:
            await asyncio.sleep(self.limits.heartbeat)
            await self.presence.beat()
            await self.works.beat()
            for session in list(self.sessions.values()):
                if (connection := session._connection) is not None:
                    self._check(connection)

    def _check(self, connection: Connection) -> None:
        connection.silences = 0 if connection.alive else connection.silences + 1
        connection.alive = not connection.answers
        if connection.silences >= SILENCES:
            connection.drop(TRY_LATER)
        else:
            connection.say(PING)

    async def _end_at(self, stop: asyncio.Future[None]) -> None:
        try:
            await stop
        finally:
            stop.cancel()
        await self.stop()

    async def stop(self) -> None:
        """Send every page away, to come back elsewhere, and tell the listeners of "stop"."""
        if self._begun is None:
            return
        self._begun = None
        await asyncio.gather(*(self.end(session, RESTART) for session in list(self.sessions.values())))
        if self._leaving:
            await asyncio.wait(self._leaving)
        await self.inbox.tell("stop", None)
        current = asyncio.current_task()
        for task in [task for task in self._tasks if task is not current]:
            task.cancel()
