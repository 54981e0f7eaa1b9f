"""A stored counter, for servers that share one Redis."""

from __future__ import annotations

import os
import time
from typing import Any

from starlette.applications import Starlette

from component_framework import Component, Engine, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.redis import RedisStateStore
from component_framework.adapters.starlette import component_routes

registry = Registry()
KEY = "of the workers' tests"


@registry.register("tally")
class Tally(Component):
    """Counts, and remembers who counted."""

    template = "<p>{{ count }}</p>"
    lives_in = "store"
    count: int = 0
    seen: list[str] = []

    def on_add(self, name: str) -> None:
        self.count += 1
        self.seen.append(name)

    def on_add_slowly(self, name: str) -> None:
        with open(os.environ["BEGUN"], "w"):  # a pipe: whoever waits at its other end knows that the event runs
            pass
        time.sleep(0.3)
        self.on_add(name)


@registry.register("plain")
class Plain(Component):
    """Counts in the page."""

    template = "<p>{{ count }}</p>"
    lives_in = "token"
    count: int = 0

    async def on_add(self) -> None:
        self.count += 1


def engine(url: str) -> Engine:
    return Engine(renderer=JinjaRenderer(), secret_key=KEY, registry=registry, store=RedisStateStore(url, timeout=0.5))


def app() -> Any:
    return Starlette(routes=component_routes(engine(os.environ["REDIS"])))
