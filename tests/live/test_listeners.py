"""Functions of the application: what pages say, what the application says to itself, and names that are taken."""

from __future__ import annotations

from typing import Any

import pytest

from component_framework import Context, Session
from component_framework.core.errors import ConfigurationError, Invalid
from tests.live.site import World
from tests.live.tabs import Tab, alive


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
