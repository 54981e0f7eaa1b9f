"""The connections of pages on every host: the same messages, the same refusals."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from component_framework import Limits
from component_framework.core.request import HttpRequest
from tests.live.hosts import Host, Line, Socket, Stream, each_host, each_line
from tests.live.site import World

pytestmark = pytest.mark.django_db(transaction=True)


def shown(world: World, name: str, **params: Any) -> list[str]:
    """What a page's script says of a component: its name, id, token and digest."""
    markup = world.engine.mount(name, **params)
    values = [re.search(f' {attribute}="([^"]*)"', markup) for attribute in ("id", "data-state", "data-digest")]
    return [name, *(found[1] if found else "" for found in values)]


@each_host
@each_line
def test_a_page_hears_of_what_it_shows(host: Host, line: Line) -> None:
    world = World()
    stock, board = shown(world, "stock", pk=1), shown(world, "board")
    with host(world) as address, line(address) as page:
        assert page.hear()["type"] == "hello"
        page.say(type="join", components=[stock, board])
        page.say(type="message", n=1, name="enter", data={})
        assert page.hear("message")["name"] == "entered"  # so that the join is done, too
        world.stock[1] = 7
        world.engine.publish_sync("stock:2", "stock:1", "unknown")
        heard = [page.hear(), page.hear()]
        assert {frame.get("type", "html") for frame in heard} == {"refresh", "html"}
        assert any("<b>27</b>" in frame.get("content", "") for frame in heard)


@each_host
@each_line
def test_what_changed_before_the_page_had_joined_is_shown(host: Host, line: Line) -> None:
    world = World()
    components = [
        shown(world, "stock", pk=1),
        shown(world, "stored", pk=2),
        shown(world, "board"),
        shown(world, "stock", pk=2),
    ]
    world.stock[1] = 3
    with host(world) as address, line(address) as page:
        page.hear("hello")
        page.say(type="join", components=components)
        assert page.hear()["id"] == components[0][1]
        assert "<b>23</b>" in page.hear()["content"]
        page.say(type="message", n=1, name="enter", data={})
        assert page.hear()["name"] == "entered"


@each_host
@each_line
def test_a_page_speaks_to_its_room(host: Host, line: Line) -> None:
    world = World()
    with host(world) as address, line(address) as ann, line(address) as bob:
        for page in (ann, bob):
            page.hear("hello")
            page.say(type="message", n=1, name="enter", data={"room": "r"})
            page.hear("message")
        ann.say(type="message", n=2, name="say", data={"text": "hi", "room": "r"})
        assert bob.hear("message")["data"] == {"text": "hi"}
        bob.say(type="message", n=2, name="leave", data={"room": "r"})
        bob.say(type="message", n=3, name="say", data={"text": "bye", "room": "r"})
        assert ann.hear("message")["data"] == {"text": "bye"}


@each_host
def test_an_event_over_the_socket_is_answered_as_a_post(host: Host) -> None:
    world = World()
    name, id, token, _ = shown(world, "plain")
    with host(world) as address, Socket(address) as page:
        page.hear("hello")
        page.say(type="event", n=1, component=name, query="event=greet", body="name=7", state=token, id=id)
        over = page.hear("reply")
        posted = world.engine.answer_sync(
            HttpRequest(
                component=name, query="event=greet", body=b"name=7",
                headers={
                    "hx-request": "true", "content-type": "application/x-www-form-urlencoded", "x-component-state": token,
                    "x-component-id": id,
                },
            )
        )  # fmt: skip
        assert isinstance(posted.body, bytes)
        assert (over["status"], without_token(over["body"])) == (200, without_token(posted.body.decode()))
        page.say(type="event", n=2, component=name, query="event=greet", body="name=x", state=token, id=id)
        assert page.hear("reply")["status"] == 422
        page.say(type="event", n=3, component=name, query="event=slow", state=token, id=id, accept="text/event-stream")
        assert page.hear("begin")["status"] == 200
        chunks = ""
        while (frame := page.hear())["type"] == "chunk":
            chunks += frame["body"]
        assert re.findall(r"<b>(\d+)</b>", chunks) == ["100", "200", "300", "300"]
        page.say(component=name, event="add", state=token, id=id, headers={"HX-Request": "true"})
        assert f'hx-target="#{id}"' in page.hear()["content"]


def without_token(markup: str) -> str:
    return re.sub(r'data-state="[^"]*"', "", markup)


@each_host
def test_events_of_one_component_keep_their_order_and_others_do_not_wait(host: Host) -> None:
    world = World()
    name, id, token, _ = shown(world, "plain")
    with host(world) as address, Socket(address) as page:
        page.hear("hello")
        for n in range(1, 6):
            page.say(type="event", n=n, component=name, query="event=add", state=token, id=id)
        page.say(type="event", n=6, component=name, query="event=greet", body="name=1")
        order = [page.hear("reply")["to"] for _ in range(6)]
        assert [n for n in order if n != 6] == [1, 2, 3, 4, 5]
        assert order.index(6) < 5


