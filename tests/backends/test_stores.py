"""Every StateStore keeps the same promises: memory is the reference, Redis is a real server."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import redis.asyncio
from django.core.cache import InvalidCacheBackendError
from django.test import override_settings

from component_framework import MemoryStateStore
from component_framework.adapters.django.cache import DjangoCacheStateStore
from component_framework.adapters.redis import RedisStateStore
from component_framework.core.errors import ConfigurationError, Unavailable
from component_framework.core.lifecycle import run_sync
from component_framework.core.store import Record, StateStore
from tests.backends.redis_server import RedisServer

STORES = ("memory", "redis", "django")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[StateStore]:
    if request.param == "redis":
        store = RedisStateStore(redis_server.url)
        yield store
        run_sync(store.aclose())
    elif request.param == "django":
        from django.core.cache import cache

        cache.clear()
        yield DjangoCacheStateStore()
    else:
        yield MemoryStateStore()


def load(store: StateStore, key: str) -> Record | None:
    return run_sync(store.load(key))


def save(store: StateStore, key: str, data: bytes, expected: int) -> bool:
    return run_sync(store.save(key, data, expected=expected))


def test_what_is_saved_is_loaded_with_its_version(store: StateStore) -> None:
    assert isinstance(store, StateStore)
    assert load(store, "a") is None
    assert save(store, "a", b"\x00\xff one", 0)
    assert load(store, "a") == Record(1, b"\x00\xff one")
    assert save(store, "a", b"two", 1)
    assert load(store, "a") == Record(2, b"two")
    assert load(store, "b") is None


@pytest.mark.parametrize("stale", [0, 1, 3, 17])
def test_only_who_saw_the_last_version_can_save(store: StateStore, stale: int) -> None:
    save(store, "a", b"one", 0)
    save(store, "a", b"two", 1)
    assert not save(store, "a", b"late", stale)
    assert load(store, "a") == Record(2, b"two")


def test_a_deleted_record_is_gone_and_may_begin_again(store: StateStore) -> None:
    save(store, "a", b"one", 0)
    run_sync(store.delete("a"))
    run_sync(store.delete("never-there"))
    assert load(store, "a") is None
    assert save(store, "a", b"new", 0)


def test_of_many_saves_at_once_exactly_one_wins(store: StateStore) -> None:
    save(store, "a", b"0", 0)
    barrier = threading.Barrier(8)

    def attempt(number: int) -> bool:
        barrier.wait()
        return save(store, "a", str(number).encode(), 1)

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(attempt, range(8)))
    assert sum(won) == 1
    record = load(store, "a")
    assert record == Record(2, str(won.index(True)).encode())


async def test_a_store_waits_on_an_event_loop_as_well(store: StateStore) -> None:
    assert await store.save("a", b"one", expected=0)
    results = await asyncio.gather(*(store.save("a", b"x", expected=1) for _ in range(5)))
    assert sum(results) == 1
    assert (await store.load("a")) == Record(2, b"x")
    if isinstance(store, RedisStateStore):
        await store.aclose()


def test_a_record_expires_when_it_was_not_used() -> None:
    now = [0.0]
    store = MemoryStateStore(ttl=10, clock=lambda: now[0])
    save(store, "a", b"one", 0)
    now[0] = 9
    assert load(store, "a") is not None
    now[0] = 18
    assert load(store, "a") is not None, "its time began anew with the last use"
    now[0] = 29
    assert load(store, "a") is None
    assert save(store, "a", b"new", 0)


def test_memory_is_bounded() -> None:
    store = MemoryStateStore(limit=3)
    for key in "abcde":
        save(store, key, b"", 0)
    assert len(store) == 3
    assert load(store, "a") is None
    assert load(store, "e") is not None


def test_a_redis_that_is_down_is_unavailable_and_serves_again_when_it_is_back(faulty_redis: RedisServer) -> None:
    store = RedisStateStore(faulty_redis.url, timeout=0.5)
    assert save(store, "a", b"one", 0)
    faulty_redis.kill()
    with pytest.raises(Unavailable):
        load(store, "a")
    faulty_redis.start()
    assert load(store, "a") is None, "this server forgets"
    assert save(store, "a", b"two", 0)
    run_sync(store.aclose())


@pytest.mark.parametrize("on_a_loop", [False, True])
def test_a_frozen_redis_is_unavailable_within_the_time_limit(on_a_loop: bool, faulty_redis: RedisServer) -> None:
    store = RedisStateStore(faulty_redis.url, timeout=0.2)

    async def freeze() -> None:
        assert await store.save("a", b"one", expected=0)
        faulty_redis.pause()
        with pytest.raises(Unavailable):
            await store.load("a")
        faulty_redis.resume()
        assert await store.load("a") == Record(1, b"one")
        await store.aclose()

    (asyncio.run if on_a_loop else run_sync)(freeze())


def test_nothing_is_connected_before_the_first_use(faulty_redis: RedisServer) -> None:
    faulty_redis.stop()
    store = RedisStateStore(faulty_redis.url)
    faulty_redis.start()
    assert save(store, "a", b"one", 0)
    run_sync(store.aclose())


async def test_connections_that_a_restart_broke_are_replaced_unseen(faulty_redis: RedisServer) -> None:
    store = RedisStateStore(faulty_redis.url)
    await asyncio.gather(*(store.load(key) for key in "abcd"))
    await asyncio.to_thread(faulty_redis.restart)
    assert await store.save("a", b"one", expected=0)
    assert await store.load("a") == Record(1, b"one")
    await store.aclose()


async def test_who_gives_up_waiting_leaves_no_answer_behind_for_the_next(faulty_redis: RedisServer) -> None:
    store = RedisStateStore(faulty_redis.url, timeout=5)
    assert await store.save("a", b"one", expected=0)
    faulty_redis.pause()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(store.load("a"), 0.05)
    faulty_redis.resume()
    assert await store.load("b") is None
    assert await store.load("a") == Record(1, b"one")
    await store.aclose()


async def test_a_client_may_be_passed_in(redis_server: RedisServer) -> None:
    async with redis.asyncio.Redis.from_url(redis_server.url) as client:
        store = RedisStateStore(client=client)
        assert await store.save("a", b"one", expected=0)
        assert await store.load("a") == Record(1, b"one")
        await store.delete("a")
        assert await store.load("a") is None


async def test_a_sync_client_serves_threads_and_event_loops(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        store = RedisStateStore(sync_client=client)
        assert await store.save("a", b"one", expected=0)
        assert await asyncio.to_thread(load, store, "a") == Record(1, b"one")


def test_a_client_that_decodes_is_as_good(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        store = RedisStateStore(sync_client=client)
        assert save(store, "a", "naïve".encode(), 0)
        assert load(store, "a") == Record(1, "naïve".encode())


def test_what_somebody_else_wrote_under_a_key_is_no_record(redis_server: RedisServer) -> None:
    store = RedisStateStore(redis_server.url)
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("component:{a}", b"a value of another kind")
        client.rpush("component:{b}", b"a list")
    assert load(store, "a") is None
    with pytest.raises(Unavailable, match="refuses"):
        load(store, "b")
    run_sync(store.aclose())


def test_a_client_of_an_event_loop_alone_cannot_serve_where_there_is_none() -> None:
    store = RedisStateStore(client=redis.asyncio.Redis())
    with pytest.raises(ConfigurationError, match="sync_client"):
        load(store, "a")


@pytest.mark.parametrize("wrong", [{}, {"url": "redis://localhost", "client": redis.asyncio.Redis()}])
def test_a_store_is_told_of_one_server(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="url of a server"):
        RedisStateStore(**wrong)


@pytest.mark.parametrize("trouble", ["frozen", "down"])
def test_a_django_cache_whose_server_is_away_is_unavailable_and_serves_again_when_it_is_back(
    trouble: str, faulty_redis: RedisServer
) -> None:
    options = {"socket_timeout": 0.2}
    backend = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": faulty_redis.url,
        "OPTIONS": options,
    }
    with override_settings(CACHES={"default": backend}):
        store = DjangoCacheStateStore()
        assert save(store, "a", b"one", 0)
        faulty_redis.pause() if trouble == "frozen" else faulty_redis.kill()
        with pytest.raises(Unavailable):
            load(store, "a")
        with pytest.raises(Unavailable):
            save(store, "a", b"two", 1)
        faulty_redis.resume() if trouble == "frozen" else faulty_redis.start()
        assert save(store, "b", b"one", 0)


def test_a_mistake_in_asking_a_cache_is_no_trouble_of_its_server() -> None:
    with pytest.raises(InvalidCacheBackendError):
        load(DjangoCacheStateStore("nowhere"), "a")


class Forgetful:
    """A network between a client and Redis that loses the answer to the next save, and the connection with it."""

    def __init__(self, redis_server: RedisServer) -> None:
        self._target = str(redis_server.socket_path)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        self.loses = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._target)
            while asked := client.recv(1 << 16):
                server.sendall(asked)
                answer = server.recv(1 << 16)
                if self.loses:
                    self.loses = False
                    return
                client.sendall(answer)

    def close(self) -> None:
        self._listener.close()


@pytest.mark.parametrize("on_a_loop", [False, True])
def test_a_save_whose_answer_was_lost_recognises_its_own_work(on_a_loop: bool, redis_server: RedisServer) -> None:
    """Sent again, it would find a newer version and report a conflict that did not happen."""
    network = Forgetful(redis_server)
    store = RedisStateStore(network.url)

    async def save_twice() -> tuple[bool, bool]:
        first = await store.save("a", b"one", expected=0)
        network.loses = True
        second = await store.save("a", b"two", expected=1)
        assert await store.load("a") == Record(2, b"two")
        await store.aclose()
        return first, second

    assert (asyncio.run if on_a_loop else run_sync)(save_twice()) == (True, True)
    assert not network.loses
    network.close()
