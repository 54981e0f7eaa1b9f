import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from blockbuster import BlockingError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from component_framework import Component
from component_framework.core.shutdown import stopping

from .servers import free_port, granian_process, server_process, uvicorn_thread, wsgi_thread


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"Hello from {request.url.path}")


async def endless(request: Request) -> StreamingResponse:
    async def chunks() -> AsyncIterator[str]:
        stop = stopping()
        yield "first"
        await stop

    return StreamingResponse(chunks())


app = Starlette(routes=[Route("/hello", hello), Route("/endless", endless)])


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield f"Hello from {environ['PATH_INFO']}".encode()


def test_uvicorn_in_a_thread_answers() -> None:
    with uvicorn_thread(app) as url:
        assert httpx.get(f"{url}/hello").text == "Hello from /hello"


def test_uvicorn_in_a_thread_ends_with_an_open_stream() -> None:
    with httpx.Client() as client:
        with uvicorn_thread(app) as url:
            response = client.send(client.build_request("GET", f"{url}/endless"), stream=True)
            chunks = response.iter_text()
            assert next(chunks) == "first"
        assert list(chunks) == []


def test_uvicorn_in_a_thread_says_that_it_did_not_start() -> None:
    @asynccontextmanager
    async def broken(app: Starlette) -> AsyncIterator[None]:
        raise LookupError("no database")
        yield

    with pytest.raises(AssertionError, match="did not start"), uvicorn_thread(Starlette(lifespan=broken)):
        pass


def test_a_wsgi_server_in_a_thread_answers() -> None:
    with wsgi_thread(wsgi) as url:
        assert httpx.get(f"{url}/hello").text == "Hello from /hello"


def test_a_server_process_answers_and_ends_when_told() -> None:
    port = free_port()
    with server_process("uvicorn", "tests.test_servers:app", "--port", str(port), port=port) as process:
        assert httpx.get(f"http://127.0.0.1:{port}/hello").text == "Hello from /hello"
        process.terminate()
        assert process.wait(10) in (0, -signal.SIGTERM)


@pytest.mark.parametrize(("interface", "name"), [("asgi", "app"), ("wsgi", "wsgi")])
def test_granian_answers_and_leaves_no_worker_behind(interface: str, name: str) -> None:
    with granian_process(f"tests.test_servers:{name}", interface) as url:
        assert httpx.get(f"{url}/hello").text == "Hello from /hello"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/hello")


def test_a_process_that_cannot_start_shows_its_log() -> None:
    with pytest.raises(AssertionError, match="no_such_module"), server_process("uvicorn", "no_such_module:app", port=9):
        pass


class Sleepy(Component):
    async def on_nap(self) -> None:
        time.sleep(0.001)


async def test_a_component_that_blocks_the_event_loop_fails_its_test() -> None:
    with pytest.raises(BlockingError, match=r"time\.sleep"):
        await Sleepy().async_dispatch(event="nap")
