"""Work that outlives the event which began it: its result, its failure, its end, and what nobody can forge."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import msgspec
import pytest

from component_framework import Component, Context, Limits, Registry, outcome
from component_framework.core.broker import MemoryBroker
from component_framework.core.errors import ConfigurationError
from component_framework.core.live import Live
from component_framework.core.request import HttpRequest
from component_framework.core.wire import Reply
from tests.live.site import World
from tests.live.tabs import Tab, alive
from tests.live.test_hosts import shown

ANN = Context(identity="ann")


async def send(world: World, name: str, id: str, token: str, event: str, **payload: str) -> tuple[Reply, str]:
    """Post an event, as a page does; gives the reply and the page's new token."""
    headers = {
        "hx-request": "true",
        "content-type": "application/x-www-form-urlencoded",
        "x-component-state": token,
        "x-component-id": id,
    }
    from urllib.parse import urlencode

    from component_framework.core.asgi import offload

    request = HttpRequest(
        component=name,
        query=f"event={event.replace(':', '%3A')}",
        body=urlencode(payload).encode(),
        headers=headers,
        context=ANN,
    )
    reply = await world.engine.answer(request, offload)
    assert isinstance(reply.body, bytes)
    found = re.search('data-state="([^"]*)"', reply.body.decode())
    return reply, found[1] if found else token


class Page(Tab):
    """A tab that shows one report."""

    def __init__(self, live: Live, world: World, name: str = "report") -> None:
        super().__init__(live, ANN)
        self.world = world
        markup = world.engine.mount(name, context=ANN)
        self.name = name
        self.id, self.state = (re.search(f' {attribute}="([^"]*)"', markup)[1] for attribute in ("id", "data-state"))  # type: ignore[index]  # it is there
        self.handle = ""

    async def make(self, year: int) -> None:
        reply, self.state = await send(self.world, self.name, self.id, self.state, "make", year=str(year))
        assert reply.status == 200
        self.handle = json.loads(reply.headers["HX-Trigger"])["component:work"]["work"]

    def wait(self) -> None:
        """What the page's script says once it has heard of the work."""
        self.say(type="join", components=[], work=[[self.name, self.handle]])

    async def take(self) -> str:
        """Pass the outcome on, as the page's script does; gives what is shown then."""
        told = await self.hear("outcome")
        assert (told["work"], told["id"]) == (self.handle, self.id)
        reply, self.state = await send(
            self.world, self.name, self.id, self.state, told["event"], outcome=told["outcome"]
        )
        assert isinstance(reply.body, bytes)
        self.say(type="join", components=[])
        return reply.body.decode()


@pytest.mark.parametrize("name", ["report", "sync_report", "stored_report"])
async def test_the_result_comes_as_an_event_when_the_request_is_long_over(name: str) -> None:
    world = World()
    async with alive(world) as live:
        page = Page(live, world, name)
        await page.come()
        await page.make(7)
        page.wait()
        world.go_on.set()
        assert "<b>14</b>" in await page.take()
        while len(live.works):
            await asyncio.sleep(0)


async def test_work_that_is_done_before_its_page_asks_is_told_when_it_does() -> None:
    world = World()
    world.go_on.set()
    async with alive(world) as live:
        page = Page(live, world)
        await page.make(7)
        while world.working or not live.works:
            await asyncio.sleep(0)
        await page.come()
        page.wait()
        assert "<b>14</b>" in await page.take()


