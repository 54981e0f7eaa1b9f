"""The application's functions for what pages say, and for the coming and going of pages."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .errors import ConfigurationError
from .fitting import Shape, members, shape_of
from .host import Offload
from .mounted import Mounted, dereferenced

if TYPE_CHECKING:
    from .session import Session

logger = logging.getLogger("component_framework")
F = TypeVar("F", bound=Callable[..., Any])

LIFECYCLE = ("start", "stop", "connect", "disconnect")
"""start and stop of a process, with no arguments; connect and disconnect of a tab, with its session."""

RESERVED = frozenset({"error", "ready", "resync", "ping", "pong", "hello"})
MISSPELT = 0.85
"""How much a name may look like one of LIFECYCLE (difflib's ratio) before it is taken for a slip of the pen."""


class Listener:
    """A function that is called with a session and what a page sent, typed by its signature.

    One that is not for `pages` gets no session: it hears what the application itself emits.
    """

    __slots__ = ("_warned", "function", "is_async", "name", "pages", "references", "shape")

    def __init__(self, name: str, function: Callable[..., Any], *, pages: bool = True) -> None:
        self.name = name
        self.function = function
        self.pages = pages
        self.is_async = inspect.iscoroutinefunction(function)
        alone = not pages or name in ("start", "stop")
        if not alone and not inspect.signature(function).parameters:
            raise ConfigurationError(f"on({name!r}): {function.__qualname__}() takes no session. Write it first.")
        self.shape = shape_of(name, function, skip=0 if alone else 1) if pages else Shape("Nothing", [])
        self.references = {need.name: need.default for need in self.shape.needs if Mounted in members(need.type)}
        for need in self.shape.needs:
            if need.name not in self.references and need.default is msgspec.NODEFAULT:
                raise ConfigurationError(f"on({name!r}): nobody gives {need.name!r}, and no page can. Take it away.")
        self._warned = False
        if name in LIFECYCLE and self.shape.required:
            raise ConfigurationError(
                f"on({name!r}): nobody gives {min(self.shape.required)!r}. Take the parameter away."
            )

    def fit(self, data: Mapping[str, Any], session: Session | None = None) -> dict[str, Any]:
        """`data` with the declared types and defaults, components on the page of `session` among them; raises Invalid."""
        if not self.references:
            return self.shape.fit(data)
        rest = {key: value for key, value in data.items() if key not in self.references}
        return self.shape.fit(rest) | dereferenced(session, data, self.references)

    async def call(self, positional: tuple[Any, ...], arguments: Mapping[str, Any], offload: Offload) -> Any:
        """What the function gives: one that is sync runs in a worker thread."""
        if self.is_async:
            return await self.function(*positional, **arguments)
        return await offload(partial(self.function, *positional, **arguments))

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

    def on(self, name: str, *, pages: bool = True) -> Callable[[F], F]:
        """Register the decorated function, sync or async.

        Raises ValueError for a name that is the framework's own, or looks like a misspelt one of LIFECYCLE.
        """
        known = f"Of the coming and going of pages tell {', '.join(LIFECYCLE)}; any other name is a message's"
        if name in RESERVED or name.startswith(("component:", "htmx:")):
            raise ReservedName(f"{name!r} is a name of the framework's own. {known}.")
        import difflib  # not with the package: it is slow to import, and most pages have no listeners

        near = difflib.get_close_matches(name.lower(), LIFECYCLE, n=1, cutoff=MISSPELT)
        if near and name not in LIFECYCLE:
            raise ReservedName(
                f"{name!r} looks like {near[0]!r}. {known}, and should not be mistaken for one of these."
            )
        if name in LIFECYCLE and not pages:
            raise ReservedName(f"{name!r} is not emitted by an application. {known}.")

        def decorate(function: F) -> F:
            self._by_name.setdefault(name, []).append(Listener(name, function, pages=pages))
            return function

        return decorate

    def of(self, name: str) -> list[Listener]:
        """The listeners of `name`."""
        return self._by_name.get(name, [])

    def __bool__(self) -> bool:
        """Whether any of them is for pages."""
        return any(listener.pages for listeners in self._by_name.values() for listener in listeners)


class ReservedName(ConfigurationError, ValueError):
    """A message cannot have this name."""
