"""Who follows what: from a topic to the pages that show it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import msgspec

from .component import Component
from .errors import Forbidden, NotFound, RequestError, TooLarge, Unauthenticated
from .lifecycle import admit, frames, last
from .push import Push, replace_component, replace_content
from .refusing import weigh
from .rendering import inner_markup
from .state import StoredState
from .topics import handle, topics_of
from .wire import Call, Frame

if TYPE_CHECKING:
    from .live import Live
    from .session import Session

logger = logging.getLogger("component_framework")

COALESCE = 0.05
"""Seconds between two pushes of what is published without a pause."""


class Followed:
    """A topic or a group that this process follows, with whom it reaches."""

    __slots__ = ("again", "latest", "name", "push", "sessions", "shown", "timer")

    def __init__(self, name: str) -> None:
        self.name = name
        self.sessions: set[Session] = set()
        """Pages that are told to ask for themselves, because their state is in their tokens; or a group's members."""
        self.shown: set[Shown] = set()
        """Components that are rendered here, and pushed."""
        self.push = Push({"type": "refresh", "topic": handle(name[2:])})
        self.timer: asyncio.TimerHandle | None = None
        self.again = False
        self.latest = 0
        """The number of the last publication."""


class Shown:
    """A component that the server renders for a push: a stored one on one page, or a shared one on many (`key`)."""

    __slots__ = ("busy", "dirty", "key", "sessions", "topics")

    def __init__(self, topics: tuple[str, ...], key: str = "") -> None:
        self.topics = topics
        self.key = key
        self.sessions: dict[Session, Call] = {}
        """The pages that show it, each with a token of its own."""
        self.busy = self.dirty = False


