"""Each framework with a component endpoint and one written by hand for that framework."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Form, Header

from .subject import engine, hand, increment, restore


def starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, StreamingResponse
    from starlette.routing import Route

    from component_framework.adapters.starlette import component_routes

    async def by_hand(request: Request) -> HTMLResponse:
        form = await request.form()
        return HTMLResponse(increment(restore(request.headers["x-component-state"]), int(str(form["by"]))))

    async def stream(request: Request) -> StreamingResponse:
        frames = int(request.query_params["frames"])
        state = {"id": "c-1", "version": 1, "count": 0}

        async def body() -> AsyncIterator[str]:
            for _ in range(frames):
                yield "".join(f"data: {line}\n" for line in increment(state, 1).split("\n")) + "\n"

        return StreamingResponse(body(), media_type="text/event-stream")

    routes = [Route("/hand", by_hand, methods=["POST"]), Route("/stream", stream, methods=["POST"])]
    return Starlette(routes=[*routes, *component_routes(engine)])


def stored() -> Any:
    from .store import app

    return app()


def fastapi() -> Any:
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse

    from component_framework.adapters.fastapi import component_router

    app = FastAPI()

    async def by_hand(by: Annotated[int, Form()], x_component_state: Annotated[str, Header()]) -> HTMLResponse:
        return HTMLResponse(increment(restore(x_component_state), by))

    def by_hand_sync(by: Annotated[int, Form()], x_component_state: Annotated[str, Header()]) -> HTMLResponse:
        return HTMLResponse(increment(restore(x_component_state), by))

    app.post("/hand")(by_hand)
    app.post("/hand-sync")(by_hand_sync)
    app.include_router(component_router(engine))
    return app


def litestar() -> Any:
    from litestar import Litestar, MediaType, Request, post

    from component_framework.adapters.litestar import ComponentPlugin

    @post("/hand", media_type=MediaType.HTML, status_code=200)
    async def by_hand(request: Request[Any, Any, Any]) -> str:
        form = await request.form()
        return increment(restore(request.headers["x-component-state"]), int(form["by"]))

    return Litestar([by_hand], plugins=[ComponentPlugin(engine)])


def _django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.django_settings"


def django_asgi() -> Any:
    _django()
    from django.core.asgi import get_asgi_application

    return get_asgi_application()


def django_wsgi() -> Any:
    _django()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def hand_view(request: Any) -> Any:
    """The view by hand, sync."""
    from django.http import HttpResponse

    return HttpResponse(hand(request.headers["x-component-state"], request.body))


async def async_hand_view(request: Any) -> Any:
    """The view by hand, async."""
    from django.http import HttpResponse

    return HttpResponse(hand(request.headers["x-component-state"], request.body))


def forms_fastapi() -> Any:
    from .forms import fastapi

    return fastapi()


def forms_django() -> Any:
    from .forms import django

    return django()


def sockets() -> Any:
    from . import realtime

    return realtime.app()
