"""The home of a component's state between two events: a token in the page, or a record in a store.

Both homes have the same two doors: `recall` brings a component back from what came with a call, `seal` puts it away
and gives the token for the page.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Sequence
from typing import Literal, Protocol

import msgspec

from .component import Component
from .effects import Effect
from .errors import (
    ConfigurationError,
    Conflict,
    Invalid,
    StateError,
    StateExpired,
    StateInvalid,
    StateOutdated,
    TooLarge,
)
from .lifecycle import Restored
from .limits import Limits
from .secret import Cipher
from .signing import Token, TokenSigner, raw
from .spec import Spec, spec_of
from .store import StateStore
from .wire import Call

logger = logging.getLogger("component_framework")

RECENT = 64
"""How many answered events a record remembers, so that a retry of one is not applied twice."""

REFERENCE = 300
"""Characters that the token of a stored component stays under: it carries its params only where they fit."""

Place = Literal["token", "store"]


class Overtaken(Conflict):
    """Another event was applied to the same record first: this one has to be tried again from the new state."""


class Outcome(msgspec.Struct, array_like=True, frozen=True):
    """What an event did besides changing the state; `token` where the state lives in the page."""

    effects: tuple[Effect, ...] = ()
    token: str | None = None


class Kept(msgspec.Struct, array_like=True, frozen=True):
    """The data of a record: the token's content (None where the page has it), and the outcomes of recent events."""

    token: Token | None
    recent: dict[str, Outcome]


_read_kept = msgspec.json.Decoder(Kept).decode
_write_kept = msgspec.json.Encoder().encode


class Home(Protocol):
    """Where the state of a component class lives."""

    async def recall(self, call: Call, cls: type[Component]) -> tuple[Component, Restored]:
        """The component of `call`, and what the lifecycle hydrates it from; raises RequestError for a refusal."""
        ...

    async def seal(self, component: Component, effects: Sequence[Effect]) -> str:
        """Put the state away; the token for the page. Raises StateError, TooLarge, Overtaken or Unavailable."""
        ...

    async def note(self, component: Component, effects: Sequence[Effect]) -> None:
        """Remember the event under way, whose answer changes neither the state nor the token in the page."""
        ...

    def rebuild(self, call: Call, cls: type[Component]) -> Component:
        """The component of `call` with its id and params alone, however old its token; for a fresh render."""
        ...


class TokenState(msgspec.Struct):
    """State that lives in the page, in a signed token: no server memory, and any worker can answer."""

    signer: TokenSigner
    limits: Limits
    clock: Callable[[], float]
    cipher: Cipher | None = None
    _warned: set[type[Component]] = msgspec.field(default_factory=set)

    async def recall(self, call: Call, cls: type[Component]) -> tuple[Component, Restored]:
        token = self.reveal(self.open(call))
        return revive(cls, token), Restored(_current(cls, token), token.children, token.version)

    async def seal(self, component: Component, effects: Sequence[Effect]) -> str:
        return self.sign(component, self.conceal(self.content(component), component._compiled))

    async def note(self, component: Component, effects: Sequence[Effect]) -> None:
        pass

    def rebuild(self, call: Call, cls: type[Component]) -> Component:
        return revive(cls, self.reveal(self.open(call, even_expired=True)))

    def open(self, call: Call, *, even_expired: bool = False) -> Token:
        """The token that came with `call`; raises StateInvalid, TooLarge, and StateExpired for one that is too old."""
        assert call.state is not None
        now = None if even_expired else self.clock()
        token = self.signer.open(call.state, call.component, call.context.identity, now)
        if call.component_id is not None and call.component_id != token.id:
            raise StateInvalid("the token belongs to another element of the page")
        return token

    def conceal(self, token: Token, spec: Spec) -> Token:
        """`token` without its server-only fields and params in a readable form: encrypted, or left out with no cipher."""
        if not spec.secret and not spec.secret_params:
            return token
        state, fields = _part(token.state, spec.secret)
        params, given = _part(token.params, spec.secret_params)
        secret = ""
        if self.cipher is not None and (fields or given):
            secret = self.cipher.encrypt(msgspec.json.encode((fields, given)), token.id.encode())
        return msgspec.structs.replace(token, state=raw(state), params=raw(params), secret=secret)

    def reveal(self, token: Token) -> Token:
        """`token` with its server-only fields and params back in their places."""
        if not token.secret or self.cipher is None:
            return token
        secret = self.cipher.decrypt(token.secret, token.id.encode())
        fields, given = msgspec.json.decode(secret, type=tuple[_Values, _Values])
        state, params = _values(token.state) | fields, _values(token.params) | given
        return msgspec.structs.replace(token, state=raw(state), params=raw(params), secret="")

    def sign(self, component: Component, token: Token) -> str:
        """`token` as text that is good for this component and its visitor."""
        return self.signer.seal(token, component._compiled.name, component.context.identity)

    def content(self, component: Component) -> Token:
        """All that has to be remembered of `component`; raises StateError or TooLarge for what must not leave."""
        spec = component._compiled
        assert component.id is not None  # the lifecycle gave one
        return Token(
            issued=int(self.clock()),
            id=component.id,
            schema=spec.schema,
            version=component._version,
            params=raw(component.params) if component.params else _NOTHING,
            children=component._children,
            state=raw(self._dump(component, spec)),
            record=component._record,
        )

    def _dump(self, component: Component, spec: Spec) -> bytes:
        state = spec.dump(*component._remembered())
        if len(state) > self.limits.state:
            raise TooLarge(f"the state of {spec.title} has {len(state)} bytes, the limit is {self.limits.state}")
        if len(state) > self.limits.state_warning and type(component) not in self._warned:
            self._warned.add(type(component))
            logger.warning(
                "The state of %s has %d bytes, and every click carries it both ways. Keep large data in your database.",
                spec.title, len(state),
            )  # fmt: skip
        return state


