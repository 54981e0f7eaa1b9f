"""What an event on stored state costs in Redis: one round trip to load, one to save."""

from __future__ import annotations

import asyncio
from typing import Any

import redis

from component_framework.core.lifecycle import run_sync
from component_framework.core.wire import Call
from tests.backends.counter_app import engine
from tests.backends.redis_server import RedisServer
from tests.backends.test_two_workers import mounted


def commands_run(server: RedisServer) -> int:
    """How many loads and saves the server was asked for, as it says itself."""
    with redis.Redis.from_url(server.url) as client:
        counts: Any = client.info("commandstats")
    return sum(counts.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("eval", "evalsha", "getex"))


def test_an_event_on_stored_state_takes_two_round_trips(redis_server: RedisServer) -> None:
    call = Call(component="tally", event="add", payload={"name": "x"}, state=mounted(redis_server))
    served = engine(redis_server.url)
    run_sync(served.handle(call))  # connects, and teaches the server the script
    before = commands_run(redis_server)
    assert run_sync(served.handle(call)).status == 200
    assert commands_run(redis_server) == before + 2


async def test_on_an_event_loop_as_well(redis_server: RedisServer) -> None:
    state = await asyncio.to_thread(mounted, redis_server)
    call = Call(component="tally", event="add", payload={"name": "x"}, state=state)
    served = engine(redis_server.url)
    assert (await served.handle(call)).status == 200
    before = commands_run(redis_server)
    assert (await served.handle(call)).status == 200
    assert commands_run(redis_server) == before + 2
    await served._store.aclose()  # type: ignore[union-attr]  # a RedisStateStore
