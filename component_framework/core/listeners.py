"""The application's functions for what pages say, and for the coming and going of pages."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .errors import ConfigurationError, nearest
from .fitting import shape_of

logger = logging.getLogger("component_framework")
F = TypeVar("F", bound=Callable[..., Any])

LIFECYCLE = ("start", "stop", "connect", "disconnect")
"""start and stop of a process, with no arguments; connect and disconnect of a tab, with its session."""

RESERVED = frozenset({"error", "ready", "resync", "ping", "pong", "hello"})


class Listener:
    """A function that is called with a session and what a page sent, typed by its signature."""

    __slots__ = ("_warned", "function", "is_async", "name", "shape")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function)
        self.shape = shape_of(name, function, skip=0 if name in ("start", "stop") else 1)
        self._warned = False
        if name in LIFECYCLE and self.shape.required:
            raise ConfigurationError(
                f"on({name!r}): nobody gives {min(self.shape.required)!r}. Take the parameter away."
            )

    def fit(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """`data` with the declared types and defaults; raises Invalid."""
        return self.shape.fit(data)

    def discard(self, value: Any) -> None:
        """Say once that what a listener returns goes nowhere."""
        if value is not None and not self._warned:
            self._warned = True
            logger.warning(
                "ReturnValueDiscarded: what %s returns goes nowhere. Use session.send().", self.function.__qualname__
            )


class Listeners:
    """The functions by the name that they listen to."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[Listener]] = {}

    def on(self, name: str) -> Callable[[F], F]:
        """Register the decorated function, sync or async; raises ValueError for a name that is the framework's own."""
        if name in RESERVED or name.startswith(("component:", "htmx:")):
            raise ReservedName(
                f"{name!r} is a name of the framework's own ({nearest(name, LIFECYCLE)}; any other name is a message)."
            )

        def decorate(function: F) -> F:
            self._by_name.setdefault(name, []).append(Listener(name, function))
            return function

        return decorate

    def of(self, name: str) -> list[Listener]:
        """The listeners of `name`."""
        return self._by_name.get(name, [])

    def __bool__(self) -> bool:
        return bool(self._by_name)


class ReservedName(ConfigurationError, ValueError):
    """A message cannot have this name."""
