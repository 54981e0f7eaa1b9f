"""What one page can cost, and what is counted when it comes and goes."""

from __future__ import annotations

import asyncio
from typing import Any

from component_framework import Context, Limits
from component_framework.core.live import Live
from tests.live.site import World
from tests.live.tabs import Tab, alive
from tests.live.test_hosts import shown


async def test_one_message_larger_than_the_whole_log_still_arrives() -> None:
    async with alive(World()) as live:
        tab = Tab(live)
        session = await tab.come()
        session.send("large", text="x" * 2_000_000)
        session.send("small")
        assert len((await tab.hear("message"))["data"]["text"]) == 2_000_000
        assert (await tab.hear("message"))["name"] == "small"


async def test_a_tab_that_comes_back_from_another_address_is_counted_once_and_forgotten_once() -> None:
    async with alive(World(limits=Limits(grace=5, sessions_per_address=1))) as live:
        for _ in range(3):
            tab = Tab(live, Context(address="10.0.0.1"))
            session = await tab.come()
            await tab.go()
            tab.context = Context(address="10.0.0.2")
            assert await tab.come() is session
            await session.close()
        assert not live.sessions


async def test_a_first_page_that_leaves_while_the_process_starts_leaves_nobody_waiting() -> None:
    world = World()
    go_on = asyncio.Event()

    @world.engine.on("start")
    async def slow() -> None:
        await go_on.wait()

    live = world.engine.live()
    first = asyncio.ensure_future(live.enter(Context(), None))
    await asyncio.sleep(0.01)
    first.cancel()
    go_on.set()
    async with asyncio.timeout(5):
        await Tab(live).come()
    await live.stop()
    assert [name for name, _ in world.heard if name == "start"] == ["start"]


async def test_a_page_that_says_a_hundred_times_what_it_shows_is_joined_to_the_last_of_it() -> None:
    world = World()
    stock = [shown(world, "stock", pk=pk) for pk in (1, 2)]
    async with alive(world) as live:
        tab = Tab(live)
        session = await tab.come()
        before = world.shown
        board = shown(world, "board")
        for _ in range(100):
            tab.say(type="join", components=[board, stock[0]])
        tab.say(type="join", components=[stock[1]])
        tab.say(type="message", n=1, name="enter")
        await tab.hear("message")
        while session.topics != {"stock:2"}:
            await asyncio.sleep(0)
        assert world.shown - before < 10


async def test_a_page_that_shows_too_much_hears_of_it_once() -> None:
    world = World(limits=Limits(components=2))
    async with alive(world) as live:
        tab = Tab(live)
        await tab.come()
        tab.say(type="join", components=[shown(world, "stock", pk=1)] * 10_000)
        assert (await tab.hear("error"))["code"] == "too_large"
        tab.say(type="message", n=1, name="enter")
        await tab.hear("message")
        assert not [frame for frame in tab.frames if frame.get("type") == "error"]


async def test_a_page_that_answers_hears_once_that_its_messages_have_arrived() -> None:
    async with alive(World()) as live:
        tab = Answering(live)
        await tab.come()
        for n in range(1, 61):
            tab.say(type="message", n=n, name="say", data={"text": "x"})
        assert (await tab.hear("ack"))["n"] == 60
        await tab.go()


class Answering(Tab):
    """A page behind a socket: it answers heartbeats."""

    def __init__(self, live: Live) -> None:
        super().__init__(live)
        self.options: dict[str, Any] = {"answers": True}
