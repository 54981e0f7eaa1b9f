import asyncio
from typing import TYPE_CHECKING, Any

from ..servers import uvicorn_thread
from .chromium import PHONE, screenshot

if TYPE_CHECKING:
    from playwright.async_api import Page

HTML = b"<!doctype html><title>Hello</title><link rel=icon href='data:,'><p id=greeting>Served by uvicorn</p>"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": HTML})


async def test_the_browser_opens_a_page_of_a_server_in_a_thread(page: "Page") -> None:
    with uvicorn_thread(hello) as url:
        await page.goto(url)
        assert await page.inner_text("#greeting") == "Served by uvicorn"


async def test_an_error_in_a_page_is_collected(page: "Page", page_errors: list[str]) -> None:
    async with page.expect_event("pageerror"):
        await page.goto("data:text/html,<script>throw new Error('broken')</script>")
    assert page_errors == ["broken"]
    page_errors.clear()


async def test_a_screenshot_is_as_wide_as_asked(page: "Page") -> None:
    await page.goto("data:text/html,<meta name=viewport content='width=device-width'><p>phone")
    path = await screenshot(page, "infrastructure", PHONE)
    assert int.from_bytes(path.read_bytes()[16:20]) == PHONE[0]


def test_the_browser_leaves_no_event_loop_behind_in_this_thread() -> None:
    async def answer() -> int:
        return 42

    assert asyncio.run(answer()) == 42
