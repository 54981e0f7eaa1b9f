"""Serve components from Litestar.

app = Litestar(plugins=[ComponentPlugin(engine, guards=[login])])
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any, cast

try:
    from litestar import Litestar, Request, Router, WebSocket, asgi, get, post, websocket
    from litestar.config.app import AppConfig
    from litestar.datastructures import FormMultiDict
    from litestar.handlers import ASGIRouteHandler
    from litestar.plugins import InitPlugin
    from litestar.response.base import ASGIResponse
    from litestar.types import Empty
    from litestar.utils.scope.state import ScopeState
except ImportError as exc:
    raise ImportError("Litestar is not installed. Run: pip install 'live-component-framework[litestar]'") from exc

from ..core.asgi import (
    AssetEndpoint,
    Body,
    EventEndpoint,
    parsed_form,
    read_body,
    scope_context,
    send_reply,
)
from ..core.asgi_app import ComponentApp
from ..core.asgi_live import LiveEndpoint, SocketEndpoint
from ..core.component import Context
from ..core.engine import Engine
from ..core.errors import ConfigurationError
from ..core.intake import Intake
from ..core.limits import Limits
from ..core.uploads import release
from ..core.wire import Reply
from .litestar_provide import LitestarSolver

HOOKS = ("before_request", "after_request", "after_response")
"""What Litestar calls around an ordinary handler only; guards, middleware and exception handlers are around any."""


class ComponentPlugin(InitPlugin):
    """The routes of every registered component; `options` (guards, middleware, …) go to their Router.

    The routes are one plain ASGI handler, or ordinary handlers where the options or the application have hooks that
    need one.
    """

    def __init__(self, engine: Engine, **options: Any) -> None:
        self.engine = engine
        self.options = options

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add a Router for the components."""
        hooked = any(self.options.get(hook) or getattr(app_config, hook) for hook in HOOKS)
        handlers = _ordinary(self.engine) if hooked else [_mount(self.engine)]
        own = self.options.get("dependencies") or {}
        self.engine.providers.use(LitestarSolver(lambda: {**app_config.dependencies, **own}))
        path = _below(app_config.path, self.engine.url)
        options: dict[str, Any] = {"include_in_schema": False} | self.options
        app_config.route_handlers.append(Router(path, route_handlers=handlers, **options))
        return app_config


def request_context(engine: Engine, request: Request[Any, Any, Any]) -> Context:
    """Who is asking, for a handler that mounts a component; its events carry the token of Litestar's CSRFConfig."""
    context = scope_context(engine, request.scope, request)
    config, token = request.app.csrf_config, ScopeState.from_scope(request.scope).csrf_token
    return context.with_headers(((config.header_name, token),)) if config and isinstance(token, str) else context


class _Mount(ASGIRouteHandler):
    """An ASGI handler whose body middleware may read (Litestar's logging and CSRF do), and that no hook passes by."""

    limit = 0

    def resolve_exception_handlers(self) -> Any:
        """Those of all layers, found once: Litestar asks at every request."""
        return self._exception_handlers

    @cached_property
    def _exception_handlers(self) -> Any:
        return super().resolve_exception_handlers()

    def resolve_request_max_body_size(self) -> int:
        return self.limit

    def on_registration(self, app: Litestar) -> None:
        super().on_registration(app)
        if any(getattr(layer, hook, None) for layer in self.ownership_layers for hook in HOOKS):
            raise ConfigurationError(
                f"A plugin adds {', '.join(HOOKS[:-1])} or {HOOKS[-1]}. List it before ComponentPlugin."
            )


def _mount(engine: Engine) -> ASGIRouteHandler:
    components = ComponentApp(engine, make_request=_request, read=_read)

    async def handle(scope: Any, receive: Any, send: Any) -> None:
        await components(scope, receive, send)

    handler = _Mount("/", is_mount=True, copy_scope=False)(handle)
    handler.limit = engine.limits.body
    return handler


def _ordinary(engine: Engine) -> list[Any]:
    events, streams = (EventEndpoint(engine, stream=stream, make_request=_request) for stream in (False, True))

    stream_of_page = LiveEndpoint(engine, make_request=_request, read=_read)
    socket_of_page = SocketEndpoint(engine, make_request=_request)

    @post("/{name:str}", status_code=200)
    async def event(request: Request[Any, Any, Any]) -> ASGIResponse:
        return await _answer(events, request)

    @post("/{name:str}/stream", status_code=200)
    async def stream(request: Request[Any, Any, Any]) -> ASGIResponse:
        return await _answer(streams, request)

    @get("/static/{file:str}")
    async def asset(request: Request[Any, Any, Any]) -> ASGIResponse:
        return _Answer(AssetEndpoint().reply(request.scope))

    @asgi("/live", copy_scope=False)
    async def live(scope: Any, receive: Any, send: Any) -> None:
        await stream_of_page(scope, receive, send)

    @websocket("/ws")
    async def ws(socket: WebSocket[Any, Any, Any]) -> None:
        scope: Any = socket.scope
        receive: Any = socket.receive
        await socket_of_page(scope, receive, cast(Any, socket.send))

    return [event, stream, asset, live, ws]


async def _answer(events: EventEndpoint, request: Request[Any, Any, Any]) -> ASGIResponse:
    name = request.path_params["name"]
    body = await events.take_in(name, request.scope, request, partial(_read, request.scope, request.receive))
    return _Answer(await events.reply(name, request.scope, request, body), body)


class _Answer(ASGIResponse):
    """A response that core.asgi sends, with the headers as the hooks have left them."""

    _should_set_content_length = False

    def __init__(self, reply: Reply, body: Body = b"") -> None:
        length = {"Content-Length": str(len(reply.body))} if isinstance(reply.body, bytes) and reply.body else {}
        super().__init__(status_code=reply.status, headers=length | dict(reply.headers))
        self._reply = reply
        self._body = body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self.encode_headers()
            await send(message)

        try:
            await send_reply(self._reply, receive, send_with_headers)
        finally:
            release(self._body)


async def _read(scope: Any, receive: Any, limits: Limits, intake: Intake | None = None) -> Body:
    """The body; middleware may have read or parsed it, and Litestar keeps it then."""
    read = ScopeState.from_scope(scope)
    if read.body is not Empty:
        return read.body
    if read.form is not Empty:
        return parsed_form(FormMultiDict.from_form_data(read.form).multi_items(), intake)
    return await read_body(scope, receive, limits, intake)


def _request(scope: Any, receive: Any) -> Request[Any, Any, Any]:
    """That of an event; one that came down a socket has that of a POST, without a body."""
    if scope["type"] == "http":
        return Request(scope, receive)
    plain: Any = {**scope, "type": "http", "method": "POST"}
    return Request(plain)


def _below(prefix: str, url: str) -> str:
    """The path of the components in an application whose paths all begin with `prefix`."""
    prefix = prefix.rstrip("/")
    if not url.startswith(prefix):
        raise ConfigurationError(f"Litestar(path={prefix!r}) moves the components. Write Engine(url={prefix + url!r}).")
    return url.removeprefix(prefix)
