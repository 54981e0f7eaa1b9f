"""What no page of ours sends, on every host: an error, or a close code, and the others notice nothing."""

from __future__ import annotations

import json
import socket
import zlib
from contextlib import closing, suppress
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from component_framework import Context, Limits
from tests.live.hosts import Host, Line, Socket, Stream, each_host, each_line, starlette
from tests.live.site import World
from tests.live.test_hosts import shown

pytestmark = pytest.mark.django_db(transaction=True)

FOREIGN = [
    "https://evil.example", "http://evil.example:80", "null", "NULL", "file://", "about:blank", "javascript:", "data:text/html,x", "http://localhost:1",
    "http://127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1.evil.example", "http://127.0.0.1@evil.example", "http://evil.example#127.0.0.1",
    "http://evil.example/127.0.0.1", "chrome-extension://abc", "//127.0.0.1", "http://[::1]", "http://2130706433", "ftp://127.0.0.1",
]  # fmt: skip


@each_host
def test_a_foreign_origin_is_refused_however_it_is_spelt(host: Host) -> None:
    world = World()
    with host(world) as address:
        for origin in FOREIGN:
            with pytest.raises(InvalidStatus) as refusal:
                Socket(address, Origin=origin)
            assert refusal.value.response.status_code == 403, origin
        with Socket(address, Origin=address) as page:
            assert page.hear()["type"] == "hello"
        assert [name for name, _ in world.heard].count("connect") == 1


@each_host
def test_what_is_large_or_deep_or_of_somebody_else_harms_nobody(host: Host) -> None:
    world = World(limits=Limits(body=100_000, grace=0.5))
    name, id, token, digest = shown(world, "stock", pk=1)
    other = World().engine.mount("stock", pk=1, context=Context(identity="ann"))
    theirs = other.split('data-state="')[1].split('"')[0]
    with host(world) as address, Socket(address) as page, Socket(address) as witness:
        witness.hear("hello")
        page.hear("hello")
        for text in (
            "[" * 50_000 + "]" * 50_000,
            json.dumps({"type": "message", "name": "say", "data": {"text": "x" * 200_000}}),
        ):
            page.raw.send(text)
            assert page.hear("error")["code"] == "too_large"
        page.say(
            type="join",
            components=[[name, id, theirs, digest], [name, "c-elsewhere", token, digest], ["live", id, token, digest]],
        )
        assert [page.hear("error")["code"] for _ in range(3)] == ["state_invalid", "state_invalid", "unknown"]
        page.say(type="event", n=1, component="../../plain", query="event=add")
        assert page.hear("reply")["status"] == 404
        page.say(type="event", n=2, component=name, query="event=take", state=theirs, id=id)
        assert page.hear("reply")["status"] == 400
        page.say(type="event", n=3, component=name, query="event=take", state=token, id="c-elsewhere")
        assert page.hear("reply")["status"] == 400
        page.say(type="cancel", n=99)
        page.say(type="result", ref=99, value="nobody asked")
        page.say(type="pong", seq=10**18)
        page.say(type="message", n=10**15, name="enter", data={})
        assert page.hear("message")["name"] == "entered"
        witness.say(type="message", n=1, name="enter", data={})
        assert witness.hear("message")["name"] == "entered"
    assert world.stock[1] == 10


@each_host
def test_a_message_that_is_small_on_the_wire_and_huge_behind_it_ends_its_own_connection_only(host: Host) -> None:
    with host(World()) as address, Socket(address) as witness:
        witness.hear("hello")
        url = address.replace("http", "ws", 1) + "/components/ws"
        bomb = json.dumps({"type": "message", "name": "say", "data": {"text": "x" * 40_000_000}})
        assert len(zlib.compress(bomb.encode())) < 50_000
        with connect(url, compression="deflate", max_size=None, open_timeout=10) as page:
            page.recv(10)
            with suppress(ConnectionClosed):  # a server may refuse it by itself, before it is a message
                page.send(bomb)
                while "too_large" not in str(page.recv(20)):
                    pass
        witness.say(type="message", n=1, name="enter", data={})
        assert witness.hear("message")["name"] == "entered"


@each_host
@each_line
def test_a_flood_ends_its_own_connection_only(host: Host, line: Line) -> None:
    world = World(limits=Limits(messages=20, grace=0.5))
    with host(world) as address, line(address) as page, Socket(address) as witness:
        witness.hear("hello")
        page.hear("hello")
        code = _flood(page)
        assert code in (1013, "over")
        witness.say(type="message", n=1, name="enter", data={})
        assert witness.hear("message")["name"] == "entered"


def _flood(page: Any) -> Any:
    """Send until the server has enough; gives how it said so."""
    if isinstance(page, Socket):
        try:
            for n in range(
                1, 80
            ):  # more, and the server's word may be lost with a connection that is reset while we send
                page.say(type="message", n=n, name="say", data={"text": "x"})
            while True:
                page.hear("nothing")
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else None
    messages = [{"type": "message", "n": n, "name": "say", "data": {"text": "x"}} for n in range(1, 500)]
    page.client.post("/live", json={"session": page.session, "messages": messages})
    while page.hear("close")["code"] != 1013:
        pass
    return "over"


@each_host
@each_line
def test_logging_out_ends_the_pages_of_that_login(host: Host, line: Line) -> None:
    world = World(identify=lambda context: "ann")
    with host(world) as address, line(address) as page:
        page.hear("hello")
        world.engine.log_out_sync(Context(user="ann", identity="ann"))
        if line is Socket:
            with pytest.raises(ConnectionClosed) as closed:
                page.hear("nothing")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008
        else:
            assert page.hear("close")["code"] == 1008
        assert world.gone.wait(5)


@each_host
def test_a_socket_is_closed_although_its_reader_never_reads(host: Host) -> None:
    world = World(limits=Limits(grace=0.2, heartbeat=0.2))
    with host(world) as address, Socket(address) as witness:
        witness.hear("hello")
        with closing(_handshake(address)) as stalled:
            while len(world.engine.sessions) < 2:
                witness.say(type="pong")
                witness.raw.recv(10)
            for n in range(1000):
                world.engine.broadcast_sync("said", text="x" * 20_000, n=n)
                assert witness.hear("message")["data"]["n"] == n
                witness.say(type="pong")
            while sum(session.connected for session in world.engine.sessions) > 1:
                witness.say(type="pong")
                witness.raw.recv(10)
            assert stalled.fileno() > 0


def _handshake(address: str) -> socket.socket:
    """A WebSocket whose client never reads, not even the answer to its handshake."""
    host, port = address.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(
        f"GET /components/ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return client


def test_a_stream_of_somebody_else_cannot_be_posted_to() -> None:
    world = World(identify=lambda context: context.request.headers.get("x-user", ""))
    with starlette(world) as address, Stream(address, **{"X-User": "ann"}) as ann:
        session = ann.hear("hello")["session"]
        message = {"type": "message", "n": 1, "name": "enter", "data": {}}
        answer = httpx.post(
            f"{address}/components/live",
            json={"session": session, "messages": [message]},
            headers={"X-User": "bob"},
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "state_invalid")
