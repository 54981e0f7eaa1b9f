"""Two browsers, and two workers behind one address: what each worker does is seen by the pages of the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.backends.redis_server import RedisServer
from tests.browser.conftest import Driver, Tab, connected, text
from tests.browser.test_live import visit
from tests.live.site import World
from tests.live.two import make
from tests.servers import free_port, server_process

Place = tuple[World, str]


@pytest.fixture(params=["stream", "socket"])
def place(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[Place]:
    port = free_port()
    command = [
        "uvicorn",
        "tests.live.two:app",
        "--factory",
        "--workers",
        "2",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    socket = "1" if request.param == "socket" else ""
    with server_process(*command, port=port, REDIS=redis_server.url, SOCKET=socket):
        yield make(redis_server.url), f"http://127.0.0.1:{port}"


@pytest.fixture
def tabs(driver: Driver) -> Iterator[list[Tab]]:
    """Six visitors: they are hardly all at one worker."""
    tabs = [Tab(driver) for _ in range(6)]
    yield tabs
    for tab in tabs:
        driver.run(tab.page.close)
        assert tab.unexpected() == []


def test_what_one_visitor_does_all_others_see_whatever_worker_they_are_at(tabs: list[Tab], place: Place) -> None:
    for tab in tabs:
        visit(tab, place, "stock:1,stored:1,board")
        connected(tab)
    for amount in (9, 8, 7):
        tabs[amount % len(tabs)](lambda page: page.click("text=Take"))
        for tab in tabs:
            text(tab, "[data-component=stock] b", str(amount))
            text(tab, "[data-component=stored] b", str(amount))
            text(tab, "[data-component=board] b", str(amount + 20))
    for tab in tabs:
        tab(lambda page: page.goto("about:blank"))


def test_every_page_is_right_again_when_redis_was_killed_and_is_back(
    tabs: list[Tab], faulty_redis: RedisServer
) -> None:
    port = free_port()
    command = [
        "uvicorn",
        "tests.live.two:app",
        "--factory",
        "--workers",
        "2",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with server_process(*command, port=port, REDIS=faulty_redis.url):
        for tab in tabs[:4]:
            tab(lambda page: page.goto(f"http://127.0.0.1:{port}/page/stock:1"))
            connected(tab)
        faulty_redis.kill()
        faulty_redis.start()
        with redis.Redis.from_url(faulty_redis.url) as client:
            client.set("stock:1", 3)
        for tab in tabs[:4]:
            text(tab, "b", "3")
        for tab in tabs:
            tab(lambda page: page.goto("about:blank"))