class Subscriptions:
    """The topics and groups of a process, and the pages behind them."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._followed: dict[str, Followed] = {}
        self._shared: dict[str, Shown] = {}
        self._lock = asyncio.Lock()
        self._published = 0

    def __len__(self) -> int:
        return len(self._followed)

    def sessions(self, name: str) -> Collection[Session]:
        """The sessions that follow `name`."""
        followed = self._followed.get(name)
        return followed.sessions if followed is not None else ()

    async def hold(self, name: str) -> None:
        """Follow `name` for the process itself."""
        async with self._lock:
            await self._live.broker.follow(name)

    async def release(self, name: str) -> None:
        """The opposite of `hold()`."""
        async with self._lock:
            await self._live.broker.unfollow(name)

    async def enter(self, session: Session, name: str) -> None:
        """Add a session to a group."""
        (await self._follow(name)).sessions.add(session)

    async def leave(self, session: Session, name: str) -> None:
        """Take a session out of a group."""
        if (followed := self._followed.get(name)) is not None:
            followed.sessions.discard(session)
            await self._let_go(followed)

    async def _follow(self, name: str) -> Followed:
        followed = self._followed.get(name)
        if followed is None:
            followed = self._followed[name] = Followed(name)
        async with self._lock:  # the broker hears of one wish at a time, so that an older one never comes last
            if name not in self._live.broker_topics:
                await self._live.broker.follow(name)
                self._live.broker_topics.add(name)
        return followed

    async def _let_go(self, followed: Followed) -> None:
        if followed.sessions or followed.shown or self._followed.get(followed.name) is not followed:
            return
        del self._followed[followed.name]
        if followed.timer is not None:
            followed.timer.cancel()
        async with self._lock:
            if followed.name not in self._followed and followed.name in self._live.broker_topics:
                self._live.broker_topics.discard(followed.name)
                await self._live.broker.unfollow(followed.name)

    # -- what a page shows ----------------------------------------------------------------------------------------

    async def join(self, session: Session, components: Iterable[tuple[str, str, str, str]]) -> None:
        """Subscribe a page to what its components show now, and to nothing else.

        `components` has the name, id, token and digest of each. What looks different by now is brought up to date.
        """
        topics, shown = session.topics, session.shown
        session.topics, session.shown, session.components = set(), {}, {}
        for number, (name, id, token, digest) in enumerate(components):
            try:
                if number >= self._live.limits.components:
                    too_many = TooLarge(f"the page has more than {self._live.limits.components} live components")
                    session.push(Push({"type": "error", "id": id, "code": too_many.code, "message": too_many.public}))
                    break  # one word is enough for all the others
                await self._join_one(
                    session, Call(component=name, state=token, component_id=id, context=session.context), digest
                )
            except RequestError as exc:
                error = await weigh(self._live.engine, exc, session.context)
                session.push(Push({"type": "error", "id": id, "code": error.code, "message": error.public}))
            except Exception:  # one component that cannot be shown must not keep the others away
                logger.exception("a live %r could not be joined", name)
                session.push(Push({"type": "error", "id": id, "code": "failed", "message": "This cannot be shown."}))
        for each in shown.values():
            if each not in session.shown.values():
                await self._drop(session, each)
        for topic in topics - session.topics:
            await self.leave(session, f"t:{topic}")

    async def _join_one(self, session: Session, call: Call, digest: str) -> None:
        before = self._published
        component, frame = await self._show(call)
        if not component._compiled.live:
            raise NotFound(f"{call.component} subscribes to nothing")
        topics = topics_of(component)
        is_new = any(f"t:{topic}" not in self._followed for topic in topics)
        followed = [await self._follow(f"t:{topic}") for topic in topics]
        here = self._here(session, component, call, topics)
        session.components[frame.component_id] = call.component
        for each in followed:
            if here is None:
                each.sessions.add(session)
            else:
                each.shown.add(here)
        if is_new or any(each.latest > before for each in followed):  # something may have been published meanwhile
            component, frame = await self._show(call)
        assert component._live is not None  # it was shown
        if component._live[1] != digest:
            session.push(_brought_up(here, component, frame))

    def _here(self, session: Session, component: Component, call: Call, topics: tuple[str, ...]) -> Shown | None:
        """What is rendered here for a component of a page; None for one that asks for itself."""
        if type(component).shared:
            assert component._live is not None  # it was shown
            key = component._live[0]
            shown = self._shared.setdefault(key, Shown(topics, key))
        elif isinstance(self._live.engine.home(type(component)), StoredState):
            shown = Shown(topics)
        else:
            session.topics.update(topics)
            return None
        shown.sessions[session] = call
        session.shown[call.component_id or ""] = shown
        return shown

    async def _show(self, call: Call) -> tuple[Component, Frame]:
        """A page's component as it is now and as its visitor may see it; raises RequestError."""
        engine = self._live.engine
        component, restored = await engine.receive(call, self._live.offload)
        shown = frames(component, None, {}, restored, host=engine, offload=self._live.offload, admitted=True)
        return component, await last(shown)

    async def _drop(self, session: Session, shown: Shown) -> None:
        shown.sessions.pop(session, None)
        if shown.sessions:
            return
        if shown.key:
            self._shared.pop(shown.key, None)
        for topic in shown.topics:
            if (followed := self._followed.get(f"t:{topic}")) is not None:
                followed.shown.discard(shown)
                await self._let_go(followed)

    async def drop(self, session: Session) -> None:
        """Forget all that a session follows."""
        await self.join(session, ())
        for group in list(session.groups):
            await self._live.leave_group(session, group)

    # -- what is published ----------------------------------------------------------------------------------------

    def publish(self, name: str) -> None:
        """Reach all that follow the topic `name`: at once, and after that once in every COALESCE seconds."""
        followed = self._followed.get(name)
        if followed is None:
            return
        self._published += 1
        followed.latest = self._published
        if followed.timer is not None:
            followed.again = True
            return
        followed.timer = self._live.loop.call_later(COALESCE, self._again, followed)
        push = followed.push
        for session in followed.sessions:
            if not session.waits_for(push):
                session.push(push)
        for shown in followed.shown:
            self.refresh(shown)

    def _again(self, followed: Followed) -> None:
        followed.timer = None
        if followed.again:
            followed.again = False
            self.publish(followed.name)

    def publish_all(self) -> None:
        """Render everything anew that is rendered here."""
        for shown in {shown for followed in self._followed.values() for shown in followed.shown}:
            self.refresh(shown)

    def refresh(self, shown: Shown) -> None:
        """Render and push `shown`; what comes while that is done has it done once more."""
        shown.dirty = True
        if not shown.busy:
            shown.busy = True
            self._live.keep(self._refresh(shown))

    async def _refresh(self, shown: Shown) -> None:
        try:
            while shown.dirty and shown.sessions:
                shown.dirty = False
                await self._push(shown)
        finally:
            shown.busy = False

    async def _push(self, shown: Shown) -> None:
        """Render `shown` once, for the first page whose visitor may see it, and push that to all whose visitors may."""
        push = None
        for session in list(shown.sessions):
            if (call := shown.sessions.get(session)) is None:
                continue  # it has left meanwhile
            try:
                if push is None:
                    call = await self._of_now(session, call)
                    component, frame = await self._show(call)
                    push = _brought_up(shown, component, frame)
                elif self._is_guarded(call):
                    await self._require_admission(await self._of_now(session, call))
            except (Forbidden, Unauthenticated, NotFound):
                shown.sessions.pop(session, None)
            except RequestError as exc:
                told = {"type": "error", "id": call.component_id, "code": exc.code, "message": exc.public}
                session.push(Push(told))
            else:
                session.push(push)

    async def _of_now(self, session: Session, call: Call) -> Call:
        """`call` with who is at the page now; raises Unauthenticated when that is nobody any more."""
        if session._renew is not None and self._is_guarded(call):
            session.context = await session._renew()
        return msgspec.structs.replace(call, context=session.context)

    def _is_guarded(self, call: Call) -> bool:
        """Whether it depends on the visitor who may see a component."""
        engine, cls = self._live.engine, self._live.engine.registry[call.component]
        return bool(cls.permissions) or engine.authorize is not None or cls.authorize is not Component.authorize

    async def _require_admission(self, call: Call) -> None:
        """Raise what showing a page's component to its visitor would raise, without rendering it."""
        engine, offload = self._live.engine, self._live.offload
        component, restored = await engine.receive(call, offload)
        if restored is not None:
            await admit(component, restored, host=engine, offload=offload)


def _brought_up(shown: Shown | None, component: Component, frame: Frame) -> Push:
    """What a page has to be told so that it shows `frame`."""
    if shown is None:
        return Push({"type": "refresh", "id": frame.component_id})
    if shown.key:
        return replace_content(shown.key, inner_markup(frame.html))
    return replace_component(frame.component_id, frame.html)
