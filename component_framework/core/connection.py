"""One connection of a session: what writes the session's log out to its page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .push import Push
from .transport import TRY_LATER, Transport

if TYPE_CHECKING:
    from .session import Session


ACKNOWLEDGE = 0.1
"""Seconds after which a page hears that its messages have arrived."""


class Connection:
    """Writes a session's log out to its page, in one task, so that messages keep their order and are never mixed."""

    __slots__ = (
        "_acknowledging",
        "_loop",
        "_waiter",
        "_writing",
        "alive",
        "answers",
        "closing",
        "cursor",
        "first",
        "session",
        "silences",
        "task",
        "transport",
    )

    def __init__(self, session: Session, transport: Transport, cursor: int, first: list[Push], answers: bool) -> None:
        self.session = session
        self.transport = transport
        self.cursor = cursor
        self.first = first
        """Messages that are not counted, and go before all others."""
        self.alive = True
        """Whether the page was heard from, or written to, since the last heartbeat."""
        self.answers = answers
        self.silences = 0
        self.closing: int | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writing = False
        self._acknowledging: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.task: asyncio.Task[None] | None = None

    async def write(self) -> None:
        """Write until the connection ends; raises TransportClosed."""
        while self.closing is None:
            await self.drain()
            if self.closing is None and (self._writing or not self._behind()):
                self._waiter = self._loop.create_future()
                await self._waiter
        await self.transport.close(self.closing)

    async def drain(self) -> None:
        """Write what there is; while one task does so, another has nothing to do. Raises TransportClosed."""
        if self._writing:
            return
        self._writing = True
        session, transport = self.session, self.transport
        try:
            while self.closing is None:
                if self.first:
                    await transport.send(self.first.pop(0), 0)
                elif (push := session.after(self.cursor)) is not None:
                    self.cursor += 1
                    await transport.send(push, self.cursor)
                else:
                    return
        except asyncio.CancelledError:
            self.drop(TRY_LATER)  # perhaps in the middle of a message: its page comes back for it
            raise
        finally:
            self._writing = False

    def _behind(self) -> bool:
        return bool(self.first) or self.cursor < self.session.seq

    def next_turn(self) -> int:
        """The number that its next turn to write begins with; one that is stuck in a turn can do with the newest alone."""
        return self.session.seq if self._writing else self.cursor + 1

    def wake(self) -> None:
        """There is something to write, unless somebody writes already."""
        if (waiter := self._waiter) is not None and not waiter.done() and self._behind():
            waiter.set_result(None)

    def say(self, push: Push) -> None:
        """Send `push` before everything else, and not again after a reconnect."""
        self.first.append(push)
        self.wake()

    def acknowledge(self) -> None:
        """Tell the page in a moment which of its messages have arrived: one word for all that come until then."""
        if self._acknowledging is None:
            self._acknowledging = self._loop.call_later(ACKNOWLEDGE, self._say_received)

    def _say_received(self) -> None:
        self._acknowledging = None
        self.say(Push({"type": "ack", "n": self.session.received}))

    def drop(self, code: int) -> None:
        """End the connection, even while it is stuck in writing."""
        if self.closing is None:
            self.closing = code
            if self._acknowledging is not None:
                self._acknowledging.cancel()
            if self.session._connection is self:
                self.session._connection = None
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
            elif self.task is not None:
                self.task.cancel()
