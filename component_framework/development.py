"""A first component in a browser, with no application around it: `component_framework.run()`."""

from __future__ import annotations

import secrets
from typing import Any

from .core.engine import Engine
from .core.errors import ConfigurationError
from .core.registry import Registry
from .core.registry import registry as default_registry

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>component_framework</title>{scripts}</head><body>{body}</body></html>"""


def run(port: int = 8000, host: str = "127.0.0.1", *, registry: Registry = default_registry) -> None:
    """Show every registered component on one page of `http://host:port/`, until Ctrl-C.

    For trying things out: the signing key is new at each start, and nobody is asked who he is. Raises ConfigurationError
    when there is no component, ImportError when the extra `demo` is not installed.
    """
    if not registry:
        raise ConfigurationError('There is no component to show. Register one: @register("counter") above its class.')
    try:
        import uvicorn
    except ImportError as exc:
        raise ImportError("run() needs a server. Run: pip install 'live-component-framework[demo]'") from exc
    print(f"Serving on http://{host}:{port}/ (Ctrl-C ends)", flush=True)
    uvicorn.run(application(registry), host=host, port=port, log_level="warning")


def application(registry: Registry = default_registry) -> Any:
    """The ASGI application that `run()` serves."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Route

    from .adapters.jinja import JinjaRenderer
    from .adapters.starlette import component_routes, request_context

    engine = Engine(renderer=JinjaRenderer("."), secret_key=secrets.token_hex(), registry=registry)

    async def page(request: Request) -> Response:
        context = request_context(engine, request)
        shown = [await engine.async_mount(name, context=context) for name in registry]
        return HTMLResponse(PAGE.format(scripts=engine.scripts(None, context), body="\n".join(shown)))

    return Starlette(routes=[*component_routes(engine), Route("/", page)])
