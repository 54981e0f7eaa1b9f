"""Serve components from FastAPI.

app.include_router(component_router(engine, dependencies=[Depends(login)]))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

try:
    import fastapi.routing
    from fastapi import APIRouter, Request, Response, WebSocket
    from fastapi.routing import APIRoute
    from starlette.requests import ClientDisconnect
    from starlette.types import Receive, Scope, Send
except ImportError as exc:
    raise ImportError("FastAPI is not installed. Run: pip install 'live-component-framework[fastapi]'") from exc

from ..core.asgi import AssetEndpoint, Body, EventEndpoint, parsed_form, scope_context, send_reply, take
from ..core.asgi_live import LiveEndpoint, SocketEndpoint
from ..core.component import Context
from ..core.engine import Engine
from ..core.errors import ConfigurationError, Malformed
from ..core.intake import Intake
from ..core.limits import Limits
from ..core.uploads import release
from .fastapi_depends import FastAPISolver

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def component_router(engine: Engine, **options: Any) -> APIRouter:
    """The routes of every registered component; `options` go to APIRouter.

    Dependencies given here, to `include_router()` or to the application run before every event. Where there are none,
    the endpoint is called directly, without the work that FastAPI does for a signature.
    """
    engine.providers.use(FastAPISolver())
    router = APIRouter(prefix=engine.url, include_in_schema=False, route_class=ComponentRoute, **options)
    live = _Live(engine)
    # events first: FastAPI asks route by route, and most requests are events
    for path, stream in (("/{name}", False), ("/{name}/stream", True)):
        events = EventEndpoint(engine, stream=stream, make_request=Request)
        router.add_api_route(path, _Event(events, live).respond, methods=["POST"])
    router.add_api_route("/live", live.respond, methods=["GET"])
    router.add_api_route("/static/{file}", _Asset(engine).respond, methods=["GET", "HEAD"])
    router.add_api_websocket_route("/ws", live.serve)
    return router


def request_context(engine: Engine, request: Request) -> Context:
    """Who is asking, for a view that mounts a component: `engine.mount("cart", context=request_context(engine, request))`."""
    return scope_context(engine, request.scope, request)


def component_context(engine: Engine) -> Callable[[Request], dict[str, Any]]:
    """A context processor for Jinja2Templates: `live_component` and `component_scripts` for pages."""

    def processor(request: Request) -> dict[str, Any]:
        return engine.page_functions(request_context(engine, request))

    return processor


class ComponentRoute(APIRoute):
    """A route whose endpoint answers by itself; FastAPI's own handling is left out where no dependency needs it."""

    def get_route_handler(self) -> Endpoint:
        served: _Event | _Asset | _Live = getattr(self.endpoint, "__self__")  # noqa: B009  # a bound method, see below
        path, dependencies = _effective(self)
        if not path.startswith(served.url):
            raise ConfigurationError(
                f"include_router(prefix=…) has moved the components to {path!r}, where no page looks for them. "
                f"Take the prefix away and write Engine(url={path.partition(served.url)[0] + served.url!r})."
            )
        return super().get_route_handler() if dependencies else served.direct


class _Answer(Response):
    """A response that core.asgi sends, and after it the background tasks of dependencies."""

    def __init__(self, send: Callable[[Scope, Receive, Send], Awaitable[None]], status: int = 200) -> None:
        super().__init__(status_code=status)
        self._send = send

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._send(scope, receive, send)
        if self.background is not None:
            await self.background()


class _Event:
    """`direct` is the endpoint of a route with no dependencies, `respond` that of a route on which they have run.

    What a page posts to its connection comes here as well, for "live" looks like a name.
    """

    def __init__(self, events: EventEndpoint, live: _Live) -> None:
        self.events = events
        self.url = events.engine.url
        self._whole = _Answer(events)
        self._live = live

    async def direct(self, request: Request) -> Response:
        return self._whole if request.path_params["name"] != "live" else await self._live.direct(request)

    async def respond(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == "live":
            return await self._live.respond(request)
        body = await self.events.take_in(name, request.scope, request, partial(_read, request))
        reply = await self.events.reply(name, request.scope, request, body)

        async def send_it(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await send_reply(reply, receive, send)
            finally:
                release(body)

        return _Answer(send_it, reply.status)


class _Live:
    """The connections of pages; dependencies that ask for a Request cannot run before a socket."""

    def __init__(self, engine: Engine) -> None:
        self.url = engine.url
        self._stream = LiveEndpoint(engine, make_request=Request)
        self._socket = SocketEndpoint(engine, make_request=_connection)

    async def direct(self, request: Request) -> Response:
        return _Answer(self._stream)

    respond = direct

    async def serve(self, websocket: WebSocket) -> None:
        await self._socket(websocket.scope, websocket.receive, websocket.send)


def _connection(scope: Scope, receive: Receive) -> Request:
    """The request of an event that came down a socket: that of a POST, without a body."""
    return Request({**scope, "type": "http", "method": "POST"})


class _Asset:
    """The files, which need nothing of a request but its path."""

    def __init__(self, engine: Engine) -> None:
        self.url = engine.url
        self._assets = AssetEndpoint()

    async def direct(self, request: Request) -> Response:
        return _Answer(self._assets)

    respond = direct


async def _read(request: Request, limits: Limits, intake: Intake | None) -> Body:
    """The body; a dependency may have read it with `body()` or `json()`, or have parsed it with `form()`."""
    try:
        return await take(request.stream(), limits, intake)
    except ClientDisconnect:
        return Malformed("the body ended before it was complete")
    except RuntimeError:  # what Starlette raises for a stream that has been read
        if request._form is None:
            raise ConfigurationError("A dependency reads the body with request.stream(). Use request.body().") from None
        return parsed_form(request._form.multi_items(), intake)


def _effective(route: APIRoute) -> tuple[str, Sequence[Any]]:
    """The path and the dependencies of a route, with those of every router around it.

    FastAPI up to 0.136 copies a route into the router that includes its own; later versions keep what is added in a
    context that is set while the handler is made. Should a version have neither, FastAPI's own handling, which knows
    all dependencies, is used.
    """
    current = getattr(fastapi.routing, "_effective_route_context_var", None)
    if current is not None:
        effective = current.get(None) or route
        return effective.path, effective.dependencies
    return route.path, route.dependencies if _COPIES_ROUTES else [...]


_COPIES_ROUTES = tuple(map(int, fastapi.__version__.split(".")[:2])) < (0, 137)
