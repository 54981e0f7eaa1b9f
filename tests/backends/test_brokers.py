"""Every Broker keeps the same promises: memory is the reference, Redis is a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis

from component_framework.adapters.redis_broker import RedisBroker
from component_framework.adapters.redis_line import SHARDED
from component_framework.core.broker import Broker, MemoryBroker
from component_framework.core.errors import ConfigurationError, Unavailable
from tests.backends.redis_server import RedisServer


def connected(server: RedisServer) -> set[str]:
    """The clients that the server has, but for the one that asks."""
    with redis.Redis.from_url(server.url) as client:
        return {each["id"] for each in client.client_list()} - {str(client.client_id())}


class Listener:
    """What one process hears."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.losses = 0
        self.lost_once = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def lose(self) -> None:
        self.losses += 1
        self.lost_once.set()

    async def next(self) -> tuple[str, bytes]:
        return await asyncio.wait_for(self.heard.get(), 10)

    async def follow(self, *topics: str) -> None:
        """Follow `topics`, and wait until that is so."""
        for topic in topics:
            await self.broker.follow(topic)
        await self.broker.follow("is it so")
        while self.heard.empty():
            await self.broker.publish("is it so", b"")
            await asyncio.sleep(0.01)
        await self.broker.unfollow("is it so")
        await asyncio.sleep(0.05)
        while not self.heard.empty():
            assert self.heard.get_nowait()[0] == "is it so"


@asynccontextmanager
async def listening(broker: Broker) -> AsyncIterator[Listener]:
    listener = Listener(broker)
    listener.task = asyncio.create_task(
        broker.listen(lambda topic, data: listener.heard.put_nowait((topic, data)), listener.lose)
    )
    yield listener
    listener.task.cancel()
    await asyncio.gather(listener.task, return_exceptions=True)


@pytest.fixture(params=["memory", "redis", *(["sharded"] if SHARDED else [])])
def broker(request: pytest.FixtureRequest, redis_server: RedisServer) -> Broker:
    return (
        MemoryBroker()
        if request.param == "memory"
        else RedisBroker(redis_server.url, sharded=request.param == "sharded")
    )


def beside(broker: RedisBroker) -> RedisBroker:
    """The broker of another process."""
    return RedisBroker(broker.url, sharded=broker.sharded)


async def test_what_is_followed_is_delivered_once_and_in_order(broker: Broker) -> None:
    async with listening(broker) as here:
        await here.follow("a", "b")
        for number in range(100):
            await broker.publish("a" if number % 3 else "b", b"%d" % number)
        assert [await here.next() for _ in range(100)] == [("a" if n % 3 else "b", b"%d" % n) for n in range(100)]
        assert here.heard.empty()


async def test_what_is_not_followed_any_more_is_not_delivered(broker: Broker) -> None:
    async with listening(broker) as here:
        await here.follow("a", "b")
        await broker.unfollow("a")
        await asyncio.sleep(0.05)
        await broker.publish("a", b"1")
        await broker.publish("b", b"2")
        assert await here.next() == ("b", b"2")


async def test_publishing_works_without_an_event_loop(broker: Broker) -> None:
    async with listening(broker) as here:
        await here.follow("a")
        await asyncio.to_thread(broker.publish_sync, "a", b"from a thread")
        assert await here.next() == ("a", b"from a thread")


async def test_any_bytes_and_any_topic_arrive_as_they_were(broker: Broker) -> None:
    async with listening(broker) as here:
        topic = "order:ü %3A * [x]"
        await here.follow(topic)
        await broker.publish(topic, bytes(range(256)))
        assert await here.next() == (topic, bytes(range(256)))


