"""Applications whose streams do not end by themselves; what their handlers do is written into the file LOG."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

from component_framework import Component, Engine, Registry, StreamingComponent
from component_framework.adapters.jinja import JinjaRenderer

registry = Registry()


def note(text: str) -> None:
    """A line in the log, in one write."""
    with open(os.environ["LOG"], "a") as log:
        log.write(f"{text}\n")


@registry.register("endless")
class Endless(StreamingComponent):
    """Yields, then waits for what never comes."""

    template = "<div><p {{ on('sync') }} data-x='{{ n }}'></p><p {{ on('async') }}></p></div>"
    n: int = 0

    def on_sync(self) -> Iterator[None]:
        try:
            for self.n in range(1_000_000):
                yield
                threading.Event().wait(0.05)
        finally:
            note("sync closed")

    async def on_async(self) -> AsyncIterator[None]:
        try:
            self.n = 1
            yield
            self.n = 2
            yield
            await asyncio.Event().wait()
        finally:
            note("async closed")


@registry.register("lines")
class Lines(Component):
    """Only sync handlers, so that it runs in worker threads."""

    template = "<div {{ on('sync') }}>{{ n }}</div>"
    n: int = 0

    def on_sync(self) -> Iterator[None]:
        try:
            for self.n in range(1_000_000):
                yield
                threading.Event().wait(0.05)
        finally:
            note("sync closed")


def engine() -> Engine:
    return Engine(renderer=JinjaRenderer(), secret_key="of a test", registry=registry)


def starlette() -> Any:
    from starlette.applications import Starlette

    from component_framework.adapters.starlette import component_routes

    return Starlette(routes=component_routes(engine()))


def fastapi() -> Any:
    from fastapi import FastAPI

    from component_framework.adapters.fastapi import component_router

    app = FastAPI()
    app.include_router(component_router(engine()))
    return app


def litestar() -> Any:
    from litestar import Litestar

    from component_framework.adapters.litestar import ComponentPlugin

    return Litestar(plugins=[ComponentPlugin(engine())])


def django() -> Any:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.adapters.stream_settings"
    from django.core.asgi import get_asgi_application

    return get_asgi_application()
