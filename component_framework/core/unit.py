"""A component's unit of work: what is rolled back together when a handler fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .component import Component
    from .rendering import Runner


class Unit:
    """The component's unit of work, entered and left as its kind demands; nothing for a class without one."""

    __slots__ = ("manager", "run")

    def __init__(self, component: Component, run: Runner) -> None:
        self.manager = component.unit_of_work()
        self.run = run

    async def __aenter__(self) -> None:
        if self.manager is not None:
            await self.run(getattr(self.manager, "__aenter__", None) or self.manager.__enter__)

    async def __aexit__(self, *exc_info: Any) -> None:
        if self.manager is not None:
            await self.run(getattr(self.manager, "__aexit__", None) or self.manager.__exit__, *exc_info)
