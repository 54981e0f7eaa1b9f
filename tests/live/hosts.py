"""One World on every host that can push, each on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest
from django.test import override_settings
from fastapi import FastAPI
from litestar import Litestar
from websockets.sync.client import ClientConnection, connect

from component_framework.adapters.django.asgi import ComponentASGIHandler
from component_framework.adapters.fastapi import component_router
from component_framework.adapters.litestar import ComponentPlugin
from tests.live.site import World
from tests.servers import uvicorn_thread

Host = Callable[[World], AbstractContextManager[str]]


@contextmanager
def starlette(world: World) -> Iterator[str]:
    with uvicorn_thread(world.app(), ws="websockets-sansio") as address:
        yield address


@contextmanager
def fastapi(world: World) -> Iterator[str]:
    app = FastAPI()
    app.include_router(component_router(world.engine))
    with uvicorn_thread(app, ws="websockets-sansio") as address:
        yield address


@contextmanager
def litestar(world: World) -> Iterator[str]:
    with uvicorn_thread(Litestar(plugins=[ComponentPlugin(world.engine)]), ws="websockets-sansio") as address:
        yield address


@contextmanager
def litestar_with_hooks(world: World) -> Iterator[str]:
    async def nothing(request: Any) -> None: ...

    with uvicorn_thread(
        Litestar(plugins=[ComponentPlugin(world.engine, before_request=nothing)]), ws="websockets-sansio"
    ) as address:
        yield address


@contextmanager
def django(world: World) -> Iterator[str]:
    with (
        override_settings(COMPONENT_FRAMEWORK={"ENGINE": world.engine}),
        uvicorn_thread(ComponentASGIHandler(), ws="websockets-sansio") as address,
    ):
        yield address


HOSTS: list[Host] = [starlette, fastapi, litestar, litestar_with_hooks, django]
each_host = pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.__name__)


SIGNS = ("ping", "ack")
"""What comes at times of its own, and tests do not wait for."""


class Socket:
    """A page's WebSocket."""

    def __init__(self, address: str, query: str = "", **headers: str) -> None:
        url = address.replace("http", "ws", 1) + f"/components/ws{query}"
        self._opened = connect(url, additional_headers=headers, open_timeout=10, max_size=None)
        self.raw: ClientConnection = self._opened.__enter__()
        self.session = ""
        self.last = 0

    def say(self, **message: Any) -> None:
        self.raw.send(json.dumps(message))

    def hear(self, kind: str | None = None) -> dict[str, Any]:
        """The next message, or the next of a `kind`."""
        while True:
            frame: dict[str, Any] = json.loads(self.raw.recv(10))
            self.session, self.last = frame.get("session", self.session), frame.get("seq", self.last)
            if (kind is None and frame.get("type") not in SIGNS) or frame.get("type") == kind or kind in frame:
                return frame

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._opened.__exit__(None, None, None)


class Stream:
    """A page's event stream."""

    def __init__(self, address: str, query: str = "", **headers: str) -> None:
        self.address = address
        self.client = httpx.Client(base_url=f"{address}/components", timeout=10)
        self._answer = self.client.stream("GET", f"/live{query}", headers=headers)
        self.response = self._answer.__enter__()
        self._lines = self.response.iter_lines() if self.response.status_code == 200 else iter(())
        self.session = ""
        self.last = 0

    def say(self, **message: Any) -> httpx.Response:
        return self.client.post("/live", json={"session": self.session, "messages": [message]})

    def hear(self, kind: str | None = None) -> dict[str, Any]:
        """The next message, or the next of a `kind`."""
        while True:
            fields: dict[str, str] = {}
            for line in self._lines:
                if not line:
                    break
                name, _, value = line.partition(": ")
                fields[name] = fields.get(name, "") + value
            frame: dict[str, Any] = json.loads(fields["data"]) if "event" in fields else {"content": fields["data"]}
            frame["seq"] = int(fields.get("id", 0))
            self.last = frame["seq"] or self.last
            if frame.get("type") == "hello":
                self.session = frame["session"]
            if (kind is None and frame.get("type") != "ping") or frame.get("type") == kind or kind in frame:
                return frame

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._answer.__exit__(None, None, None)
        self.client.close()


Line = Callable[..., Any]
"""One of the two."""
each_line = pytest.mark.parametrize("line", [Socket, Stream], ids=["socket", "stream"])
