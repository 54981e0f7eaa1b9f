"""The hosts that take events down a WebSocket: the same events, the same answers."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import connect

from tests.servers import uvicorn_thread

from .engines import Stage
from .server_hosts import DjangoASGI, FastAPI, Litestar, PutUser, Starlette
from .wire import Answer, Sent


class _Socket:
    """A connection for each event, so that each has its own visitor."""

    stage: Stage
    stack: ExitStack
    address: Any

    def send(self, request: Sent) -> Answer:
        path, _, query = request.path.partition("?")
        _, _, name, *rest = path.split("/")
        headers = {"X-User": user} if (user := request.headers.get("x-user")) else {}
        address = f"ws://{self.address.hostname}:{self.address.port}/components/ws"
        with connect(address, additional_headers=headers, max_size=None) as socket:
            socket.recv(10)
            event = {
                "type": "event", "n": 1, "component": name, "query": query, "body": request.body.decode(), "stream": rest == ["stream"],
                "content_type": request.headers.get("content-type", ""), "accept": request.headers.get("accept", ""),
                "hx": "hx-request" in request.headers, "state": request.headers.get("x-component-state", ""),
                "id": request.headers.get("x-component-id", ""), "event_id": request.headers.get("x-component-event-id", ""),
            }  # fmt: skip
            socket.send(json.dumps(event))
            reply = json.loads(socket.recv(20))
            headers = {key.lower(): value for key, value in reply["headers"].items()}
            body = reply.get("body", "")
            while reply["type"] in ("begin", "chunk"):
                reply = json.loads(socket.recv(20))
                body += reply.get("body", "")
                reply["status"] = 200
            return Answer(reply["status"], headers, body.encode())


class StarletteSocket(_Socket, Starlette):
    name = "socket: Starlette"

    def serve(self) -> Any:
        return uvicorn_thread(PutUser(self.app()), ws="websockets-sansio")


class FastAPISocket(_Socket, FastAPI):
    name = "socket: FastAPI"

    def serve(self) -> Any:
        return uvicorn_thread(PutUser(self.app()), ws="websockets-sansio")


class LitestarSocket(_Socket, Litestar):
    name = "socket: Litestar"

    def serve(self) -> Any:
        return uvicorn_thread(PutUser(self.app()), ws="websockets-sansio")


class DjangoSocket(_Socket, DjangoASGI):
    name = "socket: Django"

    def serve(self) -> Any:
        from component_framework.adapters.django.asgi import ComponentASGIHandler

        self._settle()
        return uvicorn_thread(ComponentASGIHandler(), ws="websockets-sansio")


SOCKETS = {host.name: host for host in (StarletteSocket, FastAPISocket, LitestarSocket, DjangoSocket)}