async def test_ten_thousand_topics_leave_nothing_behind(broker: Broker) -> None:
    async with listening(broker) as here:
        await here.follow("a")
        for number in range(10_000):
            await broker.follow(f"t{number}")
            await broker.unfollow(f"t{number}")
        await broker.publish("a", b"1")
        assert await here.next() == ("a", b"1")
        if isinstance(broker, RedisBroker):
            with redis.Redis.from_url(broker.url) as client:
                found = client.pubsub_shardchannels if broker.sharded else client.pubsub_channels
                channels = found("*component:*")
            assert sorted(channels) == [f"{broker.prefix}{topic}".encode() for topic in ("\0", "a")]


async def test_the_end_of_listening_leaves_no_task_and_no_connection(broker: Broker, redis_server: RedisServer) -> None:
    before, clients = asyncio.all_tasks(), connected(redis_server)
    async with listening(broker) as here:
        await here.follow("a")
        await asyncio.to_thread(broker.publish_sync, "a", b"from a thread")
        assert isinstance(broker, MemoryBroker) or len(connected(redis_server) - clients) == 3
    assert asyncio.all_tasks() == before
    while connected(redis_server) - clients:
        await asyncio.sleep(0.01)


async def test_what_is_published_after_follow_returned_is_heard(broker: Broker, redis_server: RedisServer) -> None:
    sender = beside(broker) if isinstance(broker, RedisBroker) else broker
    async with listening(broker) as here:
        for number in range(50):
            await broker.follow(f"t{number}")
            await asyncio.to_thread(sender.publish_sync, f"t{number}", b"now")
            assert await here.next() == (f"t{number}", b"now")


async def test_a_second_process_hears_what_it_follows_and_no_more(broker: Broker, redis_server: RedisServer) -> None:
    if isinstance(broker, MemoryBroker):
        return  # one process is all that memory reaches
    assert isinstance(broker, RedisBroker)
    other = beside(broker)
    async with listening(broker) as here, listening(other) as there:
        await here.follow("a", "both")
        await there.follow("b", "both")
        for topic in ("a", "b", "both"):
            await other.publish(topic, b"1")
        assert [await here.next(), await here.next()] == [("a", b"1"), ("both", b"1")]
        assert [await there.next(), await there.next()] == [("b", b"1"), ("both", b"1")]


