import asyncio
from typing import Any

from ..servers import uvicorn_thread
from .conftest import Tab

HTML = b"<!doctype html><title>Hello</title><link rel=icon href='data:,'><p id=greeting>Served by uvicorn</p>"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": HTML})


def test_the_browser_opens_a_page_of_a_server_in_a_thread(tab: Tab) -> None:
    with uvicorn_thread(hello) as url:
        tab(lambda page: page.goto(url))
        assert tab(lambda page: page.inner_text("#greeting")) == "Served by uvicorn"


def test_an_error_in_a_page_fails_its_test_unless_it_is_expected(tab: Tab) -> None:
    tab(lambda page: page.goto("data:text/html,<script>throw new Error('broken')</script>"))
    assert tab.unexpected() == ["broken"]
    tab.expected.append("broken")
    assert tab.unexpected() == []


def test_the_browser_leaves_no_event_loop_behind_in_the_thread_of_the_tests(tab: Tab) -> None:
    async def answer() -> int:
        return 42

    assert asyncio.run(answer()) == 42
