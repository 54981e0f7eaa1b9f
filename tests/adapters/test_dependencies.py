"""The dependencies of each framework reach the handlers of components, and are closed after them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi import Request as FastAPIRequest
from fastapi.responses import HTMLResponse
from litestar import Litestar, MediaType, get
from litestar import Request as LitestarRequest
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException
from websockets.sync.client import connect

from component_framework import Component, Engine, Provided, Registry
from component_framework.adapters import fastapi, litestar
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import ConfigurationError
from tests.servers import uvicorn_thread

LOG: list[str] = []
HTMX = {"HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}


class Session:
    """What is open for one call."""

    def __init__(self, owner: str) -> None:
        self.owner = owner


def who(x_user: Annotated[str | None, Header()] = None) -> str:
    if x_user is None:
        raise HTTPException(401, "Who are you?")
    return x_user


async def get_session(owner: Annotated[str, Depends(who)]) -> AsyncIterator[Session]:
    LOG.append(f"open {owner}")
    try:
        yield Session(owner)
    except ZeroDivisionError:
        LOG.append("rolled back")
        raise
    LOG.append("closed")


FastAPISession = Annotated[Session, Depends(get_session)]


def fastapi_registry() -> Registry:
    registry = Registry()

    @registry.register("desk")
    class Desk(Component):
        template = "<div><b>{{ said }}</b></div>"
        said: str = ""

        def on_ask(self, session: FastAPISession, request: FastAPIRequest, loud: bool = False) -> None:
            LOG.append("asked")
            self.said = f"{session.owner} by {request.method}{'!' if loud else ''}"

        async def on_wait(self, session: FastAPISession) -> None:
            self.said = session.owner

        def on_fail(self, session: FastAPISession) -> None:
            raise ZeroDivisionError

    @registry.register("page")
    class Page(Component):
        template = "<p>{{ said }}</p>"
        said: str = ""

        def mount(self, session: FastAPISession) -> None:
            self.said = session.owner

    return registry


def litestar_registry() -> Registry:
    registry = Registry()

    @registry.register("desk")
    class Desk(Component):
        template = "<div><b>{{ said }}</b></div>"
        said: str = ""

        def on_ask(self, session: Session, request: LitestarRequest[Any, Any, Any], loud: bool = False) -> None:
            LOG.append("asked")
            self.said = f"{session.owner} by {request.method}{'!' if loud else ''}"

        async def on_wait(self, owner: Annotated[str, Provided()]) -> None:
            self.said = owner

        def on_fail(self, session: Session) -> None:
            raise ZeroDivisionError

    @registry.register("page")
    class Page(Component):
        template = "<p>{{ said }}</p>"
        said: str = ""

        def mount(self, session: Session) -> None:
            self.said = session.owner

    return registry


def litestar_owner(request: LitestarRequest[Any, Any, Any]) -> str:
    if "x-user" not in request.headers:
        raise NotAuthorizedException("Who are you?")
    return request.headers["x-user"]


def litestar_session(owner: str) -> Iterator[Session]:
    LOG.append(f"open {owner}")
    try:
        yield Session(owner)
    except ZeroDivisionError:
        LOG.append("rolled back")
        raise
    LOG.append("closed")


def engine(registry: Registry) -> Engine:
    return Engine(renderer=JinjaRenderer(), secret_key="of a test", registry=registry)


def on_fastapi() -> FastAPI:
    served, app = engine(fastapi_registry()), FastAPI()
    app.include_router(fastapi.component_router(served))

    @app.get("/")
    async def page(request: FastAPIRequest) -> HTMLResponse:
        return HTMLResponse(await served.async_mount("page", context=fastapi.request_context(served, request)))

    return app


def on_litestar() -> Litestar:
    served = engine(litestar_registry())

    @get("/", media_type=MediaType.HTML)
    async def page(request: LitestarRequest[Any, Any, Any]) -> str:
        return await served.async_mount("page", context=litestar.request_context(served, request))

    return Litestar(
        route_handlers=[page],
        plugins=[litestar.ComponentPlugin(served, dependencies={"session": Provide(litestar_session)})],
        dependencies={"owner": Provide(litestar_owner, sync_to_thread=False)},
        openapi_config=None,
    )


def send(address: str, event: str, body: str = "", **headers: str) -> httpx.Response:
    return httpx.post(f"{address}/components/desk?event={event}", content=body, headers=HTMX | headers)


def said(answer: httpx.Response) -> str:
    found = re.search("<b>(.*?)</b>", answer.text)
    assert found, answer.text
    return found[1]


@pytest.fixture(params=[on_fastapi, on_litestar], ids=["fastapi", "litestar"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    LOG.clear()
    with uvicorn_thread(request.param()) as running:
        yield running


def test_a_handler_is_given_what_the_framework_provides_and_it_is_closed_after_it(address: str) -> None:
    answer = send(address, "ask", "loud=1", **{"X-User": "Ada"})
    assert said(answer) == "Ada by POST!"
    assert LOG == ["open Ada", "asked", "closed"]


def test_an_async_handler_is_too(address: str) -> None:
    assert said(send(address, "wait", **{"X-User": "Ada"})) == "Ada"


def test_it_is_never_taken_from_the_payload(address: str) -> None:
    assert send(address, "ask", "session=mine", **{"X-User": "Ada"}).status_code == 422
    assert send(address, "wait", "owner=me&session=mine", **{"X-User": "Ada"}).status_code == 422


def test_a_dependency_that_refuses_is_answered_as_any_refusal(address: str) -> None:
    answer = send(address, "ask")
    assert (answer.status_code, answer.headers["x-component-code"]) == (401, "unauthenticated")


def test_a_dependency_hears_of_an_exception_in_the_handler(address: str) -> None:
    assert send(address, "fail", **{"X-User": "Ada"}).status_code == 500
    assert LOG == ["open Ada", "rolled back"]


def test_a_page_mounts_a_component_that_asks_for_a_dependency(address: str) -> None:
    assert ">Ada</p>" in httpx.get(address, headers={"X-User": "Ada"}).text
    assert LOG == ["open Ada", "closed"]


def test_an_override_of_the_application_or_of_the_engine_takes_the_place_of_a_dependency() -> None:
    served, app = engine(fastapi_registry()), FastAPI()
    app.include_router(fastapi.component_router(served))
    app.dependency_overrides[who] = lambda: "an override"
    with uvicorn_thread(app) as address:
        assert said(send(address, "wait")) == "an override"
        with served.provide(get_session, lambda: Session("the engine")):
            assert said(send(address, "wait")) == "the engine"


async def test_a_dependency_without_a_request_says_what_to_pass() -> None:
    served = engine(fastapi_registry())
    FastAPI().include_router(fastapi.component_router(served))
    with pytest.raises(ConfigurationError, match="needs a request"):
        await served.async_mount("page")


def over_socket(address: str, event: str, body: str = "", user: str = "ada") -> Any:
    """The reply to an event that comes down a WebSocket."""
    headers = {"X-User": user} if user else {}
    with connect(f"{address.replace('http', 'ws')}/components/ws", additional_headers=headers) as socket:
        socket.recv(10)
        event_message = {
            "type": "event", "n": 1, "component": "desk", "query": f"event={event}", "body": body, "hx": True,
            "content_type": HTMX["Content-Type"], "accept": "text/html", "state": "", "id": "", "event_id": "",
        }  # fmt: skip
        socket.send(json.dumps(event_message))
        return json.loads(socket.recv(20))


def test_it_reaches_events_that_come_down_a_websocket_too(socket_address: str) -> None:
    LOG.clear()
    reply = over_socket(socket_address, "wait")
    assert (reply["status"], "<b>ada</b>" in reply["body"]) == (200, True)
    assert over_socket(socket_address, "wait", "session=mine&owner=eve")["status"] == 422
    assert over_socket(socket_address, "wait", user="")["status"] == 401
    assert over_socket(socket_address, "fail")["status"] == 500
    assert LOG[-1] == "rolled back"
    reply = over_socket(socket_address, "ask", "loud=on")
    assert (reply["status"], "ada by" in reply.get("body", "")) == (200, True)


@pytest.fixture(params=["fastapi", "litestar"])
def socket_address(request: pytest.FixtureRequest) -> Iterator[str]:
    app = on_fastapi() if request.param == "fastapi" else on_litestar()
    with uvicorn_thread(app, ws="websockets-sansio") as address:
        yield str(address)
