"""Every message of a page's connection, as data (goldens/*.json): what the server sends, on stream and socket alike, and what it takes."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

import component_framework
from component_framework import Context
from component_framework.core.inbox import Incoming
from component_framework.core.session import FAULTS
from tests.live.hosts import Line, Socket, Stream, each_line, starlette
from tests.live.site import World
from tests.live.test_hosts import shown

HERE = Path(__file__).parent
CORE = Path(component_framework.__file__).parent / "core"
UP: dict[str, dict[str, Any]] = json.loads((HERE / "goldens" / "up.json").read_text())
DOWN: dict[str, dict[str, Any]] = json.loads((HERE / "goldens" / "down.json").read_text())

VARIES = {
    "session": "<token>",
    "work": "<handle>",
    "outcome": "<token>",
    "topic": "<handle>",
    "id": "<id>",
    "content": "<html>",
    "body": "<html>",
}
"""What is another in every run, and what a golden says for it."""


def filled(name: str, /, **values: Any) -> dict[str, Any]:
    """The golden of a page's message, with the values of this run."""
    unknown = values.keys() - UP[name].keys()
    assert not unknown, f"the golden of {name} has no {unknown}"
    return {**UP[name], **values}


def recorded(frame: dict[str, Any]) -> dict[str, Any]:
    """A server's message as its golden has it: without its number, and without what varies."""
    frame = {key: VARIES.get(key, value) for key, value in frame.items() if key != "seq"}
    if "headers" in frame:
        frame["headers"] = {name: re.sub(r"\{.*\}", "<json>", value) for name, value in frame["headers"].items()}
    return frame


class Conversation:
    """A page that says all it can, and notes all that it hears."""

    def __init__(self, world: World, page: Any) -> None:
        self.world = world
        self.page = page
        self.noted: dict[str, dict[str, Any]] = {}
        self.n = 0

    def say(self, name: str, /, **values: Any) -> None:
        if "n" in UP[name] and name != "cancel":
            self.n += 1
            values["n"] = self.n
        self.page.say(**filled(name, **values))

    def hear(self, kind: str, golden: str = "") -> dict[str, Any]:
        frame: dict[str, Any] = self.page.hear(kind)
        self.noted[golden or kind] = recorded(frame)
        return frame

    def event(self, component: list[str], event: str, **values: Any) -> None:
        name, id, token, _ = component
        self.say("event", component=name, query=f"event={event}", state=token, id=id, **values)


def converse(world: World, page: Any) -> Conversation:
    """Everything but how a connection ends, and how one begins that has missed something."""
    talk = Conversation(world, page)
    talk.hear("hello")
    talk.hear("ping")
    talk.say("pong")
    ann = Context(identity="ann")
    stock, board = shown(world, "stock", pk=1, context=ann), shown(world, "board", context=ann)
    plain, report = shown(world, "plain", context=ann), shown(world, "report", context=ann)
    world.stock[1] = 7
    talk.say("join", components=[stock, board, ["stock", stock[1], "no token", ""]], work=[])
    for _ in range(3):  # each is told when it is known
        frame = recorded(page.hear())
        talk.noted[{"error": "error: of a component", "refresh": "refresh: one"}.get(frame.get("type", ""), "html")] = (
            frame
        )
    world.engine.publish_sync("stock:1")
    talk.hear("refresh", "refresh: a topic")
    talk.say("message", name="where")
    talk.say("result", ref=talk.hear("call")["ref"], value={"x": 1})
    talk.hear("emit")
    talk.say("message", name="enter")
    talk.hear("message")
    if isinstance(page, Socket):
        talk.hear("ack")
    talk.event(plain, "add")
    talk.hear("reply")
    talk.event(plain, "slow", accept="text/event-stream")
    talk.hear("begin")
    talk.hear("chunk")
    talk.hear("end")
    talk.say("cancel", n=4)
    world.go_on.set()
    talk.event(report, "make", body="year=7")
    work = re.search(r'"component:work": ?\{"work": ?"([^"]*)"', talk.hear("reply", "reply")["headers"]["HX-Trigger"])
    assert work is not None
    talk.say("join", components=[], work=[[report[0], work[1]]])
    talk.hear("outcome")
    page.say(type="subscribe", topic="stock:1")
    talk.hear("error")
    return talk


def ended(world: World, page: Any) -> dict[str, Any]:
    """How a page hears that its login is over: by a message on the stream, by the socket's own code."""
    world.engine.log_out_sync(Context(identity="ann"))
    if isinstance(page, Stream):
        return recorded(page.hear("close"))
    with pytest.raises(ConnectionClosed) as closed:
        page.hear("nothing")
    assert closed.value.rcvd is not None
    return {"type": "close", "code": closed.value.rcvd.code, "reason": ""}


@each_line
def test_the_server_sends_what_the_goldens_have_and_takes_what_they_have(line: Line) -> None:
    world = World(identify=lambda context: "ann")
    with starlette(world) as address:
        with line(address) as page:
            talk = converse(world, page)
            session, last = page.session, page.last
        with line(address, f"?session={session}&last_id={last + 1000}") as page:
            assert page.hear()["resumed"] is True
            talk.noted["resync"] = recorded(page.hear())
            talk.noted["close"] = ended(world, page)
    assert [name for name, _ in world.heard].count("where") == 1
    expected = {name: frame for name, frame in DOWN.items() if line is Socket or name != "ack"}
    assert talk.noted == expected


def test_every_message_that_the_server_can_send_has_a_golden() -> None:
    source = "".join(path.read_text() for path in CORE.glob("*.py"))
    types = set(re.findall(r'"type": "([a-z]+)"', source))
    assert types == {frame["type"] for frame in DOWN.values() if "type" in frame}


@pytest.mark.parametrize("kind", get_args(Incoming), ids=lambda kind: kind.__struct_config__.tag)
def test_every_message_that_the_server_takes_has_a_golden_with_all_of_its_fields(kind: type[msgspec.Struct]) -> None:
    golden = UP[str(kind.__struct_config__.tag)]
    assert golden.keys() == {"type", *(field.encode_name for field in msgspec.structs.fields(kind))}
    assert isinstance(msgspec.convert(golden, Incoming), kind)


@each_line
def test_what_the_server_does_not_know_is_answered_with_an_error_and_counted(line: Line) -> None:
    with starlette(World()) as address, line(address) as page:
        page.hear("hello")
        for _ in range(FAULTS + 1):
            page.say(type="subscribe", topic="stock:1")
        codes = []
        with suppress(ConnectionClosed):
            while (frame := page.hear())["type"] == "error":
                codes.append(frame["code"])
            assert (frame["type"], frame["code"]) == ("close", 1008)
        assert set(codes) == {"malformed"}
        assert len(codes) >= FAULTS
