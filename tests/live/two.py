"""A World in a process of its own, for two workers that share one Redis."""

from __future__ import annotations

import os

from component_framework import Limits
from component_framework.adapters.redis import RedisStateStore
from component_framework.adapters.redis_broker import RedisBroker
from tests.live.site import World


def make(redis: str) -> World:
    """A World whose stock is in Redis, too."""
    world = World(
        broker=RedisBroker(redis, timeout=0.5),
        store=RedisStateStore(redis, timeout=0.5),
        limits=Limits(grace=0.5),
        socket=os.environ.get("SOCKET") == "1",
    )
    world.stock = Shared(redis)
    return world


class Shared(dict[int, int]):
    """The stock of every worker."""

    def __init__(self, url: str) -> None:
        import redis

        super().__init__()
        self._redis = redis.Redis.from_url(url)

    def __getitem__(self, pk: int) -> int:
        return int(self._redis.get(f"stock:{pk}") or 10 * pk)

    def __setitem__(self, pk: int, amount: int) -> None:
        self._redis.set(f"stock:{pk}", amount)

    def values(self) -> list[int]:  # type: ignore[override]  # what a sum needs
        return [self[1], self[2]]


def app() -> object:
    return make(os.environ["REDIS"]).app()
