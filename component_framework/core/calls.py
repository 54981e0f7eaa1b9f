"""Methods of a component that answer with a value instead of markup: `@call`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from .errors import ConfigurationError, StateError
from .plain import require_json

if TYPE_CHECKING:
    from .component import Component
    from .lifecycle import Restored
    from .spec import Handler
    from .wire import Frame

F = TypeVar("F", bound=Callable[..., Any])

PREFIX = "call:"
"""What a call's name begins with on the wire, so that it is never taken for an event."""


@overload
def call(method: F, /) -> F: ...
@overload
def call(*, mutates: bool = ...) -> Callable[[F], F]: ...
def call(method: Any = None, /, *, mutates: bool = False) -> Any:
    """Let a page ask for what the decorated method returns: `await components.call(element, "total", {ids})`.

    The arguments are typed by the signature, as an event's are; the value is whatever msgspec can write as JSON.
    Nothing is swapped and the state stays as it is, unless `mutates` says that the method changes it.
    """

    def decorate(function: Any) -> Any:
        if function.__name__.startswith(("on_", "_")):
            raise ConfigurationError(f"@call on {function.__name__}: name it as what it gives, such as total().")
        function.component_call = mutates
        return function

    return decorate if method is None else decorate(method)


def as_json(component: Component, handler: Handler, value: Any) -> msgspec.Raw:
    """`value` as JSON; raises PayloadError, naming the path, for what is none."""
    from .mounted import referring

    try:
        plain = msgspec.to_builtins(referring(value))
    except TypeError as exc:
        raise StateError(
            f"{component._compiled.title}.{handler.event[len(PREFIX) :]}() gives what is no JSON: {exc}"
        ) from exc
    require_json(plain, handler.event[len(PREFIX) :])
    return msgspec.Raw(msgspec.json.encode(plain))


def answer(component: Component, handler: Handler, value: Any, before: Restored) -> Frame:
    """The answer of a call that changes nothing; raises StateError where it did."""
    from .wire import Frame

    spec = component._compiled
    if spec.load(before.state) != spec.load(spec.dump(*component._remembered())):
        raise StateError(f"{spec.title}.{handler.event[len(PREFIX) :]}() changes the state. Write @call(mutates=True).")
    return Frame(
        html="",
        component_id=component.id or "",
        token=component._token,
        version=component._version,
        status=204,
        value=as_json(component, handler, value),
        last=True,
    )