class StoredState(msgspec.Struct):
    """State that lives in a StateStore: the token in the page names the record and its version, and stays small."""

    page: TokenState
    store: StateStore

    async def recall(self, call: Call, cls: type[Component]) -> tuple[Component, Restored]:
        reference = self.page.open(call)
        record = await self.store.load(reference.record)
        if record is None:
            raise StateExpired(f"the state of {reference.id} is not in the store any more")
        if record.version < reference.version:
            raise StateExpired(
                f"the store has version {record.version} of {reference.id}, the page {reference.version}"
            )
        kept = _read_kept(record.data)
        assert kept.token is not None  # seal() put it there
        component = revive(cls, kept.token)
        restored = Restored(
            _current(cls, kept.token), kept.token.children, record.version, _effects(_answered(call, kept))
        )
        component._record = reference.record
        component._recent = kept.recent
        component._event_id = call.event_id
        return component, restored

    async def seal(self, component: Component, effects: Sequence[Effect]) -> str:
        _name_record(component)
        token = self.page.content(component)
        kept = Kept(token, _remember(component, Outcome(tuple(effects))))
        await _save(self.store, component, _write_kept(kept))
        reference = msgspec.structs.replace(token, state=_NOTHING, children={})
        text = self.page.sign(component, self.page.conceal(reference, component._compiled))
        if len(text) < REFERENCE:
            return text
        return self.page.sign(component, msgspec.structs.replace(reference, params=_NOTHING))

    async def note(self, component: Component, effects: Sequence[Effect]) -> None:
        if component._record and component._event_id is not None:
            component._version += 1
            await self.seal(component, effects)  # the token in the page, of an earlier version, stays good

    def rebuild(self, call: Call, cls: type[Component]) -> Component:
        return self.page.rebuild(call, cls)


class WatchedState(msgspec.Struct):
    """State that lives in the page, with its newest version in a StateStore, so that an older token is refused."""

    page: TokenState
    store: StateStore

    async def recall(self, call: Call, cls: type[Component]) -> tuple[Component, Restored]:
        token = self.page.open(call)
        record = await self.store.load(token.record)
        if record is None:
            raise StateExpired(f"the version of {token.id} is not in the store any more")
        kept = _read_kept(record.data)
        outcome = _answered(call, kept)
        if outcome is not None and outcome.token is not None:
            token = self.page.signer.open(outcome.token, call.component, call.context.identity, None)
        elif token.version != record.version:
            raise Conflict(f"{token.id} is at version {record.version}, the token at {token.version}")
        token = self.page.reveal(token)
        component = revive(cls, token)
        component._record = token.record
        component._recent = kept.recent
        component._event_id = call.event_id
        return component, Restored(_current(cls, token), token.children, record.version, _effects(outcome))

    async def seal(self, component: Component, effects: Sequence[Effect]) -> str:
        _name_record(component)
        text = self.page.sign(component, self.page.conceal(self.page.content(component), component._compiled))
        kept = Kept(None, _remember(component, Outcome(tuple(effects), text)))
        await _save(self.store, component, _write_kept(kept))
        return text

    async def note(self, component: Component, effects: Sequence[Effect]) -> None:
        raise ConfigurationError(
            f'{component._compiled.title} has replay = "refuse", so that every answer brings a new token: it cannot skip_render().'
        )

    def rebuild(self, call: Call, cls: type[Component]) -> Component:
        return self.page.rebuild(call, cls)


