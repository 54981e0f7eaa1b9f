"""Where state is kept on the server: versioned records that are only ever replaced by whoever saw the last version."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import msgspec

HOUR = 60 * 60


class Record(msgspec.Struct, frozen=True):
    """What a store holds under one key; `version` counts the saves, beginning with 1."""

    version: int
    data: bytes


@runtime_checkable
class StateStore(Protocol):
    """Keeps records for a time after they were last used.

    The methods are coroutines, so that a store may wait on an event loop; one that is called with no running loop must
    not suspend. All of them raise `errors.Unavailable` when the store cannot be reached in time.
    """

    async def load(self, key: str) -> Record | None:
        """The record under `key`, whose time begins anew; None when there is none, or not any more."""
        ...

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        """Make `data` the version after `expected` (0: there is no record yet); False if that is not the present one."""
        ...

    async def delete(self, key: str) -> None:
        """Forget `key`; nothing happens if there is no such record."""
        ...


class MemoryStateStore:
    """Records in this process's memory: for tests, development and single-process servers; the reference of the others.

    `ttl` is in seconds since a record was last used; `limit` bounds the number of records, the longest unused go first.
    """

    def __init__(self, *, ttl: float = HOUR, limit: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.ttl = ttl
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[str, tuple[Record, float]] = {}
        self._sweep_at = 0.0

    async def load(self, key: str) -> Record | None:
        with self._lock:
            record = self._alive(key)
            if record is not None:
                self._put(key, record)
            return record

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        with self._lock:
            present = self._alive(key)
            if (present.version if present else 0) != expected:
                return False
            self._put(key, Record(expected + 1, data))
            self._sweep()
            return True

    async def delete(self, key: str) -> None:
        with self._lock:
            self._records.pop(key, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._records)

    def _alive(self, key: str) -> Record | None:
        record, deadline = self._records.get(key, (None, 0.0))
        return record if deadline > self._clock() else None

    def _put(self, key: str, record: Record) -> None:
        self._records.pop(key, None)  # so that the order of the mapping is that of the last use
        self._records[key] = (record, self._clock() + self.ttl)

    def _sweep(self) -> None:
        """Drop what has expired, now and then, and the longest unused when there are too many."""
        now = self._clock()
        if now >= self._sweep_at:
            self._sweep_at = now + self.ttl / 10
            for key in [key for key, (_, deadline) in self._records.items() if deadline <= now]:
                del self._records[key]
        while len(self._records) > self.limit:
            del self._records[next(iter(self._records))]
