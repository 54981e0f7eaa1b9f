"""One method of a component that something calls: an event's, a call's, an outcome's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .errors import ConfigurationError
from .fitting import shape_of
from .payloads import Payload, may_block, payload_of, stand_for

if TYPE_CHECKING:
    from .component import Component
    from .gate import Permission

UNSENDABLE = frozenset({"event", "trigger", "csrfmiddlewaretoken"})
"""Names that a form, or `on()`, gives a meaning of their own."""

Kind = Literal["plain", "coroutine", "generator", "async_generator"]


class Handler:
    """A method: the shape of its payload, and how it runs."""

    __slots__ = (
        "blocks", "call", "event", "is_async", "is_call", "is_outcome", "kind", "mutates", "permissions", "rate_limit", "shape", "streams",
        "uploads",
    )  # fmt: skip

    def __init__(self, cls: type[Component], event: str, method: Callable[..., Any]) -> None:
        owner = cls.__qualname__
        self.event = event
        self.call = method
        self.is_outcome = hasattr(method, "component_outcome")
        self.shape: Payload = (
            shape_of(owner, method, stand_for=stand_for(cls, method))
            if self.is_outcome
            else payload_of(cls, event, method)
        )
        self.blocks = may_block(self.shape)
        self.uploads = self.shape.uploads
        for name in self.shape.fields:
            if name in UNSENDABLE or name.startswith("_"):
                raise ConfigurationError(
                    f"{owner}.on_{event}: no form can send {name!r}, which the framework reads itself. Rename the parameter."
                )
        mutates: bool | None = getattr(method, "component_call", None)
        self.is_call = mutates is not None
        self.mutates = bool(mutates)
        self.kind = kind_of(method)
        self.permissions: tuple[Permission, ...] = getattr(method, "permissions", ())
        self.rate_limit: str | None = getattr(method, "rate_limit", None)
        self.streams = self.kind in ("generator", "async_generator")
        self.is_async = self.kind in ("coroutine", "async_generator")
        if self.is_call and self.streams:
            raise ConfigurationError(f"{owner}: a @call gives one value. Take the yield out of {method.__name__}().")
        if self.is_outcome and len(self.shape.names) > 1:
            raise ConfigurationError(
                f"{owner}.{method.__name__}: an outcome has one parameter, the result or the error."
            )


def kind_of(function: Callable[..., Any]) -> Kind:
    """How calling `function` has to be continued."""
    if inspect.isasyncgenfunction(function):
        return "async_generator"
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    return "generator" if inspect.isgeneratorfunction(function) else "plain"
