"""The hosts that are real servers: every adapter, over a socket."""

import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack
from http.client import HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit

from component_framework import Registry
from component_framework.core.state import Place
from tests.servers import uvicorn_thread, wsgi_thread

from . import components
from .engines import Stage, visitor
from .wire import Answer, Sent

CSRF = "c" * 32
"""Django wants the header to match the cookie; the other frameworks do not look."""


class PutUser:
    """ASGI middleware in place of an application's own authentication: the user is whom `X-User` names."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket"):
            scope["user"] = visitor(dict(scope["headers"]).get(b"x-user", b"").decode())
        await self.app(scope, receive, send)


class DjangoPutUser:
    """The same as a Django middleware."""

    async_capable = False

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        request.user = visitor(request.headers.get("x-user", ""))
        return self.get_response(request)


class Server:
    """An engine behind a framework behind a server behind a socket."""

    name = ""
    runs_async = True

    def __init__(self, place: Place = "token", registry: Registry = components.registry) -> None:
        self.stage = Stage(registry, place=place)
        self.stack = ExitStack()
        self.address = urlsplit(self.stack.enter_context(self.serve()))

    def serve(self) -> Any:
        return uvicorn_thread(PutUser(self.app()))

    def app(self) -> Any:
        raise AssertionError("each host has its own")

    def send(self, request: Sent) -> Answer:
        with socket.create_connection((self.address.hostname, self.address.port), timeout=20) as connection:
            connection.sendall(as_bytes(request))
            response = HTTPResponse(connection, method=request.method)
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())

    def close(self) -> None:
        self.stack.close()


class Starlette(Server):
    name = "server: Starlette"

    def app(self) -> Any:
        from starlette.applications import Starlette

        from component_framework.adapters.starlette import component_routes

        return Starlette(routes=component_routes(self.stage.engine))


class FastAPI(Server):
    name = "server: FastAPI"

    def app(self) -> Any:
        from fastapi import FastAPI

        from component_framework.adapters.fastapi import component_router

        app = FastAPI()
        app.include_router(component_router(self.stage.engine))
        return app


class FastAPIWithDependencies(Server):
    name = "server: FastAPI with dependencies"

    def app(self) -> Any:
        from fastapi import Depends, FastAPI

        from component_framework.adapters.fastapi import component_router

        app = FastAPI(dependencies=[Depends(lambda: None)])
        app.include_router(component_router(self.stage.engine))
        return app


class Litestar(Server):
    name = "server: Litestar"

    def app(self) -> Any:
        from litestar import Litestar

        from component_framework.adapters.litestar import ComponentPlugin

        return Litestar(plugins=[ComponentPlugin(self.stage.engine)])


class DjangoASGI(Server):
    name = "server: Django, ASGI"

    def serve(self) -> Any:
        from django.core.asgi import get_asgi_application

        self._settle()
        return uvicorn_thread(get_asgi_application())

    def _settle(self) -> None:
        from django.test import override_settings

        settings = override_settings(
            COMPONENT_FRAMEWORK={"ENGINE": self.stage.engine},
            MIDDLEWARE=["tests.conformance.server_hosts.DjangoPutUser"],
        )
        settings.enable()
        self.stack.callback(settings.disable)


class DjangoWSGI(DjangoASGI):
    name = "server: Django, WSGI"

    def serve(self) -> Any:
        from django.core.wsgi import get_wsgi_application

        self._settle()
        return wsgi_thread(get_wsgi_application())


def as_bytes(request: Sent) -> bytes:
    """A request as it goes over a socket."""
    headers = {"host": "testserver", **request.headers, "cookie": f"csrftoken={CSRF}", "x-csrftoken": CSRF}
    headers |= {"content-length": str(len(request.body)), "connection": "close"}
    path = quote(request.path, safe="/?&=%+:;,@!$'()*~._-")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method} {path} HTTP/1.1\r\n{head}\r\n".encode() + request.body


SERVERS = {host.name: host for host in (Starlette, FastAPI, FastAPIWithDependencies, Litestar, DjangoASGI, DjangoWSGI)}
