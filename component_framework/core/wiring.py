"""What an Engine is built from, looked at before it serves anybody."""

from __future__ import annotations

import re
from collections.abc import Collection

from .errors import ConfigurationError
from .store import StateStore

_ORIGIN = re.compile(r"https?://[^/\s]+")


def require_wiring(renderer: object, store: object, state: object, trusted_origins: Collection[str]) -> None:
    """Raise ConfigurationError for an argument that would be found wrong only by a visitor, or by nobody."""
    if isinstance(renderer, type) or (renderer is not None and not callable(getattr(renderer, "render", None))):
        raise ConfigurationError(
            f'An Engine needs a renderer, and {renderer!r} is none. Write Engine(renderer=JinjaRenderer("templates")).'
        )
    if state not in ("token", "store"):
        raise ConfigurationError(f'Engine(state={state!r}): state lives in "token" or in "store".')
    if store is not None and (isinstance(store, type) or not isinstance(store, StateStore)):
        raise ConfigurationError(f"{store!r} is no StateStore. Write Engine(store=MemoryStateStore()).")
    if state == "store" and store is None:
        raise ConfigurationError('state="store" needs a store: Engine(store=MemoryStateStore(), state="store").')
    if isinstance(trusted_origins, str):
        raise ConfigurationError(f"trusted_origins is a str. Write a list: trusted_origins=[{trusted_origins!r}].")
    for origin in trusted_origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f'trusted_origins has {origin!r}. An origin is a scheme and a host, and a port where there is one: "https://example.org".'
            )
