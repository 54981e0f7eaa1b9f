"""The FastAPI example: `make demo`, or `uvicorn examples.fastapi_app.main:app`."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.staticfiles import StaticFiles

from component_framework import Engine
from component_framework.adapters.fastapi import component_router, request_context
from examples.shared import machine, room
from examples.shared.gallery import served
from examples.shared.site import SHARED, SecurityPolicy, page, renderer

from .components import orders

engine = Engine(
    renderer=renderer,
    secret_key=os.environ.get("SECRET_KEY") or secrets.token_hex(),
    providers={AsyncSession: orders.session},  # opened for each event that needs one, and closed after it
    socket=True,
)
machine.watch(engine)
room.listen(engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await orders.begin()
    yield
    await orders.end()


app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(component_router(engine))
app.mount("/shared", StaticFiles(directory=SHARED))
app.add_middleware(SecurityPolicy)


@app.get("/pictures/{name}")
def picture(name: str) -> Response:
    found = served(name)
    return Response(status_code=404) if found is None else Response(found[0], headers=found[1])


@app.get("/{name}", response_class=HTMLResponse)
@app.get("/", response_class=HTMLResponse)
async def show(request: Request, name: str = "") -> Response:
    html = await page(engine, request_context(engine, request), name, request.query_params)
    return HTMLResponse(html if html is not None else "There is no such page.", 200 if html is not None else 404)
