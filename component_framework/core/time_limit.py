"""A time limit that costs nearly nothing where it is not reached."""

from __future__ import annotations

import asyncio


class TimeLimit:
    """One time limit for everything that waits on an event loop: `asyncio.timeout()` with a single timer.

    A timer for each command, mostly for nothing, costs as much as sending it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._waiting: dict[Waiting, None] = {}
        """With the one that has waited longest in front, since all have the same limit."""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Waiting:
        """The running task waits from now on; it must `end()` that."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(loop.time() + self.seconds)
        self._waiting[waiting] = None
        if self._timer is None:
            self._timer = loop.call_at(waiting.deadline, self._look, loop)
        return waiting

    def end(self, waiting: Waiting) -> None:
        """It waits no more."""
        del self._waiting[waiting]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now, self._timer = loop.time(), None
        for waiting in self._waiting:
            if waiting.deadline > now:
                self._timer = loop.call_at(waiting.deadline, self._look, loop)
                break
            waiting.give_up()


class Waiting:
    """A task that waits, and until when."""

    __slots__ = ("_cancelling", "_given_up", "_task", "deadline")

    def __init__(self, deadline: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # whoever awaits is in one
        self._task = task
        self._cancelling = task.cancelling()
        self._given_up = False
        self.deadline = deadline

    def give_up(self) -> None:
        """Cancel the task."""
        if not self._given_up:
            self._given_up = True
            self._task.cancel()

    def ran_out(self, exc: BaseException) -> bool:
        """Whether `exc` comes of having waited too long, and of no other cancellation."""
        return self._given_up and self._task.uncancel() <= self._cancelling and isinstance(exc, asyncio.CancelledError)
