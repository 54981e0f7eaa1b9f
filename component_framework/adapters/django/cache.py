"""Keep state in a Django cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.db import DatabaseError

from ...core.errors import Unavailable
from ...core.lifecycle import in_event_loop
from ...core.store import HOUR, Record

T = TypeVar("T")


class DjangoCacheStateStore:
    """Records in the cache `using`; any backend will do whose `add()` is atomic and which all workers share.

    Each version has a key of its own, which only one worker can add: that is the compare-and-swap. A pointer says which
    version is the newest; should it lag behind, the load looks one further. `ttl` is in seconds since the last use.
    How long a server behind the cache may take is the cache's own option (Redis: "socket_timeout").
    """

    def __init__(self, using: str = "default", *, ttl: int = HOUR, prefix: str = "component:") -> None:
        self.using = using
        self.ttl = ttl
        self.prefix = prefix

    async def load(self, key: str) -> Record | None:
        """See StateStore."""
        return await _off_the_loop(self._load, key)

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        """See StateStore."""
        return await _off_the_loop(self._save, key, data, expected)

    async def delete(self, key: str) -> None:
        """See StateStore."""
        await _off_the_loop(self._delete, key)

    def _load(self, key: str) -> Record | None:
        cache = self._cache()
        version = cache.get(self._pointer(key))
        record = None
        while version is not None and (data := cache.get(self._name(key, version))) is not None:
            record = Record(version, data)
            version += 1
        if record is not None:
            cache.touch(self._pointer(key), self.ttl)
            cache.touch(self._name(key, record.version), self.ttl)
        return record

    def _save(self, key: str, data: bytes, expected: int) -> bool:
        cache = self._cache()
        present = self._load(key)
        if (present.version if present else 0) != expected:
            return False
        if not cache.add(self._name(key, expected + 1), data, self.ttl):
            return False
        cache.set(self._pointer(key), expected + 1, self.ttl)
        cache.delete(self._name(key, expected - 1))  # not the one before: a slow pointer may still name it
        return True

    def _delete(self, key: str) -> None:
        cache = self._cache()
        version = cache.get(self._pointer(key)) or 0
        cache.delete_many(
            [self._pointer(key), *(self._name(key, number) for number in range(version - 1, version + 2))]
        )

    def _cache(self) -> Any:
        return caches[self.using]

    def _pointer(self, key: str) -> str:
        return f"{self.prefix}{key}"

    def _name(self, key: str, version: int) -> str:
        return f"{self.prefix}{key}:{version}"


async def _off_the_loop(function: Callable[..., T], *args: Any) -> T:
    """Django's caches are sync: on an event loop a worker thread asks them."""
    try:
        if in_event_loop():
            return await sync_to_async(function, thread_sensitive=False)(*args)
        return function(*args)
    except Exception as exc:
        if not _is_trouble(exc):
            raise
        raise Unavailable(f"the cache cannot be reached: {exc}", retry_after=1) from exc


_DRIVERS = frozenset({"redis", "valkey", "django_redis", "django_valkey", "pymemcache", "pylibmc"})
"""The clients behind Django's cache backends, whose exceptions Django lets through as they are."""


def _is_trouble(exc: Exception) -> bool:
    """Whether the server behind a cache failed, and not the code that asks it."""
    if isinstance(exc, (OSError, DatabaseError)):
        return True
    return any(kind.__module__.partition(".")[0] in _DRIVERS for kind in type(exc).__mro__)
