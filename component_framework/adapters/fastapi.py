"""Serve components from FastAPI.

app.include_router(component_router(engine, dependencies=[Depends(login)]))
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

try:
    import fastapi.routing
    from fastapi import APIRouter, Request, Response
    from fastapi.routing import APIRoute
    from starlette.types import Receive, Scope, Send
except ImportError as exc:
    raise ImportError("FastAPI is not installed. Run: pip install 'live-component-framework[fastapi]'") from exc

from ..core.asgi import AssetEndpoint, EventEndpoint, scope_context
from ..core.component import Context
from ..core.engine import Engine

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def component_router(engine: Engine, **options: Any) -> APIRouter:
    """The routes of every registered component; `options` go to APIRouter.

    Dependencies given here, to `include_router()` or to the application run before every event. Where there are none,
    the endpoint is called directly, without the work that FastAPI does for a signature.
    """
    router = APIRouter(prefix=engine.url, include_in_schema=False, route_class=ComponentRoute, **options)
    router.add_api_route("/static/{file}", _endpoint(AssetEndpoint()), methods=["GET"])
    for path, stream in (("/{name}/stream", True), ("/{name}", False)):
        events = EventEndpoint(engine, stream=stream, make_request=Request)
        router.add_api_route(path, _endpoint(events), methods=["POST"])
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
        if _dependencies(self):
            return super().get_route_handler()
        endpoint: Endpoint = self.endpoint
        return endpoint


class _Answer(Response):
    """A response that an ASGI endpoint sends."""

    def __init__(self, endpoint: AssetEndpoint | EventEndpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(scope, receive, send)


def _endpoint(endpoint: AssetEndpoint | EventEndpoint) -> Endpoint:
    answer = _Answer(endpoint)

    async def respond(request: Request) -> Response:
        return answer

    return respond


def _dependencies(route: APIRoute) -> Sequence[Any]:
    """The dependencies of a route with those of every router around it.

    FastAPI up to 0.1xx copies them into the route; later versions keep them in a context that is set while the handler
    is made. Should neither be there, FastAPI's own handling, which knows them all, is used.
    """
    current = getattr(fastapi.routing, "_effective_route_context_var", None)
    if current is not None:
        context = current.get(None)
        return route.dependencies if context is None else list(context.dependencies)
    return [...] if hasattr(fastapi.routing, "_IncludedRouter") else route.dependencies