async def test_a_message_that_cannot_be_delivered_does_not_keep_the_next_one_away(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def deliver(topic: str, message: bytes) -> None:
        if message == b"bad":
            raise ValueError("not a message of ours")
        heard.put_nowait(message)

    task = asyncio.create_task(broker.listen(deliver, lambda: None))
    await asyncio.sleep(0)
    await broker.follow("a")
    await broker.publish("a", b"bad")
    await broker.publish("a", b"good")
    assert await asyncio.wait_for(heard.get(), 10) == b"good"
    assert "not a message of ours" in caplog.text
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_thousand_messages_at_once_all_arrive(broker: Broker) -> None:
    async with listening(broker) as here:
        await here.follow("a")
        await asyncio.gather(*(broker.publish("a", b"%d" % number) for number in range(1000)))
        assert {(await here.next())[1] for _ in range(1000)} == {b"%d" % number for number in range(1000)}


async def test_a_broker_of_two_engines_is_refused(broker: Broker) -> None:
    async with listening(broker) as here:
        await here.follow("a")
        with pytest.raises(ConfigurationError, match="a broker of its own"):
            await broker.listen(lambda topic, message: None, lambda: None)


def test_event_loops_that_only_publish_leave_nothing_behind(broker: Broker, redis_server: RedisServer) -> None:
    for _ in range(5):
        asyncio.run(broker.publish("a", b"1"))
    assert isinstance(broker, MemoryBroker) or not broker.__dict__["_lines"]


async def test_a_connection_that_broke_for_a_moment_is_told_as_a_gap(redis_server: RedisServer) -> None:
    broker = RedisBroker(redis_server.url)
    async with listening(broker) as here:
        await here.follow("a")
        redis_server.command("CLIENT", "KILL", "TYPE", "pubsub")
        await asyncio.wait_for(here.lost_once.wait(), 5)
        await broker.publish("a", b"1")
        assert await here.next() == ("a", b"1")
        assert here.losses == 1


async def test_another_event_loop_of_the_process_hears_it_too(broker: Broker) -> None:
    there: Any = asyncio.new_event_loop()
    thread = threading.Thread(target=there.run_forever, daemon=True)
    thread.start()
    heard = threading.Event()

    async def listen() -> None:
        await broker.follow("a")
        await broker.listen(lambda topic, data: heard.set(), lambda: None)

    async def end() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    there_heard = asyncio.run_coroutine_threadsafe(listen(), there)  # kept: an event loop does not keep its tasks
    for _ in range(500):
        await broker.publish("a", b"1")
        if await asyncio.to_thread(heard.wait, 0.02):
            break
    assert heard.is_set()
    assert not there_heard.done()
    await asyncio.to_thread(asyncio.run_coroutine_threadsafe(end(), there).result)
    there.call_soon_threadsafe(there.stop)
    await asyncio.to_thread(thread.join)
    there.close()
    if isinstance(broker, RedisBroker):
        await broker.aclose()


async def test_a_server_that_was_killed_is_found_again_and_the_gap_is_told(faulty_redis: RedisServer) -> None:
    broker = RedisBroker(faulty_redis.url, timeout=0.5)
    async with listening(broker) as here:
        await here.follow("a")
        await asyncio.to_thread(faulty_redis.kill)
        with pytest.raises(Unavailable):
            await broker.publish("a", b"lost")
        with pytest.raises(Unavailable):
            await asyncio.to_thread(broker.publish_sync, "a", b"lost")
        await broker.follow("b")
        await asyncio.to_thread(faulty_redis.start)
        await asyncio.wait_for(here.lost_once.wait(), 5)
        await broker.publish("a", b"1")
        await broker.publish("b", b"2")
        assert [await here.next(), await here.next()] == [("a", b"1"), ("b", b"2")]
        assert here.losses == 1


async def test_a_server_that_pauses_for_long_is_told_as_a_gap(
    faulty_redis: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("component_framework.adapters.redis_line.SILENCE", 0.1)
    broker = RedisBroker(faulty_redis.url, timeout=0.2)
    async with listening(broker) as here:
        await here.follow("a")
        faulty_redis.pause()
        await broker.follow("b")  # returns although nobody confirms it
        while "cannot be reached" not in caplog.text:
            await asyncio.sleep(0.01)
        faulty_redis.resume()
        await asyncio.wait_for(here.lost_once.wait(), 5)
        await broker.publish("b", b"1")
        assert await here.next() == ("b", b"1")


async def test_a_server_that_pauses_is_noticed(faulty_redis: RedisServer) -> None:
    broker = RedisBroker(faulty_redis.url, timeout=0.5)
    async with listening(broker) as here:
        await here.follow("a")
        faulty_redis.pause()
        with pytest.raises(Unavailable):
            await broker.publish("a", b"?")
        await asyncio.sleep(0)
        faulty_redis.resume()
        await broker.publish("a", b"1")
        while (await here.next())[1] != b"1":
            pass


if SHARDED:

    async def test_in_a_cluster_a_sharded_broker_finds_the_node_of_its_channels(redis_cluster: list[str]) -> None:
        for url in redis_cluster:
            broker, other = RedisBroker(url, sharded=True), RedisBroker(redis_cluster[0], sharded=True)
            async with listening(broker) as here:
                await here.follow("a", "b", "c")
                for topic in ("a", "b", "c"):
                    await broker.publish(topic, b"1")
                    await asyncio.to_thread(other.publish_sync, topic, b"2")
                    assert [await here.next(), await here.next()] == [(topic, b"1"), (topic, b"2")]
                assert here.losses == 0
            await other.aclose()

else:

    def test_a_client_that_knows_no_sharded_channels_is_told_what_to_install() -> None:
        with pytest.raises(ConfigurationError, match="redis 8"):
            RedisBroker("redis://localhost", sharded=True)
