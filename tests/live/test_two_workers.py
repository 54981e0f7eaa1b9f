"""Two workers behind one Redis: what is published on one is seen by the pages of the other, whatever dies in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from component_framework.core.lifecycle import run_sync
from tests.backends.redis_server import RedisServer
from tests.live.hosts import Line, Socket, Stream, each_line
from tests.live.test_hosts import shown
from tests.live.two import make
from tests.servers import free_port, server_process


@contextmanager
def worker(redis: RedisServer) -> Iterator[str]:
    port = free_port()
    command = [
        "uvicorn",
        "tests.live.two:app",
        "--factory",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    with server_process(*command, port=port, REDIS=redis.url):
        yield f"http://127.0.0.1:{port}"


@each_line
def test_a_page_hears_of_what_happened_on_another_worker(line: Line, redis_server: RedisServer) -> None:
    world = make(redis_server.url)
    components = [shown(world, "stock", pk=1), shown(world, "stored", pk=1), shown(world, "board")]
    with ExitStack() as stack:
        one, two = (stack.enter_context(worker(redis_server)) for _ in range(2))
        page = stack.enter_context(line(two))
        page.hear("hello")
        page.say(type="join", components=components)
        page.say(type="message", n=1, name="enter", data={})
        page.hear("message")
        other = stack.enter_context(Socket(one))
        other.hear("hello")
        amount = world.stock[1]
        other.say(type="event", n=1, component="stock", query="event=take", state=components[0][2], id=components[0][1])
        assert f"<b>{amount - 1}</b>" in other.hear("reply")["body"]
        heard = [page.hear() for _ in range(3)]
        assert sum(frame.get("type") == "refresh" for frame in heard) == 1
        assert any(f"<b>{amount - 1}</b>" in frame.get("content", "") for frame in heard)
        assert any(f"<b>{amount - 1 + world.stock[2]}</b>" in frame.get("content", "") for frame in heard)
        other.say(type="message", n=2, name="say", data={"text": "across"})
        assert page.hear("message")["data"] == {"text": "across"}


def test_what_a_page_posts_reaches_the_worker_that_it_is_connected_to(redis_server: RedisServer) -> None:
    with worker(redis_server) as one, worker(redis_server) as two, Stream(one) as page:
        session = page.hear("hello")["session"]
        message = {"type": "message", "n": 1, "name": "enter", "data": {}}
        answer = httpx.post(f"{two}/components/live", json={"session": session, "messages": [message]})
        assert answer.status_code == 204
        assert page.hear("message")["name"] == "entered"


def test_every_page_is_right_again_soon_after_redis_is_back(faulty_redis: RedisServer) -> None:
    world = make(faulty_redis.url)
    components = [shown(world, "stock", pk=1), shown(world, "board")]
    with worker(faulty_redis) as address, Stream(address) as page:
        page.hear("hello")
        page.say(type="join", components=[components[0], (*components[1][:3], "of yesterday")])
        assert "content" in page.hear()  # the last one is brought up to date: both are joined
        faulty_redis.kill()
        faulty_redis.start()
        world.stock[1] = 77
        begun = time.monotonic()
        kinds = {frame.get("type", "html") for frame in (page.hear(), page.hear())}
        assert kinds == {"resync", "html"}
        page.say(type="join", components=components)
        assert page.hear("refresh")["id"] == components[0][1]
        assert time.monotonic() - begun < 5
    run_sync(world.engine._store.aclose())  # type: ignore[union-attr]  # it is a RedisStateStore