def home_of(cls: type[Component], page: TokenState, store: StateStore | None, place: Place) -> Home:
    """Where the state of `cls` lives; raises ConfigurationError when that needs a store and there is none."""
    stored = (cls.lives_in or place) == "store"
    spec = spec_of(cls)
    if not stored and (spec.secret or spec.secret_params) and page.cipher is None:
        raise ConfigurationError(
            f"{cls.__qualname__} has server-only fields. Keep its state in a store, or encrypt them: Engine(cipher=AesGcmCipher(…))."
        )
    if not stored and cls.replay == "allow":
        return page
    if store is None:
        wish = 'lives_in = "store"' if stored else 'replay = "refuse"'
        raise ConfigurationError(f"{cls.__qualname__} has {wish}, which needs a store: Engine(store=…).")
    return StoredState(page, store) if stored else WatchedState(page, store)


_NOTHING = msgspec.Raw(b"{}")
_Values = dict[str, msgspec.Raw]


def _values(data: msgspec.Raw) -> _Values:
    return msgspec.json.decode(data, type=_Values)


def _part(data: msgspec.Raw, names: Collection[str]) -> tuple[_Values, _Values]:
    """The members of a JSON object that are not in `names`, and those that are."""
    values = _values(data)
    return values, {name: values.pop(name) for name in names if name in values}


def _answered(call: Call, kept: Kept) -> Outcome | None:
    return kept.recent.get(call.event_id) if call.event_id is not None else None


def _effects(outcome: Outcome | None) -> tuple[Effect, ...] | None:
    return None if outcome is None else outcome.effects


def _remember(component: Component, outcome: Outcome) -> dict[str, Outcome]:
    """The recent outcomes with that of the event under way; only the newest needs its token."""
    recent = {id: Outcome(known.effects) for id, known in component._recent.items()}
    if component._event_id is not None:
        recent[component._event_id] = outcome
    return dict(list(recent.items())[-RECENT:])


def _name_record(component: Component) -> None:
    """A key of its own for a new record: an element's id may be the same on every visitor's page."""
    if not component._record:
        component._record = f"{component._compiled.name}:{secrets.token_urlsafe(16)}"


async def _save(store: StateStore, component: Component, data: bytes) -> None:
    if not await store.save(component._record, data, expected=component._version - 1):
        raise Overtaken(f"{component._record} is not at version {component._version - 1} any more")


def revive(cls: type[Component], token: Token) -> Component:
    """The component of `token` with its id and params, before any state; raises StateOutdated."""
    component = cls(component_id=token.id)
    if bytes(token.params) != b"{}":
        try:
            component.params = spec_of(cls).fit_params(msgspec.json.decode(token.params))
        except Invalid as exc:
            raise StateOutdated(f"the params of {cls.__qualname__} have changed: {exc}") from None
    return component


def _current(cls: type[Component], token: Token) -> bytes:
    """The state in `token` as the class has it today: as it is, migrated, or StateOutdated."""
    spec = spec_of(cls)
    if token.schema == spec.schema:
        return bytes(token.state)
    migrated = cls.migrate(msgspec.json.decode(token.state), token.schema)
    if migrated is None:
        raise StateOutdated(f"the state of {spec.title} has the schema {token.schema}, the class {spec.schema}")
    try:
        return spec.dump(*spec.convert({**spec.state.defaults(), **migrated}))
    except StateError as exc:
        raise StateOutdated(f"migrate() gave what does not fit: {exc}") from exc
