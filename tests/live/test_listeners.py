"""Functions of the application: what pages say, what the application says to itself, and names that are taken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from component_framework import Context, Engine, Session
from component_framework.core.errors import ConfigurationError, Invalid
from tests.live.site import World
from tests.live.tabs import Tab, alive
from tests.live.test_hosts import shown


@pytest.mark.parametrize("name", ["conect", "Connect", "connected", "disconect", "starts", "stopp"])
def test_a_misspelt_lifecycle_name_is_refused_where_it_is_written_with_those_that_there_are(name: str) -> None:
    with pytest.raises(ValueError, match="start, stop, connect, disconnect"):
        World().engine.on(name)


@pytest.mark.parametrize("name", ["error", "ready", "hello", "component:ready", "htmx:load"])
def test_a_name_of_the_frameworks_own_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(ValueError, match="start, stop, connect, disconnect"):
        World().engine.on(name)


def test_a_listener_for_pages_takes_a_session() -> None:
    with pytest.raises(ConfigurationError, match="takes no session"):

        @World().engine.on("said")
        def said() -> None: ...


async def test_what_is_emitted_reaches_every_listener_of_this_process_and_gives_all_outcomes() -> None:
    engine = World().engine
    user = object()

    @engine.on("user_joined", pages=False)
    async def first(user: Any) -> Any:
        return user

    @engine.on("user_joined", pages=False)
    def second(user: Any) -> None:
        raise RuntimeError("on purpose")

    @engine.on("user_joined", pages=False)
    def third(user: Any, rank: int = 3) -> int:
        return rank

    results = await engine.emit("user_joined", user=user)
    assert (results[0], results[2]) == (user, 3)
    assert isinstance(results[1], RuntimeError)
    assert await engine.emit("nobody listens") == []
    with pytest.raises(ValueError, match="connect"):
        await engine.emit("connect")


async def test_a_listener_that_pages_may_call_gets_no_session_and_typed_data_from_an_emit() -> None:
    engine = World().engine

    @engine.on("paid")
    def paid(who: Session | None, amount: int) -> tuple[Any, int]:
        return who, amount

    assert await engine.emit("paid", amount=7) == [(None, 7)]
    [refused] = await engine.emit("paid", amount="much")
    assert isinstance(refused, Invalid)


async def test_what_is_for_the_application_alone_cannot_be_sent_by_a_page() -> None:
    world = World()
    heard: list[int] = []

    @world.engine.on("paid", pages=False)
    def paid(amount: int) -> None:
        heard.append(amount)

    async with alive(world) as live:
        tab = Tab(live)
        await tab.come()
        tab.say(type="message", n=1, name="paid", data={"amount": 1})
        assert (await tab.hear("error"))["code"] == "unknown"
        await world.engine.emit("paid", amount=2)
    assert heard == [2]


async def test_a_logout_that_cannot_find_its_pages_says_what_is_missing() -> None:
    engine = World().engine
    await engine.log_out(Context())
    with pytest.raises(ConfigurationError, match="identify"):
        await engine.log_out(Context(user="ann"))
    with pytest.raises(ConfigurationError, match="identify"):
        engine.log_out_sync(Context(user="ann"))


async def test_a_reference_is_a_component_of_the_tab_that_sent_it_and_goes_out_as_one() -> None:
    world = World()
    async with alive(world) as live:
        tab = Tab(live)
        session = await tab.come()
        tab.say(type="message", n=1, name="point", data={"at": {"$ref": "c-1"}})
        assert (await tab.hear("message"))["data"] == {"at": {"$ref": "c-1"}, "all": [{"$ref": "c-1"}]}
        for n, wrong in enumerate(({}, {"at": "c-1"}, {"at": {"$ref": 1}}, {"at": {"$ref": "c", "x": 1}}), 2):
            tab.say(type="message", n=n, name="point", data=wrong)
            assert (await tab.hear("error"))["code"] == "invalid"
        component = world.registry.find("plain")()
        component.id = "c-2"
        session.send("see", it=component)
        assert (await tab.hear("message"))["data"] == {"it": {"$ref": "c-2"}}
        asked = asyncio.ensure_future(session.component("plain").call("add", by=1))
        call = await tab.hear("call")
        assert (call["name"], call["data"]) == (
            "component:event",
            {"target": "plain", "event": "add", "data": {"by": 1}, "calls": []},
        )
        tab.say(type="result", ref=call["ref"], value=None)
        assert await asked is None


async def test_what_a_page_shows_is_known_to_its_session() -> None:
    world = World()
    stock, plain = shown(world, "stock", pk=1), shown(world, "plain")
    async with alive(world) as live:
        tab = Tab(live)
        session = await tab.come()
        tab.say(type="join", components=[stock, plain])
        assert (await tab.hear("error"))["code"] == "unknown"
        assert session.components == {stock[1]: "stock"}


def test_a_listener_that_nobody_can_fill_is_refused_where_it_is_written() -> None:
    with pytest.raises(ConfigurationError, match="nobody gives 'engine'"):

        @World().engine.on("said")
        def said(session: Session, engine: Engine) -> None: ...
