"""What the FastAPI and the Litestar example have in common, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import examples.fastapi_app.main
import examples.litestar_app
from examples.shared import ask
from examples.shared.docsearch import Step
from tests.servers import uvicorn_thread

APPS: dict[str, Any] = {"fastapi": examples.fastapi_app.main.app, "litestar": examples.litestar_app.app}


@pytest.fixture(params=APPS)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"  # so that no database is made where the examples are
        await APPS[request.param](scope, receive, send)

    with uvicorn_thread(app) as url:
        yield url


@pytest.mark.parametrize(
    "path", ["/", "/packing", "/no-such-page", "/shared/app.css", "/components/static/component.js"]
)
def test_every_answer_carries_the_security_policy_once(address: str, path: str) -> None:
    policies = httpx.get(f"{address}{path}").headers.get_list("Content-Security-Policy")
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'self';")


def test_an_event_is_answered_under_the_policy_too(address: str) -> None:
    answer = httpx.post(f"{address}/components/counter?event=increment", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert len(answer.headers.get_list("Content-Security-Policy")) == 1


def test_a_search_ends_when_its_visitor_leaves(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def endless(question: str) -> Iterator[Step]:
        try:
            while True:
                yield Step("a long document", 1, 2)
        finally:
            ended.set()

    monkeypatch.setattr(ask, "search", endless)
    url = f"{address}/components/ask_docs/stream?event=ask"
    with httpx.stream("POST", url, data={"question": "why?"}, headers={"HX-Request": "true"}) as answer:
        next(answer.iter_lines())
    assert ended.wait(5)
