"""A component's unit of work: what is rolled back together when a handler fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .running import Runner


class Unit:
    """A unit of work, entered and left as its kind demands; nothing where there is none.

    `undo` is awaited where the unit cannot be committed: what it held is rolled back then, but a store that keeps the state
    has it already.
    """

    __slots__ = ("manager", "run", "undo")

    def __init__(self, manager: Any, run: Runner, undo: Callable[[], Awaitable[None]]) -> None:
        self.manager = manager
        self.run = run
        self.undo = undo

    async def __aenter__(self) -> None:
        if self.manager is not None:
            await self.run(getattr(self.manager, "__aenter__", None) or self.manager.__enter__)

    async def __aexit__(self, *exc_info: Any) -> None:
        if self.manager is None:
            return
        try:
            await self.run(getattr(self.manager, "__aexit__", None) or self.manager.__exit__, *exc_info)
        except BaseException:  # a cancellation, too: what was begun has to be rolled back
            if exc_info[0] is None:
                await self.undo()
            raise
