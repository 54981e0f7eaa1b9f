"""The same components as the FastAPI example, served by Litestar: `make demo-litestar`."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get
from litestar.static_files import create_static_files_router
from sqlalchemy.ext.asyncio import AsyncSession

from component_framework import Engine
from component_framework.adapters.litestar import ComponentPlugin, request_context
from examples.fastapi_app.components import orders
from examples.shared import machine, room
from examples.shared.gallery import served
from examples.shared.site import SHARED, SecurityPolicy, page, renderer

engine = Engine(
    renderer=renderer,
    secret_key=os.environ.get("SECRET_KEY") or secrets.token_hex(),
    providers={AsyncSession: orders.session},  # opened for each event that needs one, and closed after it
    socket=True,
)
machine.watch(engine)
room.listen(engine)


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    await orders.begin()
    yield
    await orders.end()


@get(["/", "/{name:str}"], media_type=MediaType.HTML)
async def show(request: Request[Any, Any, Any]) -> Response[str]:
    name = request.path_params.get("name", "")
    html = await page(engine, request_context(engine, request), name, request.query_params)
    return Response(
        html if html is not None else "There is no such page.", status_code=200 if html is not None else 404
    )


@get("/pictures/{name:str}", sync_to_thread=True)
def picture(request: Request[Any, Any, Any]) -> Response[bytes]:
    found = served(request.path_params["name"])
    if found is None:
        return Response(b"", status_code=404)
    return Response(found[0], headers=found[1], media_type=found[1]["Content-Type"])


app = Litestar(
    route_handlers=[show, picture, create_static_files_router("/shared", directories=[SHARED])],
    plugins=[ComponentPlugin(engine)],
    lifespan=[lifespan],
    middleware=[SecurityPolicy],
    openapi_config=None,
)