async def test_a_failure_is_told_by_an_id_that_the_log_has_too(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.go_on.set()
    async with alive(world) as live:
        page = Page(live, world)
        await page.come()
        await page.make(-1)
        page.wait()
        markup = await page.take()
        found = re.search(r"<em>Something went wrong. \((\w+)\)</em>", markup)
        assert found is not None
        assert f"{found[1]} work of 'report' failed" in caplog.text
        assert "no such year" not in markup


async def test_work_is_cancelled_when_its_component_leaves_the_page_and_when_the_page_goes() -> None:
    world = World(limits=Limits(grace=0.01))
    async with alive(world) as live:
        page = Page(live, world)
        await page.come()
        for leave in (lambda: page.say(type="join", components=[]), lambda: asyncio.ensure_future(page.go())):
            await page.make(7)
            page.wait()
            while not world.working:
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            leave()
            while world.working or len(live.works):
                await asyncio.sleep(0.001)


async def test_work_that_no_page_asks_for_is_given_up() -> None:
    world = World(limits=Limits(heartbeat=0.01))
    async with alive(world) as live:
        await Page(live, world).make(7)
        while not world.working:
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            while world.working or len(live.works):
                await asyncio.sleep(0.001)


async def test_an_event_that_fails_begins_nothing() -> None:
    world = World()
    async with alive(world) as live:
        page = Page(live, world)
        reply, _ = await send(world, page.name, page.id, page.state, "break_off")
        assert reply.status == 500
        await asyncio.sleep(0.01)
        assert (world.working, len(live.works)) == (0, 0)


async def test_a_page_on_another_worker_hears_of_it_and_of_a_worker_that_died() -> None:
    broker = MemoryBroker()
    one = World(broker=Through(broker), limits=Limits(heartbeat=0.02))
    two = World(broker=Through(broker), limits=Limits(heartbeat=0.02))
    for survives in (True, False):
        page = Page(two.engine.live(), two)
        await page.come()
        reply, page.state = await send(one, page.name, page.id, page.state, "make", year="7")
        page.handle = json.loads(reply.headers["HX-Trigger"])["component:work"]["work"]
        page.wait()
        while not one.working:
            await asyncio.sleep(0)
        if survives:
            one.go_on.set()
            assert "<b>14</b>" in await page.take()
            one.go_on.clear()
        else:
            await one.engine.live().stop()
            assert "This was interrupted." in await page.take()
        await page.go()
    await two.engine.live().stop()


class Through:
    """A broker of one process, for two engines on one event loop that stand for two workers."""

    def __init__(self, broker: Any) -> None:
        self.others: list[Through] = broker.__dict__.setdefault("others", [])
        self.others.append(self)
        self.own = MemoryBroker()
        self.listen, self.follow, self.unfollow = self.own.listen, self.own.follow, self.own.unfollow

    async def publish(self, topic: str, message: bytes) -> None:
        self.publish_sync(topic, message)

    def publish_sync(self, topic: str, message: bytes) -> None:
        for other in self.others:
            other.own.publish_sync(topic, message)


async def test_a_page_cannot_send_an_outcome_of_its_own_making() -> None:
    world = World()
    world.go_on.set()
    async with alive(world) as live:
        page, other = Page(live, world), Page(live, world)
        await page.come()
        await page.make(7)
        page.wait()
        told = await page.hear("outcome")
        unknown, _ = await send(world, page.name, page.id, page.state, "no_such_event")
        for event, payload in [
            ("counted", {"total": "9"}), ("outcome:counted", {"total": "9"}), ("outcome:counted", {}), ("outcome:counted", {"outcome": "x.y"}),
            ("outcome:counted", {"outcome": page.handle}), ("outcome:counted", {"outcome": page.state}),
            ("outcome:failed", {"outcome": told["outcome"]}), ("outcome:counted", {"outcome": told["outcome"], "total": "9"}),
        ]:  # fmt: skip
            reply, _ = await send(world, page.name, page.id, page.state, event, **payload)
            assert (reply.status, reply.headers["X-Component-Code"]) == (404, "unknown"), (event, payload)
            assert unknown.status == 404
        reply, _ = await send(world, other.name, other.id, other.state, "outcome:counted", outcome=told["outcome"])
        assert reply.status == 404


async def test_another_visitor_cannot_wait_for_it() -> None:
    world = World()
    async with alive(world) as live:
        page = Page(live, world)
        await page.make(7)
        bob = Tab(live, Context(identity="bob"))
        session = await bob.come()
        bob.say(type="join", components=[], work=[["report", page.handle], ["report", "x"], ["nobody", page.handle]])
        bob.say(type="message", n=1, name="enter")
        await bob.hear("message")
        assert not session.waiting


def test_what_takes_an_outcome_is_declared() -> None:
    registry = Registry()

    @registry.register("one")
    class One(Component):
        template = "<p></p>"

        def on_go(self) -> None:
            self.start(nothing(), done="come", failed="come")

        def on_come(self, value: int) -> None: ...

        def on_wrong(self) -> None:
            self.start(nothing(), done="came", failed="came")

        @outcome
        def on_arrived(self, value: int) -> None: ...

    with pytest.raises(ConfigurationError, match="Write @outcome above on_come"):
        One().dispatch("go")
    with pytest.raises(ConfigurationError, match="arrived"):
        One().dispatch("wrong")
    with pytest.raises(ConfigurationError, match="one parameter"):

        @registry.register("two")
        class Two(Component):
            template = "<p></p>"

            @outcome
            def on_come(self, one: int, two: int) -> None: ...


async def nothing() -> None: ...


def test_a_test_without_a_page_sends_the_outcome_itself() -> None:
    world = World()
    report = world.registry.find("report")()
    assert asyncio.run(report.async_dispatch("make", {"year": 7}))["state"]["trouble"] == "working"
    assert report.dispatch("outcome:counted", {"total": 14}, state={"total": 0, "trouble": ""})["state"]["total"] == 14


def test_work_needs_an_event_loop() -> None:
    world = World()
    name, id, token, _ = shown(world, "sync_report")
    headers = {
        "hx-request": "true",
        "content-type": "application/x-www-form-urlencoded",
        "x-component-state": token,
        "x-component-id": id,
    }
    reply = world.engine.answer_sync(HttpRequest(component=name, query="event=make", body=b"year=1", headers=headers))
    assert reply.status == 500
    assert msgspec.json.decode(reply.headers["HX-Trigger"])["component:error"]["code"] == "failed"
