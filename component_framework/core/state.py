"""The home of a component's state between two events: from a token to a component, and back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from .component import Component
from .errors import Invalid, StateError, StateInvalid, StateOutdated, TooLarge
from .lifecycle import Restored
from .limits import Limits
from .signing import Token, TokenSigner, raw
from .spec import Spec, spec_of
from .wire import Call

logger = logging.getLogger("component_framework")


@dataclass(slots=True)
class TokenState:
    """State that lives in the page, in a signed token: no server memory, and any worker can answer."""

    signer: TokenSigner
    limits: Limits
    clock: Callable[[], float]
    _warned: set[type[Component]] = field(default_factory=set)

    def seal(self, component: Component) -> str:
        """The token of `component` as it is now; raises StateError or TooLarge for what must not leave."""
        spec = component._compiled
        assert component.id is not None  # the lifecycle gave one
        token = Token(
            issued=int(self.clock()),
            id=component.id,
            schema=spec.schema,
            version=component._version,
            params=raw(component.params),
            children=component._children,
            state=raw(self._dump(component, spec)),
        )
        return self.signer.seal(token, spec.name, component.context.identity)

    def open(self, call: Call, *, even_expired: bool = False) -> Token:
        """The token that came with `call`; raises StateInvalid, TooLarge, and StateExpired for one that is too old."""
        assert call.state is not None
        now = None if even_expired else self.clock()
        token = self.signer.open(call.state, call.component, call.context.identity, now)
        if call.component_id is not None and call.component_id != token.id:
            raise StateInvalid("the token belongs to another element of the page")
        return token

    def rebuild(self, cls: type[Component], token: Token) -> Component:
        """The component of `token` with its id and params, before any state; raises StateOutdated."""
        component = cls(component_id=token.id)
        if bytes(token.params) != b"{}":
            try:
                component.params = spec_of(cls).fit_params(msgspec.json.decode(token.params))
            except Invalid as exc:
                raise StateOutdated(f"the params of {cls.__qualname__} have changed: {exc}") from None
        return component

    def restored(self, cls: type[Component], token: Token) -> Restored:
        """What the lifecycle hydrates the component of `token` from; raises StateOutdated."""
        return Restored(_current(cls, token), token.children, token.version)

    def _dump(self, component: Component, spec: Spec) -> bytes:
        if "dehydrate" in spec.overrides:
            state = spec.dump(*spec.convert(component.dehydrate()))
        else:
            state = spec.dump(component._fields(), component._free)
        if len(state) > self.limits.state:
            raise TooLarge(f"the state of {spec.title} has {len(state)} bytes, the limit is {self.limits.state}")
        if len(state) > self.limits.state_warning and type(component) not in self._warned:
            self._warned.add(type(component))
            logger.warning(
                "The state of %s has %d bytes, and every click carries it both ways. Keep large data in your database.",
                spec.title, len(state),
            )  # fmt: skip
        return state


def _current(cls: type[Component], token: Token) -> bytes:
    """The state in `token` as the class has it today: as it is, migrated, or StateOutdated."""
    spec = spec_of(cls)
    if token.schema == spec.schema:
        return bytes(token.state)
    migrated = cls.migrate(msgspec.json.decode(token.state), token.schema)
    if migrated is None:
        raise StateOutdated(f"the state of {spec.title} has the schema {token.schema}, the class {spec.schema}")
    try:
        return spec.dump(*spec.convert(migrated))
    except StateError as exc:
        raise StateOutdated(f"migrate() gave what does not fit: {exc}") from exc
