"""The FastAPI adapter: nothing that FastAPI does for a route is lost on the short way around it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse

from component_framework.adapters.fastapi import component_context, component_router, request_context
from component_framework.core.errors import ConfigurationError
from tests.servers import uvicorn_thread

from .desk import assert_page_works, behind_a_proxy, engine, page, post, said, tenant, total


def login(request: Request) -> None:
    """Lets in whoever says a name."""
    if "x-user" not in request.headers:
        raise HTTPException(401, "Who are you?")
    request.state.user = request.headers["x-user"]
    request.state.tenant = "the north"


def on_the_router() -> FastAPI:
    app = FastAPI()
    app.include_router(component_router(engine(), dependencies=[Depends(login)]))
    return app


def on_the_inclusion() -> FastAPI:
    app = FastAPI()
    app.include_router(component_router(engine()), dependencies=[Depends(login)])
    return app


def on_the_application() -> FastAPI:
    app = FastAPI(dependencies=[Depends(login)])
    app.include_router(component_router(engine()))
    return app


def on_a_router_between() -> FastAPI:
    outer = APIRouter(dependencies=[Depends(login)])
    outer.include_router(component_router(engine()))
    app = FastAPI()
    app.include_router(outer)
    return app


def on_the_inclusion_of_a_router_between() -> FastAPI:
    outer = APIRouter()
    outer.include_router(component_router(engine()))
    app = FastAPI()
    app.include_router(outer, dependencies=[Depends(login)])
    return app


def on_one_of_two_inclusions() -> FastAPI:
    app, router = FastAPI(), component_router(engine())
    app.include_router(router, dependencies=[Depends(login)])
    open_app = FastAPI()
    open_app.include_router(router)
    app.mount("/open", open_app)
    return app


LEVELS = [
    on_the_router,
    on_the_inclusion,
    on_the_application,
    on_a_router_between,
    on_the_inclusion_of_a_router_between,
    on_one_of_two_inclusions,
]


@pytest.mark.parametrize("app", LEVELS, ids=lambda level: level.__name__)
def test_a_dependency_of_any_level_is_asked_before_every_event_and_stream(app: Any) -> None:
    with uvicorn_thread(app()) as address:
        for path in ("/components/components", "/components/components/stream", "/components/missing"):
            refused = post(address, path=path)
            assert (refused.status_code, refused.json()) == (401, {"detail": "Who are you?"})
        assert said(post(address, headers={"X-User": "Ada"})) == "Ada of the north with None"


def test_an_inclusion_without_dependencies_is_open_though_another_of_the_same_router_is_not() -> None:
    with uvicorn_thread(on_one_of_two_inclusions()) as address:
        assert said(post(address, path="/open/components/components")) == "None of None with None"


def test_a_dependency_may_be_overridden_as_on_any_route() -> None:
    app = on_the_router()
    app.dependency_overrides[login] = lambda: None
    with uvicorn_thread(app) as address:
        assert said(post(address)) == "None of None with None"


async def reads_the_body(request: Request) -> None:
    await request.body()


async def reads_the_form(request: Request) -> AsyncIterator[None]:
    async with request.form():
        yield


def declares_a_field(by: Annotated[int, Form()]) -> None:
    assert by == 3


def serving(*dependencies: Any, **options: Any) -> FastAPI:
    app = FastAPI(**options)
    app.include_router(component_router(engine(), dependencies=[Depends(each) for each in dependencies]))
    return app


@pytest.mark.parametrize("dependency", [reads_the_body, reads_the_form, declares_a_field])
@pytest.mark.parametrize("form", [{"data": {"by": "3"}}, {"files": {"by": (None, "3")}}], ids=["form", "multipart"])
def test_a_form_that_a_dependency_has_read_is_still_the_event_s_payload(dependency: Any, form: Any) -> None:
    with uvicorn_thread(serving(dependency)) as address:
        assert total(post(address, "add", **form)) == 3


def test_json_that_a_dependency_has_read_is_still_the_envelope() -> None:
    def declares_the_envelope(event: Annotated[str, Body()], payload: Annotated[dict[str, int], Body()]) -> None:
        assert event == "add"

    with uvicorn_thread(serving(declares_the_envelope)) as address:
        envelope = {"event": "add", "payload": {"by": 4}}
        answer = httpx.post(f"{address}/components/components", json=envelope, timeout=20)
        assert "<i>4</i>" in answer.json()["html"]


def test_a_file_that_a_dependency_has_read_is_refused_as_any_other() -> None:
    with uvicorn_thread(serving(reads_the_form)) as address:
        answer = post(address, "add", files={"by": ("three.txt", b"3")})
        assert (answer.status_code, answer.headers["x-component-code"]) == (422, "invalid")


def test_a_form_that_a_dependency_has_read_is_bounded_as_any_other() -> None:
    with uvicorn_thread(serving(reads_the_form)) as address:
        answer = post(address, "add", data={f"field{n}": "1" for n in range(201)})
        assert (answer.status_code, answer.headers["x-component-code"]) == (413, "too_large")


def test_a_dependency_that_leaves_nothing_of_the_body_is_told_what_to_do_instead() -> None:
    async def swallows(request: Request) -> None:
        async for _ in request.stream():
            pass

    raised: list[BaseException] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except ConfigurationError as exc:
            raised.append(exc)

    app = serving(swallows)
    with uvicorn_thread(watched) as address:
        assert post(address, "add", data={"by": "1"}).status_code == 500
    assert "request.body()" in str(raised[0])


def test_a_body_is_bounded_where_dependencies_run_as_where_there_are_none() -> None:
    for app in (serving(), serving(lambda: None)):
        with uvicorn_thread(app) as address:
            answer = post(address, "add", content=b"by=" + b"1" * 1_100_000, headers={"Content-Type": "text/plain"})
            assert (answer.status_code, answer.headers["x-component-code"]) == (413, "too_large")


def test_what_a_dependency_opens_is_open_for_the_event_and_closed_after_it() -> None:
    seen: list[str] = []

    async def session(request: Request) -> AsyncIterator[None]:
        request.state.tenant = "an open session"
        yield
        seen.append("closed")

    with uvicorn_thread(serving(session)) as address:
        assert said(post(address)) == "None of an open session with None"
    assert seen == ["closed"]


def test_background_tasks_of_a_dependency_run_once_for_their_own_request() -> None:
    seen: list[str] = []

    def remember(tasks: BackgroundTasks, request: Request) -> None:
        if "x-user" in request.headers:
            tasks.add_task(seen.append, request.headers["x-user"])

    with uvicorn_thread(serving(remember)) as address:
        post(address, headers={"X-User": "Ada"}).raise_for_status()
        post(address).raise_for_status()
    assert seen == ["Ada"]


def test_a_stream_behind_a_dependency_shows_every_frame() -> None:
    with uvicorn_thread(serving(lambda: None)) as address:
        answer = post(address, "count", path="/components/steps/stream")
        assert re.findall(r"<i>(\d)</i>", answer.text) == ["1", "2", "3", "3"]


def test_a_sync_handler_sees_the_context_variables_of_a_dependency() -> None:
    async def set_tenant() -> None:
        tenant.set("the south")

    with uvicorn_thread(serving(set_tenant)) as address:
        assert said(post(address, path="/components/tenants")) == "the south"


def test_a_handler_that_raises_never_reaches_the_debug_page() -> None:
    for app in (serving(debug=True), serving(lambda: None, debug=True)):
        with uvicorn_thread(app) as address:
            answer = post(address, "fail")
            assert (answer.status_code, answer.headers["x-component-code"]) == (500, "failed")
            assert "secret" not in answer.text


def with_page(app: FastAPI) -> FastAPI:
    served = engine()
    app.include_router(component_router(served))

    async def show(request: Request) -> HTMLResponse:
        assert request_context(served, request).request is request
        return HTMLResponse(page(component_context(served)(request)))

    app.get("/page")(show)
    return app


def test_a_page_behind_a_proxy_s_prefix_names_addresses_that_the_proxy_knows() -> None:
    with uvicorn_thread(behind_a_proxy(with_page(FastAPI()), "/api")) as address:
        assert 'hx-post="/api/components/components?' in httpx.get(f"{address}/api/page").text
        assert_page_works(address, "/api/page")


def test_a_page_of_a_mounted_application_names_addresses_that_answer() -> None:
    outer = FastAPI()
    outer.mount("/shop", with_page(FastAPI()))
    with uvicorn_thread(outer) as address:
        assert_page_works(address, "/shop/page")


async def test_a_prefix_that_pages_would_not_know_of_is_a_mistake_that_says_what_to_write() -> None:
    app = FastAPI()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with pytest.raises(ConfigurationError, match=re.escape("Engine(url='/v1/components')")):
            await _include_and_ask(app, client)  # FastAPI makes a route then, or when it is first asked for


async def _include_and_ask(app: FastAPI, client: httpx.AsyncClient) -> None:
    app.include_router(component_router(engine()), prefix="/v1")
    await client.post("/v1/components/components")


def test_an_engine_that_knows_the_prefix_is_included_without_one() -> None:
    app = FastAPI()
    app.include_router(component_router(engine(url="/v1/components")))
    with uvicorn_thread(app) as address:
        assert total(post(address, "add", path="/v1/components/components", data={"by": "2"})) == 2


def test_only_post_reaches_a_component_and_only_get_a_file() -> None:
    with uvicorn_thread(serving()) as address:
        assert httpx.get(f"{address}/components/components").status_code == 405
        assert httpx.get(f"{address}/components/static/component.js").status_code == 200
        assert httpx.head(f"{address}/components/static/component.js").status_code == 200
        assert httpx.get(f"{address}/components/static/desk.py").status_code == 404


def test_components_are_not_in_the_schema() -> None:
    assert serving().openapi()["paths"] == {}


def test_an_adapter_without_fastapi_says_what_to_install() -> None:
    code = "import sys; sys.modules['fastapi'] = None; import component_framework.adapters.fastapi"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'live-component-framework[fastapi]'" in result.stderr
