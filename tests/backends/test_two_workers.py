"""Two server processes, one Redis: every event that was acknowledged is counted, and none twice."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from subprocess import Popen
from typing import Any

import httpx
import msgspec
from redis import Redis

from component_framework.adapters.redis import HEAD
from component_framework.core.state import Kept
from tests.backends.counter_app import engine
from tests.backends.redis_server import RedisServer
from tests.servers import free_port, server_process

CLIENTS, EVENTS = 20, 10


@contextmanager
def worker(redis: RedisServer, **environment: str) -> Iterator[tuple[str, Popen[bytes]]]:
    port = free_port()
    command = ["uvicorn", "tests.backends.counter_app:app", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    with server_process(*command, port=port, REDIS=redis.url, **environment) as process:
        yield f"http://127.0.0.1:{port}", process


def mounted(redis: RedisServer) -> str:
    found = re.search('data-state="([^"]*)"', engine(redis.url).mount("tally"))
    assert found is not None
    return found[1]


def add(addresses: list[str], state: str, name: str) -> bool:
    """Send one event, with one id, until a worker answers; True if it was acknowledged."""
    waiting = threading.Event()
    headers = {"HX-Request": "true", "X-Component-State": state, "X-Component-Event-Id": name}
    for attempt in range(60):
        address = addresses[(hash(name) + attempt) % len(addresses)]
        try:
            answer = httpx.post(
                f"{address}/components/tally?event=add", data={"name": name}, headers=headers, timeout=10, verify=False
            )  # there is nothing to verify, and a list of authorities takes longer to read than an event
        except httpx.TransportError:
            waiting.wait(0.05)
            continue
        if answer.status_code == 200:
            return True
        assert answer.status_code == 503, answer.text
        assert answer.headers["retry-after"]
        waiting.wait(0.1)
    return False


def history(redis: RedisServer) -> list[str]:
    """What the stored component remembers, in order."""
    with Redis.from_url(redis.url) as client:
        found: Any = client.keys("component:*")
        value: Any = client.get(found[0])
    assert len(found) == 1
    kept = msgspec.json.decode(value[HEAD:], type=Kept)
    assert kept.token is not None
    state = msgspec.json.decode(kept.token.state)
    assert state["count"] == len(state["seen"])
    seen: list[str] = state["seen"]
    return seen


def test_two_hundred_events_of_twenty_clients_on_two_workers_are_two_hundred(redis_server: RedisServer) -> None:
    state = mounted(redis_server)
    with ExitStack() as stack:
        addresses = [stack.enter_context(worker(redis_server))[0] for _ in range(2)]
        names = [f"{client}-{number}" for number in range(EVENTS) for client in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as threads:
            acknowledged = list(threads.map(lambda name: add(addresses, state, name), names))
    assert all(acknowledged)
    assert sorted(history(redis_server)) == sorted(names)


def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(redis_server: RedisServer) -> None:
    state = mounted(redis_server)
    with ExitStack() as stack:
        (first, victim), (second, _) = (stack.enter_context(worker(redis_server)) for _ in range(2))
        names = [f"{client}-{number}" for number in range(EVENTS) for client in range(CLIENTS)]
        half = threading.Barrier(2)

        def send(name: str) -> bool:
            if name == names[len(names) // 2]:
                half.wait(30)
            return add([first, second], state, name)

        with ThreadPoolExecutor(CLIENTS) as threads:
            sent = [threads.submit(send, name) for name in names]
            half.wait(30)
            victim.send_signal(signal.SIGKILL)
            assert all(one.result(60) for one in sent)
    seen = history(redis_server)
    assert sorted(seen) == sorted(names)


def test_a_redis_that_pauses_is_answered_503_and_nothing_is_lost_or_doubled(faulty_redis: RedisServer) -> None:
    state = mounted(faulty_redis)
    with worker(faulty_redis) as (address, _):
        assert add([address], state, "before")
        faulty_redis.pause()
        headers = {"HX-Request": "true", "X-Component-State": state, "X-Component-Event-Id": "during"}
        answer = httpx.post(
            f"{address}/components/tally?event=add", data={"name": "during"}, headers=headers, timeout=10
        )
        assert (answer.status_code, answer.headers["x-component-code"]) == (503, "unavailable")
        faulty_redis.resume()
        assert add([address], state, "during")
        assert add([address], state, "after")
    assert history(faulty_redis) == ["before", "during", "after"]


def test_a_store_that_is_down_hurts_only_the_components_that_live_in_it_and_only_as_long_as_that_lasts(
    durable_redis: RedisServer,
) -> None:
    state = mounted(durable_redis)
    with worker(durable_redis) as (address, _), httpx.Client(base_url=f"{address}/components", timeout=10) as browser:

        def post(component: str, **headers: str) -> httpx.Response:
            return browser.post(
                f"/{component}?event=add", data={"name": "x"} if component == "tally" else {}, headers=headers
            )

        assert add([address], state, "before")
        durable_redis.kill()
        for _ in range(3):
            for headers in ({"X-Component-State": state}, {}):
                answer = post("tally", **headers)
                assert (answer.status_code, answer.headers["x-component-code"]) == (503, "unavailable")
                assert answer.headers["retry-after"] == "1"
            assert "<p" in post("plain").raise_for_status().text
        durable_redis.start()
        assert add([address], state, "after")
    assert history(durable_redis) == ["before", "after"]


def test_one_event_that_reaches_two_workers_at_once_is_applied_once(redis_server: RedisServer) -> None:
    state = mounted(redis_server)
    with ExitStack() as stack:
        addresses = [stack.enter_context(worker(redis_server))[0] for _ in range(2)]
        together = threading.Barrier(2)

        def send(address: str, name: str) -> bool:
            together.wait(30)
            return add([address], state, name)

        names = [f"click-{number}" for number in range(20)]
        with ThreadPoolExecutor(2) as threads:
            for name in names:
                assert all(threads.map(send, addresses, [name, name]))
    assert history(redis_server) == names
