"""Serve components from Litestar.

app = Litestar(plugins=[ComponentPlugin(engine, guards=[login])])
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

try:
    from litestar import Litestar, Request, Router
    from litestar.config.app import AppConfig
    from litestar.handlers import ASGIRouteHandler
    from litestar.plugins import InitPlugin
    from litestar.utils.scope.state import ScopeState
except ImportError as exc:
    raise ImportError("Litestar is not installed. Run: pip install 'live-component-framework[litestar]'") from exc

from ..core.asgi import scope_context
from ..core.asgi_app import ComponentApp
from ..core.component import Context
from ..core.engine import Engine
from ..core.errors import ConfigurationError
from .litestar_handlers import make_request, ordinary_handlers, read
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
        handlers = ordinary_handlers(self.engine) if hooked else [_mount(self.engine)]
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
    components = ComponentApp(engine, make_request=make_request, read=read)

    async def handle(scope: Any, receive: Any, send: Any) -> None:
        await components(scope, receive, send)

    handler = _Mount("/", is_mount=True, copy_scope=False)(handle)
    handler.limit = engine.limits.body
    return handler


def _below(prefix: str, url: str) -> str:
    """The path of the components in an application whose paths all begin with `prefix`."""
    prefix = prefix.rstrip("/")
    if not url.startswith(prefix):
        raise ConfigurationError(f"Litestar(path={prefix!r}) moves the components. Write Engine(url={prefix + url!r}).")
    return url.removeprefix(prefix)
