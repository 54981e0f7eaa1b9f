"""How much of everything the engine accepts."""

from __future__ import annotations

import msgspec

from .errors import ConfigurationError
from .gate import require_rate

KIB = 1024
MIB = 1024 * KIB


class Limits(msgspec.Struct, frozen=True):
    """Bounds that are checked before any work is done; sizes in bytes, times in seconds.

    Passing one is answered 413 `too_large`.
    """

    body: int = MIB
    """A request's body."""
    body_time: float = 30.0
    """In which all of a body has to arrive, where we read it ourselves (on ASGI, but not on Django's); else 400."""
    uploads: int = 4 * 1024 * MIB
    """Bytes of files that one process takes in at once, and of files that wait unfinished; more is answered 429."""
    upload_age: int = 60 * 60
    """How long an unfinished file is kept after its last piece has come."""
    payload: int = 256 * KIB
    """The values of one event."""
    depth: int = 8
    """Nesting of a JSON body."""
    fields: int = 200
    """Values of a form, repeated ones counted."""
    arguments: int = 50
    """Names in a payload."""
    state: int = 512 * KIB
    """A component's encoded state, on its way out and on its way in."""
    state_warning: int = 64 * KIB
    """A state of this size is logged, once per class."""
    trigger: int = 64 * KIB
    """The DOM events of one answer, which travel in the header HX-Trigger; more is a failure of the handler: 500."""
    trigger_warning: int = 4 * KIB
    """A header of this size is logged: many proxies refuse it."""
    handler: float | None = None
    """Seconds that a handler may take, or one step of a handler that yields; None: as long as it likes."""
    failed_tokens: str = "30/minute"
    """How often one address may send tokens that are not good; needs the engine's rate limiter."""
    components: int = 200
    """Components that one answer mounts, children of children counted; and live components of one page."""
    sessions: int = 10_000
    """Open tabs in one process."""
    sessions_per_user: int = 100
    sessions_per_address: int = 1_000
    grace: float = 30.0
    """Seconds for which a tab may be out of reach before it is taken to be closed."""
    heartbeat: float = 15.0
    """Seconds between two signs of life on an open connection."""
    messages: float = 100.0
    """Messages per second from one tab; twice as many in a burst."""
    attempts: int = 32
    """How often an event on stored state begins again when others were faster."""
    token_age: int = 24 * 60 * 60
    """How long a token in a page stays good."""
    clock_skew: int = 10 * 60
    """How far the clocks of two workers may be apart."""

    def __post_init__(self) -> None:
        require_rate(self.failed_tokens, "Limits.failed_tokens")
        for name in (each for each in self.__struct_fields__ if each != "failed_tokens"):
            value, least = getattr(self, name), 1 if name == "attempts" else 0
            if not (name == "handler" and value is None) and (not isinstance(value, (int, float)) or value < least):
                raise ConfigurationError(f"Limits.{name} is {value!r}. It is a number, {least} or more.")
