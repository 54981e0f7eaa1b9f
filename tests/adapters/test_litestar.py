"""The Litestar adapter: guards, middleware and hooks are around components as around any other handler."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import httpx
import pytest
from litestar import Litestar, MediaType, Request, get
from litestar.config.app import AppConfig
from litestar.config.csrf import CSRFConfig
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.logging import LoggingConfig
from litestar.middleware import DefineMiddleware
from litestar.middleware.authentication import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.middleware.logging import LoggingMiddlewareConfig
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.plugins import InitPlugin
from starlette.applications import Starlette
from starlette.routing import Mount

from component_framework.adapters.litestar import ComponentPlugin, request_context
from component_framework.core.errors import ConfigurationError
from tests.servers import uvicorn_thread

from .desk import HTMX, assert_page_works, behind_a_proxy, engine, page, post, said, tenant, total

Asked = ASGIConnection[Any, Any, Any, Any]


def login(connection: Asked, handler: BaseRouteHandler) -> None:
    """Lets in whoever says a name."""
    if "x-user" not in connection.headers:
        raise NotAuthorizedException("Who are you?")
    connection.state.user = connection.headers["x-user"]
    connection.state.tenant = "the north"


def refuse(request: Request[Any, Any, Any]) -> None:
    """The guard as a hook."""
    login(request, request.route_handler)


def serving(served: Any = None, /, *plugins: InitPlugin, app: dict[str, Any] | None = None, **options: Any) -> Litestar:
    return Litestar(
        plugins=[ComponentPlugin(served or engine(), **options), *plugins], openapi_config=None, **(app or {})
    )


LEVELS = {
    "a guard of the plugin": lambda: serving(guards=[login]),
    "a guard of the application": lambda: serving(app={"guards": [login]}),
    "a hook of the plugin": lambda: serving(before_request=refuse),
    "a hook of the application": lambda: serving(app={"before_request": refuse}),
    "a guard and a hook": lambda: serving(guards=[login], after_request=lambda response: response),
}


@pytest.mark.parametrize("level", LEVELS)
def test_a_guard_or_hook_of_any_level_is_asked_before_every_event_and_stream(level: str) -> None:
    with uvicorn_thread(LEVELS[level]()) as address:
        for path in ("/components/components", "/components/components/stream", "/components/missing"):
            refused = post(address, path=path)
            assert (refused.status_code, refused.json()["detail"]) == (401, "Who are you?")
        assert said(post(address, headers={"X-User": "Ada"})) == "Ada of the north with None"


class Named(AbstractAuthenticationMiddleware):
    """The user is whom a header names."""

    async def authenticate_request(self, connection: Asked) -> AuthenticationResult:
        if "x-user" not in connection.headers:
            raise NotAuthorizedException("Who are you?")
        return AuthenticationResult(user=connection.headers["x-user"], auth=None)


@pytest.mark.parametrize("where", ["plugin", "application"])
def test_a_user_that_middleware_knows_is_the_component_s_and_its_refusal_is_litestar_s(where: str) -> None:
    middleware = [DefineMiddleware(Named)]
    app = serving(middleware=middleware) if where == "plugin" else serving(app={"middleware": middleware})
    with uvicorn_thread(app) as address:
        assert post(address).json()["detail"] == "Who are you?"
        assert said(post(address, headers={"X-User": "Ada"})) == "Ada of None with None"


def test_a_session_is_the_component_s_and_there_need_be_none() -> None:
    with uvicorn_thread(serving(app={"middleware": [CookieBackendConfig(secret=b"s" * 16).middleware]})) as address:
        assert said(post(address)) == "None of None with {}"
    with uvicorn_thread(serving()) as address:
        assert said(post(address)) == "None of None with None"


@pytest.mark.parametrize("hooks", [{}, {"before_request": lambda request: None}], ids=["mounted", "ordinary"])
def test_a_form_that_middleware_has_read_is_still_the_event_s_payload(hooks: dict[str, Any]) -> None:
    logging = LoggingMiddlewareConfig(response_log_fields=())
    app = serving(middleware=[logging.middleware], app={"logging_config": LoggingConfig()}, **hooks)
    with uvicorn_thread(app) as address:
        assert total(post(address, "add", data={"by": "3"})) == 3


@pytest.mark.parametrize("hooks", [{}, {"before_request": lambda request: None}], ids=["mounted", "ordinary"])
@pytest.mark.parametrize("form", ["data", "files"])
def test_litestar_s_csrf_check_takes_its_token_from_the_form_as_ever(form: str, hooks: dict[str, Any]) -> None:
    config = CSRFConfig(secret="of a test", cookie_name="token")
    with uvicorn_thread(serving(app={"csrf_config": config}, **hooks)) as address:
        assert post(address, "add", data={"by": "3"}).status_code == 403
        token = httpx.get(f"{address}/components/static/component.js").cookies["token"]
        fields: dict[str, Any] = {"by": "3", "_csrf_token": token}
        body: dict[str, Any] = {
            form: fields if form == "data" else {name: (None, value) for name, value in fields.items()}
        }
        assert (
            post(address, "add", cookies={"token": token}, **body).status_code == 422
        )  # a field too many: it was read
        assert (
            total(post(address, "add", cookies={"token": token}, headers={"X-CSRFToken": token}, data={"by": "3"})) == 3
        )


def test_a_hook_may_change_the_headers_of_an_answer_and_of_a_stream() -> None:
    def mark(response: Any) -> Any:
        response.headers["X-Mark"] = "seen"
        return response

    with uvicorn_thread(serving(after_request=mark)) as address:
        for path in ("/components/steps", "/components/steps/stream"):
            answer = post(address, "count", path=path)
            assert (answer.status_code, answer.headers["x-mark"]) == (200, "seen")
        assert re.findall(r"<i>(\d)</i>", answer.text) == ["1", "2", "3", "3"]
        assert httpx.get(f"{address}/components/static/component.js").headers["x-mark"] == "seen"


def test_a_hook_that_a_later_plugin_adds_is_not_passed_by() -> None:
    class Later(InitPlugin):
        def on_app_init(self, app_config: AppConfig) -> AppConfig:
            app_config.before_request = refuse
            return app_config

    with pytest.raises(ConfigurationError, match="before ComponentPlugin"):
        serving(None, Later())


def test_the_application_s_own_handlers_stay() -> None:
    @get("/components-of-ours", media_type=MediaType.TEXT)
    async def about() -> str:
        return "about"

    with uvicorn_thread(serving(app={"route_handlers": [about]})) as address:
        assert httpx.get(f"{address}/components-of-ours").text == "about"
        assert said(post(address)) == "None of None with None"


def test_a_sync_handler_sees_the_context_variables_of_middleware() -> None:
    def named(app: Any) -> Any:
        async def middleware(scope: Any, receive: Any, send: Any) -> None:
            tenant.set("the south")
            await app(scope, receive, send)

        return middleware

    with uvicorn_thread(serving(middleware=[named])) as address:
        assert said(post(address, path="/components/tenants")) == "the south"


def test_a_handler_that_raises_never_reaches_the_debug_page() -> None:
    for options in ({}, {"before_request": lambda request: None}):
        with uvicorn_thread(serving(app={"debug": True}, **options)) as address:
            answer = post(address, "fail")
            assert (answer.status_code, answer.headers["x-component-code"]) == (500, "failed")
            assert "secret" not in answer.text


@pytest.mark.parametrize("hooks", [{}, {"before_request": lambda request: None}], ids=["mounted", "ordinary"])
def test_only_post_reaches_a_component_and_only_get_a_file(hooks: dict[str, Any]) -> None:
    with uvicorn_thread(serving(**hooks)) as address:
        assert httpx.get(f"{address}/components/components").status_code == 405
        assert httpx.get(f"{address}/components/static/component.js").status_code == 200
        assert httpx.post(f"{address}/components/static/component.js").status_code == 405
        assert httpx.get(f"{address}/components/static/desk.py").status_code == 404
        assert httpx.post(f"{address}/components/components/other", headers=HTMX).status_code == 404


def with_page(served: Any = None, **options: Any) -> Litestar:
    served = served or engine()

    async def show(request: Request[Any, Any, Any]) -> str:
        return page(served.page_functions(request_context(served, request)))

    handler = get("/page", media_type=MediaType.HTML)(show)
    return serving(served, app={"route_handlers": [handler], **options})


def test_a_page_behind_a_proxy_s_prefix_names_addresses_that_the_proxy_knows() -> None:
    with uvicorn_thread(behind_a_proxy(with_page(), "/api")) as address:
        assert_page_works(address, "/api/page")


def test_a_page_of_a_mounted_application_names_addresses_that_answer() -> None:
    shop: Any = with_page()
    with uvicorn_thread(Starlette(routes=[Mount("/shop", shop)])) as address:
        assert_page_works(address, "/shop/page")


def test_a_page_below_the_application_s_own_path_names_addresses_that_answer() -> None:
    with uvicorn_thread(with_page(engine(url="/v1/components"), path="/v1")) as address:
        assert_page_works(address, "/v1/page")


def test_a_path_that_pages_would_not_know_of_is_a_mistake_that_says_what_to_write() -> None:
    with pytest.raises(ConfigurationError, match=re.escape("Engine(url='/v1/components')")):
        serving(app={"path": "/v1"})


def test_a_page_sends_the_token_of_litestar_s_csrf_check_with_its_events() -> None:
    with uvicorn_thread(with_page(csrf_config=CSRFConfig(secret="of a test"))) as address:
        answer = httpx.get(f"{address}/page")
        token = answer.cookies["csrftoken"]
        assert f"{{&quot;x-csrftoken&quot;:&quot;{token}&quot;}}" in answer.text
        sent = post(address, "add", data={"by": "1"}, headers={"x-csrftoken": token}, cookies={"csrftoken": token})
        assert total(sent) == 1


def test_an_adapter_without_litestar_says_what_to_install() -> None:
    code = "import sys; sys.modules['litestar'] = None; import component_framework.adapters.litestar"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'live-component-framework[litestar]'" in result.stderr
