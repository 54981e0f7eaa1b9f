"""Count what visitors do, with the `limits` library.

engine = Engine(rate_limiter=RateLimiter("redis://localhost"), …)
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

try:
    from limits import RateLimitItem, parse
    from limits.errors import StorageError
    from limits.storage import storage_from_string
    from limits.strategies import MovingWindowRateLimiter
except ImportError as exc:
    raise ImportError("limits is not installed. Run: pip install 'live-component-framework[limits]'") from exc

from ..core.errors import ConfigurationError, Unavailable
from ..core.lifecycle import in_event_loop


class RateLimiter:
    """A moving window per limit and key, in memory or in Redis ("redis://…"); memory counts for one process only.

    `timeout` is in seconds: a server that does not answer in it is `Unavailable`.
    """

    def __init__(self, storage: str = "memory://", *, timeout: float = 1.0) -> None:
        self._waits = not storage.startswith("memory:")
        options: dict[str, Any] = {"wrap_exceptions": True} if self._waits else {}
        if "redis" in storage.partition(":")[0]:  # its client would wait for as long as a frozen server lasts
            options |= {"socket_timeout": timeout, "socket_connect_timeout": timeout, **_once()}
        self._strategy = MovingWindowRateLimiter(storage_from_string(storage, **options))

    async def hit(self, limit: str, *key: str) -> float:
        """Count one under `key`; seconds to wait if that is over `limit` ("10/minute"), else 0."""
        if self._waits and in_event_loop():
            import asyncio

            return await asyncio.to_thread(self._hit, limit, *key)
        return self._hit(limit, *key)

    def _hit(self, limit: str, *key: str) -> float:
        item = _parse(limit)
        try:
            if self._strategy.hit(item, *key):
                return 0.0
            return max(0.01, self._strategy.get_window_stats(item, *key).reset_time - time.time())
        except StorageError as exc:
            raise Unavailable(f"what counts visitors cannot be reached: {exc.storage_error}", retry_after=1) from exc


def _once() -> dict[str, Any]:
    """No retry but for a broken connection: a server that was restarted breaks every pooled one."""
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError
    from redis.retry import Retry

    return {"retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))}


@lru_cache
def _parse(limit: str) -> RateLimitItem:
    try:
        return parse(limit)
    except ValueError as exc:
        raise ConfigurationError(f"{limit!r} is no rate. Write it as in '10/minute' or '3 per second'.") from exc
