"""Many visitors at once, some of whom leave in the middle: nobody sees what is another's, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from component_framework import Component, Registry

from .engines import visitor
from .server_hosts import SERVERS, Server, as_bytes
from .wire import FORM, Sent

registry = Registry()
TEMPLATE = "<p {{ on('work') }}>{{ owner }} {{ secret }} <b>{{ done }}</b></p>"
asking: ContextVar[str] = ContextVar("asking", default="nobody")
"""What a library deep below a handler might keep for the visitor of the moment."""


class Desk(Component):
    template = TEMPLATE
    owner: str = ""
    secret: str = ""
    done: int = 0

    def mount(self) -> None:
        self.owner = self.user.name
        self.secret = f"secret-of-{self.owner}"

    def begin(self) -> None:
        assert self.owner == self.user.name
        assert asking.get() in ("nobody", self.owner), "an event that was overtaken begins again where it was"
        asking.set(self.owner)

    def finish(self) -> None:
        assert asking.get() == self.owner == self.user.name
        self.done += 1


@registry.register("sync_desk")
class SyncDesk(Desk):
    def on_work(self) -> None:
        self.begin()
        time.sleep(0)  # lets the other threads run
        self.finish()


@registry.register("async_desk")
class AsyncDesk(Desk):
    async def on_work(self) -> None:
        self.begin()
        for _ in range(3):
            await asyncio.sleep(0)
        self.finish()


@registry.register("sync_stream")
class SyncStream(Desk):
    def on_work(self) -> Iterator[None]:
        self.begin()
        yield
        self.finish()
        yield


@registry.register("async_stream")
class AsyncStream(Desk):
    async def on_work(self) -> AsyncIterator[None]:
        self.begin()
        yield
        await asyncio.sleep(0)
        self.finish()
        yield


VISITORS = 8
EVENTS = 12


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    running: Server = SERVERS[request.param]("store", registry)
    yield running
    running.close()


@pytest.mark.parametrize("name", registry)
@pytest.mark.parametrize("stream", ["", "/stream"])
def test_nobody_sees_what_is_anothers_and_what_was_acknowledged_was_done_once(
    name: str, stream: str, server: Server
) -> None:
    with ThreadPoolExecutor(VISITORS) as threads:
        for trouble in threads.map(lambda number: visit(server, name, stream, f"visitor-{number}."), range(VISITORS)):
            assert trouble == ""


def visit(server: Server, name: str, stream: str, who: str) -> str:
    """What went wrong for one visitor, who leaves every third event before it is answered."""
    markup = server.stage.engine.mount(name, context=server.stage.engine.context(user=visitor(who)))
    token, acknowledged = _token(markup), 0
    for number in range(EVENTS):
        request = sent(name, stream, who, token, f"{who}{number}")
        if number % 3 == 2:
            with socket.create_connection((server.address.hostname, server.address.port), timeout=20) as connection:
                connection.sendall(as_bytes(request))
            continue
        answer = server.send(request)
        if answer.status != 200:
            return f"{answer.status} {answer.text}"
        acknowledged += "component:error" not in answer.text  # the event that was left may have come in between
        strangers = set(re.findall(r"visitor-\d+\.", answer.text)) - {who}
        if strangers or f"secret-of-{who}" not in answer.text:
            return f"{who} was shown {answer.text}"
    done = int(re.findall(r"<b>(\d+)</b>", server.send(sent(name, "", who, token, f"{who}last", "")).text)[-1])
    return "" if acknowledged <= done <= EVENTS else f"{acknowledged} were acknowledged, {done} were done"


def sent(name: str, stream: str, who: str, token: str, event_id: str, event: str = "?event=work") -> Sent:
    headers = {
        "host": "testserver", "content-type": FORM, "hx-request": "true", "x-user": who, "x-component-state": token,
        "x-component-event-id": event_id,
    }  # fmt: skip
    return Sent(f"/components/{name}{stream}{event}", headers)


def _token(markup: str) -> str:
    found = re.search('data-state="([^"]*)"', markup)
    assert found is not None
    return found[1]
