"""Serve components from Starlette.

app = Starlette(routes=[*component_routes(engine), …])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from starlette.requests import Request
    from starlette.routing import BaseRoute, Route, WebSocketRoute
except ImportError as exc:
    raise ImportError("Starlette is not installed. Run: pip install 'live-component-framework[fastapi]'") from exc

from ..core.asgi import AssetEndpoint, EventEndpoint, scope_context
from ..core.asgi_live import LiveEndpoint, SocketEndpoint
from ..core.component import Context
from ..core.engine import Engine


def component_routes(engine: Engine) -> list[BaseRoute]:
    """The routes of every registered component, under the engine's URL."""
    return [
        Route(f"{engine.url}/live", LiveEndpoint(engine, make_request=Request), methods=["GET", "POST"]),
        Route(f"{engine.url}/{{name}}", event_endpoint(engine, stream=False), methods=["POST"]),
        Route(f"{engine.url}/{{name}}/stream", event_endpoint(engine, stream=True), methods=["POST"]),
        Route(f"{engine.url}/static/{{file}}", AssetEndpoint()),
        WebSocketRoute(f"{engine.url}/ws", SocketEndpoint(engine, make_request=connection)),
    ]  # in the order of how often they are asked for: each is tried in turn


def connection(scope: Any, receive: Any) -> Request:
    """What components see as their request where an event came down a socket: that of a POST, without a body."""
    return Request({**scope, "type": "http", "method": "POST"})


def event_endpoint(engine: Engine, *, stream: bool) -> EventEndpoint:
    """The POST endpoint, with Starlette's request."""
    return EventEndpoint(engine, stream=stream, make_request=Request)


def request_context(engine: Engine, request: Request) -> Context:
    """Who is asking, for a view that mounts a component: `engine.mount("cart", context=request_context(engine, request))`."""
    return scope_context(engine, request.scope, request)


def component_context(engine: Engine) -> Callable[[Request], dict[str, Any]]:
    """A context processor for Jinja2Templates: `live_component` and `component_scripts` for pages."""

    def processor(request: Request) -> dict[str, Any]:
        return engine.page_functions(request_context(engine, request))

    return processor
