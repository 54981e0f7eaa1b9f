"""Pages that nobody clicks on cost the server nothing when their state is in them."""

from __future__ import annotations

import gc
import re
import tracemalloc

from component_framework import Component, Engine, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.lifecycle import run_sync
from component_framework.core.wire import Call

PAGES = 10_000
registry = Registry()


@registry.register("idle")
class Idle(Component):
    template = "<p>{{ count }}</p>"
    count: int = 0

    def on_add(self) -> None:
        self.count += 1


def test_ten_thousand_idle_pages_leave_nothing_on_the_server() -> None:
    engine = Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry)
    open_pages(engine, 100)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        open_pages(engine, PAGES)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < PAGES, "not a byte for each page"


def open_pages(engine: Engine, count: int) -> None:
    """Show `count` pages, each tenth of which handles one event, and leave them all open."""
    for number in range(count):
        page = engine.mount("idle", count=number)
        if number % 10 == 0:
            found = re.search('data-state="([^"]*)"', page)
            assert found is not None
            call = Call(component="idle", event="add", state=found[1], event_id=f"e-{number}")
            assert run_sync(engine.handle(call)).status == 200
