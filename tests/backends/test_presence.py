"""Who is in a room: in memory, and in a real Redis; every process has a Presence of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from component_framework.adapters.redis_roster import RedisRoster
from component_framework.core.broker import MemoryBroker
from component_framework.core.errors import Unavailable
from component_framework.core.presence import MemoryRoster, Presence, Roster
from tests.backends.redis_server import RedisServer

ROOM = "g:room {1}"


@pytest.fixture(params=["memory", "redis"])
async def roster(request: pytest.FixtureRequest, redis_server: RedisServer) -> AsyncIterator[Roster]:
    if request.param == "memory":
        yield MemoryRoster()
    else:
        roster = RedisRoster(redis_server.url)
        yield roster
        await roster.aclose()


@asynccontextmanager
async def notices(broker: MemoryBroker) -> AsyncIterator[asyncio.Queue[Any]]:
    """What is told about the room."""
    heard: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(broker.listen(lambda _, data: heard.put_nowait(msgspec.json.decode(data)), lambda: None))
    await broker.follow(ROOM)
    yield heard
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def heard(queue: asyncio.Queue[Any]) -> tuple[str, str]:
    notice = await asyncio.wait_for(queue.get(), 10)
    return notice["name"], notice["data"]["member"]


async def test_every_process_sees_who_is_in_and_what_they_say_of_themselves(roster: Roster) -> None:
    one, two = Presence(roster, MemoryBroker()), Presence(roster, MemoryBroker())
    await one.enter(ROOM, "ada", {"name": "Ada"})
    await two.enter(ROOM, "ben", {"name": "Ben"})
    await two.enter("g:other", "cat", {})
    for presence in (one, two):
        assert await presence.members(ROOM) == {"ada": {"name": "Ada"}, "ben": {"name": "Ben"}}
    await one.leave(ROOM, "ada")
    assert await two.members(ROOM) == {"ben": {"name": "Ben"}}


async def test_who_comes_and_goes_is_told_once(roster: Roster) -> None:
    broker = MemoryBroker()
    presence = Presence(roster, broker)
    async with notices(broker) as queue:
        await presence.enter(ROOM, "ada", {})
        await presence.enter(ROOM, "ada", {"typing": True})
        await presence.leave(ROOM, "ada")
        await presence.leave(ROOM, "ada")
        await presence.enter(ROOM, "ben", {})
        assert [await heard(queue) for _ in range(3)] == [("join", "ada"), ("leave", "ada"), ("join", "ben")]
        assert queue.empty()


async def test_members_of_a_process_that_was_killed_vanish_and_that_is_told(roster: Roster) -> None:
    broker = MemoryBroker()
    killed, living = Presence(roster, broker, ttl=1.5), Presence(roster, broker, ttl=1.5)
    async with notices(broker) as queue:
        await killed.enter(ROOM, "ada", {})
        await living.enter(ROOM, "ben", {})
        keeping = asyncio.create_task(living.keep())
        assert [await heard(queue) for _ in range(3)] == [("join", "ada"), ("join", "ben"), ("leave", "ada")]
        assert await living.members(ROOM) == {"ben": {}}
        assert queue.empty()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_a_room_that_everybody_left_leaves_nothing_behind(redis_server: RedisServer) -> None:
    roster = RedisRoster(redis_server.url)
    presence = Presence(roster, MemoryBroker())
    for number in range(20):
        await presence.enter(f"g:{number}", "ada", {})
        await presence.leave(f"g:{number}", "ada")
    assert redis_server.command("DBSIZE") == b":0"
    assert not presence.__dict__["_own"]
    await roster.aclose()


async def test_members_are_in_again_soon_after_redis_has_forgotten_them(faulty_redis: RedisServer) -> None:
    roster, broker = RedisRoster(faulty_redis.url, timeout=0.2), MemoryBroker()
    presence = Presence(roster, broker, ttl=1.5)
    async with notices(broker) as queue:
        await presence.enter(ROOM, "ada", {"name": "Ada"})
        assert await heard(queue) == ("join", "ada")
        await asyncio.to_thread(faulty_redis.kill)
        with pytest.raises(Unavailable):
            await presence.members(ROOM)
        keeping = asyncio.create_task(presence.keep())
        await asyncio.to_thread(faulty_redis.start)
        assert await heard(queue) == ("join", "ada")
        assert await presence.members(ROOM) == {"ada": {"name": "Ada"}}
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    await roster.aclose()
