"""Sessions in this process, with pages that are lists: order, loss, resumption, limits, and what is left behind."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from component_framework import BrowserError, Component, Context, Limits, Provided, Session, SessionClosed
from component_framework.core.broker import MemoryBroker
from component_framework.core.errors import PayloadError, Unavailable
from component_framework.core.live import Live
from component_framework.core.session import LOG
from tests.live.site import Point, World
from tests.live.tabs import Tab, alive
from tests.live.test_hosts import shown


async def test_calls_are_answered_out_of_order_and_typed() -> None:
    async with alive(World()) as live:
        tab = Tab(live)
        session = await tab.come()
        first = asyncio.ensure_future(session.call("a", returns=int))
        second = asyncio.ensure_future(session.call("b", returns=Point))
        third = asyncio.ensure_future(session.call("c", returns=int))
        refs = [(await tab.hear("call"))["ref"] for _ in range(3)]
        tab.say(type="result", ref=refs[1], value={"x": 1})
        tab.say(type="result", ref=99, value="nobody asked")
        tab.say(type="result", ref=refs[0], value=5)
        tab.say(type="result", ref=refs[0], value=6)
        tab.say(type="result", ref=refs[2], value="no number")
        assert await second == Point(1)
        assert await first == 5
        with pytest.raises(BrowserError, match="invalid"):
            await third
        failing = asyncio.ensure_future(session.call("d"))
        tab.say(type="result", ref=(await tab.hear("call"))["ref"], error="no camera")
        with pytest.raises(BrowserError, match="no camera"):
            await failing


async def test_a_call_ends_with_its_time_or_its_tab() -> None:
    async with alive(World(limits=Limits(grace=0.01))) as live:
        tab = Tab(live)
        session = await tab.come()
        with pytest.raises(TimeoutError):
            await session.call("slow", timeout=0.01)
        waiting = [asyncio.ensure_future(session.call("never")) for _ in range(3)]
        await tab.hear("call")
        await tab.go()
        for each in waiting:
            with pytest.raises(SessionClosed):
                await each
        assert session.closed
        with pytest.raises(SessionClosed):
            await session.call("too late")


async def test_what_is_no_json_is_refused_before_anything_is_sent() -> None:
    async with alive(World()) as live:
        tab = Tab(live)
        session = await tab.come()
        for wrong in (float("nan"), {1: 2}, object(), b"x"):
            with pytest.raises(PayloadError):
                session.send("x", value=wrong)
            with pytest.raises(PayloadError):
                await session.call("x", value=wrong)
            with pytest.raises(PayloadError):
                await live.engine.broadcast("x", value=wrong)
        session.send("fine", op=1, group=2, self=3, name="free")
        assert (await tab.hear("message"))["data"] == {"op": 1, "group": 2, "self": 3, "name": "free"}


async def test_a_send_has_nothing_to_wait_for() -> None:
    async with alive(World()) as live:
        session = await Tab(live).come()
        sent = session.send("x")
        assert not sent
        with pytest.warns(RuntimeWarning, match="no answer to wait for"):
            await sent


async def test_a_session_can_be_used_from_a_worker_thread() -> None:
    async with alive(World()) as live:
        tab = Tab(live)
        session = await tab.come()

        def work() -> None:
            session.send("from afar", n=1)
            session.join("room")

        await asyncio.to_thread(work)
        assert (await tab.hear("message"))["data"] == {"n": 1}
        await live.engine.broadcast("hello", group="room")
        assert (await tab.hear("message"))["name"] == "hello"


async def test_joining_twice_is_joining_once_and_an_empty_room_is_forgotten() -> None:
    async with alive(World()) as live:
        before = len(live.subscriptions)
        tab = Tab(live)
        session = await tab.come()
        await session.join("room")
        await session.join("room")
        await live.engine.broadcast("once", group="room")
        await live.engine.broadcast("twice", group="room")
        assert [(await tab.hear("message"))["name"] for _ in range(2)] == ["once", "twice"]
        await session.leave("room")
        await session.leave("room")
        assert len(live.subscriptions) == before


async def test_a_page_that_was_away_for_too_long_is_shown_anew() -> None:
    async with alive(World()) as live:
        tab = Tab(live)
        session = await tab.come()
        await tab.go()
        for n in range(LOG + 5):
            session.send("missed", n=n)
        assert await tab.come() is session
        assert (await tab.hear("resync"))["seq"] == LOG + 6
        session.send("new")
        assert (await tab.hear("message"))["name"] == "new"


async def test_a_reader_that_stalls_is_dropped_and_nobody_waits_for_it() -> None:
    async with alive(World()) as live:
        tabs = [Tab(live) for _ in range(200)]
        for tab in tabs:
            await tab.come()
        tabs[0].room.clear()
        for n in range(LOG + 10):
            await live.engine.broadcast("news", n=n)
            if n % 50 == 0:
                await asyncio.sleep(0.01)
        for tab in tabs[1:]:
            heard = [(await tab.hear("message"))["data"]["n"] for _ in range(LOG + 10)]
            assert heard == list(range(LOG + 10))
        assert tabs[0].session is not None
        assert not tabs[0].session.connected
        tabs[0].room.set()


async def test_a_newer_connection_takes_the_place_of_an_older_one() -> None:
    async with alive(World()) as live:
        tab = Tab(live)
        session = await tab.come()
        again = Tab(live)
        again.token = tab.token
        assert await again.come() is session
        session.send("x")
        assert (await again.hear("message"))["name"] == "x"
        await asyncio.wait_for(tab._running or asyncio.sleep(0), 5)
        assert (tab.closed, tab.frames) == (1012, [])


async def test_a_session_is_good_for_its_visitor_only() -> None:
    async with alive(World()) as live:
        ann = Tab(live, Context(identity="ann"))
        session = await ann.come()
        bob = Tab(live, Context(identity="bob"))
        bob.token = ann.token
        assert await bob.come() is not session


async def test_logging_out_ends_every_tab_of_that_login_and_no_other() -> None:
    async with alive(World()) as live:
        ann, bob = Tab(live, Context(identity="ann")), Tab(live, Context(identity="bob"))
        one, two = await ann.come(), await bob.come()
        await asyncio.sleep(0)
        await live.engine.log_out(Context(identity="ann"))
        while not one.closed:
            await asyncio.sleep(0)
        assert not two.closed


@pytest.mark.parametrize("limits", [Limits(sessions=2), Limits(sessions_per_user=2), Limits(sessions_per_address=2)])
async def test_too_many_pages_are_refused_and_the_count_stays_right(limits: Limits) -> None:
    async with alive(World(limits=limits)) as live:
        context = Context(identity="ann", address="10.0.0.1")
        for _ in range(50):
            tabs = [Tab(live, context), Tab(live, context)]
            for tab in tabs:
                await tab.come()
            with pytest.raises(Unavailable):
                await Tab(live, context).come()
            for tab in tabs:
                assert tab.session is not None
                await tab.session.close()
        assert not live.sessions


async def test_a_tab_that_comes_back_from_another_address_leaves_no_count_behind() -> None:
    async with alive(World(limits=Limits(sessions_per_address=2))) as live:
        for number in range(5):
            tab = Tab(live, Context(address="10.0.0.1"))
            await tab.come()
            await tab.go()
            tab.context = Context(address=f"10.0.1.{number}")
            session = await tab.come()
            assert session.context.address == tab.context.address
            await session.close()
        assert not live.sessions


async def test_a_flood_is_stopped_and_a_lively_page_is_not() -> None:
    world = World(limits=Limits(messages=100))
    async with alive(world) as live:
        lively, flood = Tab(live), Tab(live)
        await lively.come()
        await flood.come()
        for n in range(1, 61):
            lively.say(type="message", n=n, name="say", data={"text": str(n)})
        for n in range(1, 400):
            flood.say(type="message", n=n, name="nobody", data={})
        while flood.closed is None:
            await asyncio.sleep(0.001)
        lively.say(type="message", n=61, name="enter")
        await lively.hear("message")
        assert [what for name, what in world.heard if name == "say"] == [str(n) for n in range(1, 61)]


async def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    @world.engine.on("connect")
    def broken(session: Session) -> None:
        raise RuntimeError("on purpose")

    @world.engine.on("say")
    def chatty(session: Session, text: str) -> int:
        return 1

    async with alive(world) as live:
        tab = Tab(live)
        await tab.come()
        for n in (1, 2):
            tab.say(type="message", n=n, name="say", data={"text": "x"})
        tab.say(type="message", n=3, name="enter")
        await tab.hear("message")
        assert Counter(name for name, _ in world.heard) == {"start": 1, "connect": 1, "say": 2}
        assert "on purpose" in caplog.text
        assert caplog.text.count("ReturnValueDiscarded") == 1


async def test_lifecycle_events_keep_their_order_whatever_comes_first() -> None:
    """200 random orders of connecting, speaking, leaving and coming back."""
    for seed in range(200):
        chance = random.Random(seed)
        world = World(limits=Limits(grace=0.0))
        async with alive(world) as live:
            tabs = [Tab(live) for _ in range(3)]

            async def visit(tab: Tab, chance: random.Random = chance) -> None:
                for _ in range(chance.randint(0, 3)):
                    await asyncio.sleep(0)
                await tab.come()
                tab.say(type="message", n=1, name="say", data={"text": "x"})
                for _ in range(chance.randint(0, 5)):
                    await asyncio.sleep(0)
                await tab.go()

            await asyncio.gather(*map(visit, tabs))
        names = [name for name, _ in world.heard]
        assert (names[0], names[-1]) == ("start", "stop")
        for tab in tabs:
            assert tab.session is not None
            own = [name for name, id in world.heard if id == tab.session.id]
            assert own == ["connect", "disconnect"], seed


async def test_ten_thousand_comings_and_goings_leave_nothing_behind() -> None:
    world = World(limits=Limits(grace=0.0))
    async with alive(world) as live:
        await Tab(live).come()
        tasks, followed = len(asyncio.all_tasks()), len(live.subscriptions)
        for _ in range(100):
            await _come_and_go(live, 100)
        while len(live.sessions) > 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        assert (len(asyncio.all_tasks()), len(live.subscriptions)) == (tasks, followed)
        gc.collect()
        assert sum(type(each) is Session for each in gc.get_objects()) <= 2
        world.heard.clear()


async def _come_and_go(live: Live, count: int) -> None:
    tabs = [Tab(live) for _ in range(count)]
    for tab in tabs:
        session = await tab.come()
        session.join("room")
    for tab in tabs:
        await tab.go()


async def test_who_is_in_a_room_is_known_in_every_process() -> None:
    broker = MemoryBroker()
    one, two = World(broker=broker), World(broker=broker)
    async with alive(one) as here:
        tab = Tab(here)
        session = await tab.come()
        await session.join("room", name="Ann")
        assert one.engine.members("room") == {session.id: {"name": "Ann"}}
        other = Live(two.engine, broker, None)
        other.presence.deliver(b'{"from": "elsewhere", "group": "room", "members": {"x": {"name": "Bob"}}}')
        assert other.presence.members("room") == {"x": {"name": "Bob"}}
        here.presence.deliver(b'{"from": "elsewhere", "group": "room", "members": {"x": {"name": "Bob"}}}')
        assert one.engine.members("room") == {session.id: {"name": "Ann"}, "x": {"name": "Bob"}}
        for _ in range(4):
            await here.presence.beat()
        assert one.engine.members("room") == {session.id: {"name": "Ann"}}
        await session.leave("room")
        assert one.engine.members("room") == {}


async def test_a_list_of_members_is_shown_anew_when_somebody_comes_or_goes() -> None:
    world = World(limits=Limits(grace=0.01))
    async with alive(world) as live:
        tab, other = Tab(live), Tab(live)
        await tab.come()
        guests = shown(world, "guests")
        tab.say(type="join", components=[guests])
        tab.say(type="message", n=1, name="enter")
        await tab.hear("message")
        for _ in range(20):
            await asyncio.sleep(0)
        visitor = await other.come()
        await visitor.join("room", name="Bob")
        assert "topic" in await tab.hear("refresh")
        assert "Bob" in world.engine.mount("guests")
        await other.go()
        assert "topic" in await tab.hear("refresh")
        assert "Bob" not in world.engine.mount("guests")


async def test_members_of_a_room_hear_once_of_each_who_comes_and_goes_here_or_in_another_process() -> None:
    world = World(limits=Limits(grace=0.01))
    async with alive(world) as live:
        ann, bob = Tab(live), Tab(live)
        one = await ann.come()
        await one.join("room", name="Ann")
        two = await bob.come()
        await two.join("room", name="Bob")
        await two.join("room", name="Bob")
        there = b'{"from": "elsewhere", "group": "room", "members": {"x": {"name": "Cid"}}}'
        live.presence.deliver(there)
        live.presence.deliver(there)
        await bob.go()
        for _ in range(4):
            await live.presence.beat()
        while len(live.sessions) > 1:
            await asyncio.sleep(0.01)
        heard = [await ann.hear("message") for _ in range(4)]
        assert [(frame["name"], frame["data"]["who"]["name"]) for frame in heard] == [
            ("presence:join", "Bob"), ("presence:join", "Cid"), ("presence:leave", "Cid"), ("presence:leave", "Bob"),
        ]  # fmt: skip
        assert heard[0]["data"]["id"] == two.id
        assert not [frame for frame in ann.frames if frame["type"] == "message"]


async def test_a_session_that_is_there_before_its_page_keeps_what_it_is_told_and_is_taken_once() -> None:
    world = World(limits=Limits(grace=5))
    async with alive(world) as live:
        context = await world.engine.open_session(Context(identity="ann"))
        session = context.live
        await session.join("room")
        session.send("welcome", n=1)
        await world.engine.broadcast("said", group="room", text="early")
        await asyncio.sleep(0)
        assert 'data-session="' in world.engine.scripts(None, context)
        assert [name for name, _ in world.heard] == ["start"]
        tab, copy, thief = (Tab(live, Context(identity=name)) for name in ("ann", "ann", "bob"))
        for each in (thief, tab, copy):
            each.token = context.live_token
        assert await thief.come() is not session
        assert await tab.come() is session
        assert [(await tab.hear("message"))["name"] for _ in range(2)] == ["welcome", "said"]
        assert await copy.come() is not session
        await tab.go()
        assert await tab.come() is session
        assert world.heard.count(("connect", session.id)) == 1


async def test_a_session_whose_page_does_not_come_is_forgotten_and_nobody_is_told_that_it_left() -> None:
    world = World(limits=Limits(grace=0.01))
    async with alive(world) as live:
        context = await world.engine.open_session(Context())
        while not context.live.closed:
            await asyncio.sleep(0.01)
        assert (len(live.sessions), [name for name, _ in world.heard]) == (0, ["start"])


async def test_too_much_for_a_page_that_has_not_come_is_shown_as_it_is_by_then() -> None:
    world = World(limits=Limits(grace=5))
    async with alive(world) as live:
        context = await world.engine.open_session(Context())
        for n in range(LOG + 5):
            context.live.send("said", n=n)
        tab = Tab(live)
        tab.token = context.live_token
        await tab.come()
        await tab.hear("resync")
        assert not [frame for frame in tab.frames if frame["type"] == "message"]


@pytest.mark.parametrize("settings", [{"lives_in": "store"}, {"shared": True}])
@pytest.mark.parametrize("declared", [True, False])
async def test_what_is_published_after_a_right_was_lost_is_not_shown_and_cannot_be_asked_for(
    settings: dict[str, Any], declared: bool
) -> None:
    world, allowed, secret = World(), {"ann", "ben"}, ["one"]

    class Ward(Component):
        template = "<p>{{ secret }}</p>"
        topics = ("ward",)
        permissions = (lambda context: context.user in allowed,) if declared else ()
        lives_in, shared = settings.get("lives_in"), settings.get("shared", False)

        def authorize(self, event: str | None) -> bool:
            return self.user in allowed

        def get_context(self) -> dict[str, Any]:
            return {**super().get_context(), "secret": secret[0]}

    world.registry.register("ward")(Ward)
    async with alive(world) as live:
        tabs = {}
        for name in ("ann", "ben"):
            context = Context(user=name, identity=name)
            tab = tabs[name] = Tab(live, context)
            await tab.come()
            markup = world.engine.mount("ward", context=context)
            found = dict(re.findall(r' (id|data-state|data-digest)="([^"]*)"', markup))
            tab.say(type="join", components=[["ward", found["id"], found["data-state"], found["data-digest"]]])
            secret[0] += "!"
            await world.engine.publish("ward")
            assert secret[0] in (await tab.hear("content"))["content"]
        allowed.discard("ben")
        secret[0] = "only for ann"
        await world.engine.publish("ward")
        while secret[0] not in (await tabs["ann"].hear("content"))["content"]:
            pass
        tabs["ben"].say(type="join", components=[["ward", found["id"], found["data-state"], found["data-digest"]]])
        assert (await tabs["ben"].hear("error"))["code"] == "forbidden"
        assert secret[0] not in json.dumps(tabs["ben"].everything)


class Ledger:
    """What a database session would be."""


@pytest.mark.parametrize("settings", [{"lives_in": "store"}, {"shared": True}])
async def test_what_is_pushed_has_what_the_class_asks_for_and_closes_it(settings: dict[str, Any]) -> None:
    opened: list[bool] = []
    totals = ["one"]

    async def ledger() -> AsyncIterator[Ledger]:
        opened.append(True)
        yield Ledger()
        opened[-1] = False

    world = World(providers={Ledger: ledger})

    class Sums(Component):
        template = "<p>{{ total }}</p>"
        topics = ("sums",)
        lives_in, shared = settings.get("lives_in"), settings.get("shared", False)
        ledger: Annotated[Ledger, Provided()]

        def get_context(self) -> dict[str, Any]:
            assert isinstance(self.ledger, Ledger)
            return {**super().get_context(), "total": totals[-1]}

    world.registry.register("sums")(Sums)
    async with alive(world) as live:
        tab = Tab(live, Context(user="ann", identity="ann"))
        await tab.come()
        markup = await world.engine.async_mount("sums", context=tab.context)
        found = dict(re.findall(r' (id|data-state|data-digest)="([^"]*)"', markup))
        tab.say(type="join", components=[["sums", found["id"], found["data-state"], found["data-digest"]]])
        before = len(opened)
        totals.append("two")
        await world.engine.publish("sums")
        assert "two" in (await tab.hear("content"))["content"]
    assert len(opened) > before
    assert not any(opened)


async def test_who_sees_a_shared_component_goes_on_seeing_it_when_the_first_who_saw_it_has_left() -> None:
    world = World()
    async with alive(world) as live:
        tabs = []
        for name in ("ann", "ben"):
            tab = Tab(live, Context(user=name, identity=name))
            await tab.come()
            markup = world.engine.mount("board", context=tab.context)
            found = dict(re.findall(r' (id|data-state|data-digest)="([^"]*)"', markup))
            tab.say(type="join", components=[["board", found["id"], found["data-state"], found["data-digest"]]])
            world.stock[1] += 1
            await world.engine.publish("stock:1")
            await tab.hear("content")
            tabs.append(tab)
        assert tabs[0].session is not None
        await tabs[0].session.close()
        world.stock[1] = 970
        await world.engine.publish("stock:1")
        while "<b>990</b>" not in (await tabs[1].hear("content"))["content"]:
            pass


async def test_a_component_without_topics_cannot_be_joined() -> None:
    world = World()
    async with alive(world) as live:
        tab = Tab(live)
        await tab.come()
        tab.say(type="join", components=[shown(world, "plain"), shown(world, "board")[:3] + ["old"]])
        assert (await tab.hear("error"))["code"] == "unknown"
        await tab.hear("content")
