"""Rates, in memory and in a real Redis."""

import pytest

from component_framework.adapters.ratelimit import RateLimiter
from component_framework.core.errors import ConfigurationError, Unavailable
from component_framework.core.lifecycle import run_sync
from tests.backends.redis_server import RedisServer


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_the_third_of_two_has_to_wait_and_others_do_not(kind: str, redis_server: RedisServer) -> None:
    storage = "memory://" if kind == "memory" else redis_server.url.replace("unix://", "redis+unix://")
    limiter = RateLimiter(storage)
    waits = [run_sync(limiter.hit("2/minute", "counter", "ada")) for _ in range(3)]
    assert waits[:2] == [0, 0]
    assert 0 < waits[2] <= 60
    assert run_sync(limiter.hit("2/minute", "counter", "ben")) == 0


async def test_a_limiter_may_be_asked_on_an_event_loop(redis_server: RedisServer) -> None:
    limiter = RateLimiter(redis_server.url.replace("unix://", "redis+unix://"))
    assert await limiter.hit("1/minute", "a") == 0
    assert await limiter.hit("1/minute", "a") > 0


def test_what_is_no_rate_says_how_to_write_one() -> None:
    with pytest.raises(ConfigurationError, match="10/minute"):
        run_sync(RateLimiter().hit("often", "a"))


def test_a_redis_that_is_down_or_frozen_is_unavailable_in_time_and_counts_again_when_it_is_back(
    faulty_redis: RedisServer,
) -> None:
    limiter = RateLimiter(faulty_redis.url.replace("unix://", "redis+unix://"), timeout=0.2)
    assert run_sync(limiter.hit("9/minute", "a")) == 0
    faulty_redis.pause()
    with pytest.raises(Unavailable):
        run_sync(limiter.hit("9/minute", "a"))
    faulty_redis.resume()
    assert run_sync(limiter.hit("9/minute", "a")) == 0
    faulty_redis.kill()
    with pytest.raises(Unavailable):
        run_sync(limiter.hit("9/minute", "a"))
    faulty_redis.start()
    assert run_sync(limiter.hit("9/minute", "a")) == 0
