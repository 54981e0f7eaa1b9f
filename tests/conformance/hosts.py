"""The hosts of the suite, from a function call to a real server. Each has an engine of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from component_framework.core.lifecycle import iter_sync
from component_framework.core.request import HttpRequest
from component_framework.core.state import Place
from component_framework.core.wire import Reply

from .engines import Stage, visitor
from .server_hosts import SERVERS
from .socket_hosts import SOCKETS as SOCKETS
from .wire import Answer, Host, Sent


class InProcess:
    """The engine called in this thread, with no event loop: the host that the goldens come from."""

    name = "in process"
    runs_async = False

    def __init__(self, place: Place = "token") -> None:
        self.stage = Stage(place=place)

    def send(self, request: Sent) -> Answer:
        reply = self.stage.engine.answer_sync(as_http_request(self.stage, request))
        body = reply.body if isinstance(reply.body, bytes) else b"".join(iter_sync(reply.body))
        return as_answer(reply, body)


class InProcessAsync:
    """The engine awaited on an event loop, with sync components in a worker thread."""

    name = "in process, async"
    runs_async = True

    def __init__(self, place: Place = "token") -> None:
        self.stage = Stage(place=place)

    def send(self, request: Sent) -> Answer:
        return asyncio.run(self._send(request))

    async def _send(self, request: Sent) -> Answer:
        reply = await self.stage.engine.answer(as_http_request(self.stage, request), asyncio.to_thread)
        body = reply.body if isinstance(reply.body, bytes) else await join(reply.body)
        return as_answer(reply, body)


async def join(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def as_http_request(stage: Stage, request: Sent) -> HttpRequest:
    path, _, query = request.path.partition("?")
    _, _, name, *rest = path.split("/")
    return HttpRequest(
        component=name,
        headers=request.headers,
        query=query,
        body=request.body,
        stream=rest == ["stream"],
        context=stage.engine.context(user=visitor(request.headers.get("x-user", "")), request=request),
    )


def as_answer(reply: Reply, body: bytes) -> Answer:
    return Answer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, body)


HOSTS: dict[str, Any] = {"in process": InProcess, "in process, async": InProcessAsync, **SERVERS}


def start(name: str, place: Place = "token") -> Host:
    host: Host = (HOSTS | SOCKETS)[name](place)
    return host
