"""The Starlette adapter, which needs no FastAPI, and how the endpoints of core.asgi take what clients do to them."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.templating import Jinja2Templates

from component_framework.adapters.starlette import component_context, component_routes
from component_framework.core.limits import Limits
from tests.servers import uvicorn_thread

from .desk import PAGE, assert_page_works, behind_a_proxy, engine, post, said, tenant, total


def serving(limits: Limits | None = None, **options: Any) -> Starlette:
    return Starlette(routes=component_routes(engine(limits=limits)), **options)


def with_page(directory: Path) -> Starlette:
    (directory / "page.html").write_text(PAGE)
    served = engine()
    templates = Jinja2Templates(directory, context_processors=[component_context(served)])

    async def show(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html")

    return Starlette(routes=[Route("/page", show), *component_routes(served)])


def test_a_page_has_the_functions_of_components_in_its_template(tmp_path: Path) -> None:
    with uvicorn_thread(with_page(tmp_path)) as address:
        assert_page_works(address, "/page")


def test_a_page_behind_a_proxy_s_prefix_names_addresses_that_the_proxy_knows(tmp_path: Path) -> None:
    with uvicorn_thread(behind_a_proxy(with_page(tmp_path), "/api")) as address:
        assert_page_works(address, "/api/page")


def test_a_page_of_a_mounted_application_names_addresses_that_answer(tmp_path: Path) -> None:
    with uvicorn_thread(Starlette(routes=[Mount("/shop", with_page(tmp_path))])) as address:
        assert_page_works(address, "/shop/page")


class Named(AuthenticationBackend):
    """The user is whom a header names."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser] | None:
        name = conn.headers.get("x-user")
        return (AuthCredentials(), SimpleUser(name)) if name else None


class Registered:
    """Puts a user where dependencies do, after the authentication found nobody."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        tenant.set("the south")
        if scope["type"] == "http" and (name := dict(scope["headers"]).get(b"x-late")):
            scope.setdefault("state", {})["user"] = name.decode()
        await self.app(scope, receive, send)


def test_a_user_is_taken_from_middleware_or_from_the_request_s_state() -> None:
    middleware = [Middleware(AuthenticationMiddleware, backend=Named()), Middleware(Registered)]
    with uvicorn_thread(serving(middleware=middleware)) as address:
        assert "SimpleUser" in said(post(address, headers={"X-User": "Ada"}))
        assert said(post(address, headers={"X-Late": "Bea"})).startswith("Bea ")
        assert said(post(address, path="/components/tenants")) == "the south"


def test_nobody_asks_where_there_is_neither_middleware_nor_session() -> None:
    with uvicorn_thread(serving()) as address:
        assert said(post(address)) == "None of None with None"


def test_starlette_is_served_where_fastapi_is_not_installed() -> None:
    code = "import sys; sys.modules['fastapi'] = None; import component_framework.adapters.starlette"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_adapter_without_starlette_says_what_to_install() -> None:
    code = "import sys; sys.modules['starlette'] = None; import component_framework.adapters.starlette"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'live-component-framework[fastapi]'" in result.stderr


@contextmanager
def connection(address: str, length: int) -> Iterator[socket.socket]:
    """A client that has announced `length` bytes of a form and sent none yet."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as client:
        head = "POST /components/components?event=add HTTP/1.1\r\nhost: test\r\nhx-request: true\r\n"
        kind = "content-type: application/x-www-form-urlencoded\r\n"
        client.sendall(f"{head}{kind}content-length: {length}\r\n\r\n".encode())
        yield client


def test_a_body_in_pieces_is_put_together() -> None:
    with uvicorn_thread(serving()) as address, connection(address, 4) as client:
        client.sendall(b"by")
        client.sendall(b"=7")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_body_over_the_limit_is_refused_before_all_of_it_has_come() -> None:
    with uvicorn_thread(serving()) as address, connection(address, 50_000_000) as client:
        client.sendall(b"by=" + b"1" * 1_200_000)
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("part", [b"", b"by="], ids=["nothing of it", "a part of it"])
def test_a_body_that_never_ends_is_refused_in_time(part: bytes) -> None:
    limits = Limits(body_time=0.05)
    with uvicorn_thread(serving(limits)) as address, connection(address, 10) as client:
        client.sendall(part)
        assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert total(post(address, "add", data={"by": "1"})) == 1


async def test_a_body_that_breaks_off_is_refused_and_runs_no_event() -> None:
    messages = [{"type": "http.request", "body": b"by=", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []
    scope = {
        "type": "http", "method": "POST", "path": "/components/components", "headers": [(b"hx-request", b"true")],
        "query_string": b"event=add", "root_path": "",
    }  # fmt: skip

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await serving()(scope, receive, send)
    assert (sent[0]["status"], messages) == (400, [])
    assert b"<i>" not in sent[1]["body"]


def test_only_post_reaches_a_component_and_only_get_a_file() -> None:
    with uvicorn_thread(serving()) as address:
        assert httpx.get(f"{address}/components/components").status_code == 405
        file = f"{address}/components/static/component.js"
        assert httpx.get(file).headers["content-length"] == str(len(httpx.get(file).content))
        assert httpx.post(file).headers["allow"] == "GET, HEAD"


async def test_a_body_passes_through_middleware_that_cancels_its_own_wait_for_the_client() -> None:

    async def hand_on(request: Request, call_next: Any) -> Response:
        answer: Response = await call_next(request)
        return answer

    app = serving(middleware=[Middleware(BaseHTTPMiddleware, dispatch=hand_on)])
    messages = iter(
        [
            {"type": "http.request", "body": b'{"event": "ad', "more_body": True},
            {"type": "http.request", "body": b'd"}', "more_body": False},
        ]
    )
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        message = next(messages, None)
        return message if message is not None else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/components/steps", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    await app(scope, receive, send)
    assert sent[0]["status"] == 404, "the event is unknown, and the body was read"
