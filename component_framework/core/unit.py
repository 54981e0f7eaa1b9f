"""A component's unit of work: what is rolled back together when a handler fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .running import Runner


class Unit:
    """A unit of work, entered and left as its kind demands; nothing where there is none."""

    __slots__ = ("manager", "run")

    def __init__(self, manager: Any, run: Runner) -> None:
        self.manager = manager
        self.run = run

    async def __aenter__(self) -> None:
        if self.manager is not None:
            await self.run(getattr(self.manager, "__aenter__", None) or self.manager.__enter__)

    async def __aexit__(self, *exc_info: Any) -> None:
        if self.manager is not None:
            await self.run(getattr(self.manager, "__aexit__", None) or self.manager.__exit__, *exc_info)
