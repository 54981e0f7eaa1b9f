"""A component on the page of a tab, for the server to talk to: `session.component("cart")`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from .calls import PREFIX
from .component import Component
from .errors import Invalid
from .spec import spec_of

if TYPE_CHECKING:
    from .session import Session

EVENT = "component:event"
"""What the page's script has registered by itself: to send an event of one of its components."""

_REFERENCE = "$ref"


class Mounted:
    """A component that a tab shows, by its element id, or by the name that it is registered as (the first on the page).

    The page sends what is asked for, with the component's own state, as if its visitor had: permissions and all.
    """

    __slots__ = ("_session", "target")

    def __init__(self, session: Session, target: str) -> None:
        self._session = session
        self.target = target

    def __repr__(self) -> str:
        return f"<Mounted {self.target!r} of {self._session!r}>"

    async def call(self, name: str, /, *, returns: Any = Any, timeout: float = 10.0, **data: Any) -> Any:
        """Have the component handle the event `name`, and show itself; or give what its `@call` of that name gives.

        Raises what `session.call()` raises: BrowserError for a component that is not there, and for a refusal.
        """
        registry = self._session.engine.registry
        calls = [own for own, cls in registry.items() if PREFIX + name in spec_of(cls).handlers]
        return await self._session.call(
            EVENT, returns=returns, timeout=timeout, target=self.target, event=name, data=referring(data), calls=calls
        )


def referring(value: Any) -> Any:
    """`value` with a reference for each component in it; the page finds its element."""
    if isinstance(value, Mounted):
        return {_REFERENCE: value.target}
    if isinstance(value, Component):
        return {_REFERENCE: value.id}
    if isinstance(value, dict):
        return {name: referring(item) for name, item in value.items()}
    return [referring(item) for item in value] if isinstance(value, list) else value


def dereferenced(session: Session | None, data: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The references of `data` under the names of `defaults`, as components of this tab and of no other; raises Invalid."""
    found: dict[str, Any] = {}
    for name, default in defaults.items():
        value = data.get(name, default)
        if (
            isinstance(value, dict)
            and value.keys() == {_REFERENCE}
            and isinstance(value[_REFERENCE], str)
            and session is not None
        ):
            found[name] = Mounted(session, value[_REFERENCE])
        elif value is default and default is not msgspec.NODEFAULT:
            found[name] = value
        else:
            raise Invalid({name: ["This is no component of the page."]})
    return found