@each_host
def test_a_foreign_page_is_refused(host: Host) -> None:
    world = World()
    with host(world) as address:
        for origin in ("https://evil.example", "null", "http://localhost:1", "javascript:"):
            with pytest.raises(InvalidStatus) as refusal:
                Socket(address, Origin=origin)
            assert refusal.value.response.status_code == 403
            assert httpx.get(f"{address}/components/live", headers={"Origin": origin}).status_code == 403
            assert httpx.post(f"{address}/components/live", headers={"Origin": origin}, json={}).status_code == 403
        assert world.heard == []


@each_host
def test_what_is_no_message_gets_an_error_and_the_socket_lives_until_there_are_too_many(host: Host) -> None:
    world = World()
    bad: list[str | bytes] = [
        "", "[]", "null", "1", '"x"', "{", b"{}", "[" * 1000, '{"type": "hello"}', '{"type": "message", "name": 1}',
    ]  # fmt: skip
    with host(world) as address, Socket(address) as page:
        page.hear("hello")
        for text in bad:
            page.raw.send(text)
            assert page.hear("error")["code"] in ("malformed", "too_large")
        page.say(type="message", n=1, name="enter", data={})
        assert page.hear("message")["name"] == "entered"
        page.raw.send("one too many")
        with pytest.raises(ConnectionClosed) as closed:
            page.hear("nothing")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


@each_host
@each_line
def test_reserved_and_unknown_names_are_refused(host: Host, line: Line) -> None:
    world = World()
    with host(world) as address, line(address) as page:
        page.hear("hello")
        for n, name in enumerate(["connect", "disconnect", "start", "stop", "error", "nobody", "__init__"], 1):
            page.say(type="message", n=n, name=name, data={})
            error = page.hear("error")
            assert (error["to"], error["code"]) == (n, "unknown")


@each_host
@each_line
def test_arguments_are_typed_and_a_message_is_taken_once(host: Host, line: Line) -> None:
    world = World()
    with host(world) as address, line(address) as page:
        page.hear("hello")
        page.say(type="message", n=1, name="say", data={"text": 7})
        assert page.hear("error")["code"] == "invalid"
        page.say(type="message", n=2, name="say", data={"text": "once", "extra": 1})
        assert page.hear("error")["code"] == "invalid"
        for _ in range(3):
            page.say(type="message", n=3, name="say", data={"text": "once"})
        page.say(type="message", n=4, name="enter", data={})
        page.hear("message")
        assert [what for name, what in world.heard if name == "say"] == ["once"]


@each_host
@each_line
def test_one_page_too_many_is_sent_away_at_once(host: Host, line: Line) -> None:
    world = World(limits=Limits(sessions=1))
    with host(world) as address, line(address) as page:
        page.hear("hello")
        if line is Stream:
            answer = httpx.get(f"{address}/components/live")
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        else:
            with pytest.raises(ConnectionClosed) as closed:
                Socket(address).hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013


@each_host
@each_line
def test_a_page_that_comes_back_hears_what_it_has_missed_in_order_and_once(host: Host, line: Line) -> None:
    world = World(limits=Limits(grace=5))
    with host(world) as address:
        with line(address) as page:
            session = page.hear("hello")["session"]
            page.say(type="message", n=1, name="enter", data={})
            seen = page.hear("message")["seq"]
        for n in range(5):
            message = {"type": "message", "name": "said", "data": {"n": n}}
            world.engine.broker.publish_sync("g:room", json.dumps(message).encode())
        with line(address, f"?session={session}&last_id={seen}") as page:
            hello = page.hear()
            assert (hello["resumed"], hello["received"]) == (True, 1)
            assert [page.hear("message")["data"]["n"] for _ in range(5)] == [0, 1, 2, 3, 4]
        assert [name for name, _ in world.heard if name != "start"] == ["connect"]


@each_host
@each_line
def test_a_session_that_is_not_ours_is_not_resumed(host: Host, line: Line) -> None:
    with host(World()) as address:
        for token in ("nonsense", "a.b", "é", "x" * 2_000):
            with line(address, f"?session={token}&last_id=1") as page:
                assert page.hear()["resumed"] is False
            answer = httpx.post(f"{address}/components/live", json={"session": token, "messages": []})
            assert (answer.status_code, answer.json()["code"]) == (400, "state_invalid")


@each_host
def test_a_post_that_is_no_list_of_messages_is_refused(host: Host) -> None:
    with host(World()) as address:
        for body in (b"", b"[]", b"{", b'{"session": 1, "messages": []}', b'{"session": "x"}', b"\xff"):
            answer = httpx.post(f"{address}/components/live", content=body)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert httpx.post(f"{address}/components/live", content=b"x" * 2_000_000).status_code == 413
        assert httpx.put(f"{address}/components/live").status_code == 405
