"""Serve components from Litestar.

app = Litestar(plugins=[ComponentPlugin(engine, guards=[login])])
"""

from __future__ import annotations

from typing import Any

try:
    from litestar import Request, Router, asgi
    from litestar.config.app import AppConfig
    from litestar.plugins import InitPlugin
except ImportError as exc:
    raise ImportError("Litestar is not installed. Run: pip install 'live-component-framework[litestar]'") from exc

from ..core.asgi import ComponentApp, scope_context
from ..core.component import Context
from ..core.engine import Engine


class ComponentPlugin(InitPlugin):
    """The routes of every registered component; `options` (guards, middleware, …) go to their Router."""

    def __init__(self, engine: Engine, **options: Any) -> None:
        self.engine = engine
        self.options = options

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add a Router with one plain ASGI handler: Litestar's guards and middleware are around it as around any other."""
        components = ComponentApp(self.engine, make_request=_request)

        @asgi("/", is_mount=True, copy_scope=False)
        async def handle(scope: Any, receive: Any, send: Any) -> None:
            await components(scope, receive, send)

        app_config.route_handlers.append(Router(self.engine.url, route_handlers=[handle], **self.options))
        return app_config


def request_context(engine: Engine, request: Request[Any, Any, Any]) -> Context:
    """Who is asking, for a handler that mounts a component."""
    return scope_context(engine, request.scope, request)


def _request(scope: Any, receive: Any) -> Request[Any, Any, Any]:
    return Request(scope, receive)
