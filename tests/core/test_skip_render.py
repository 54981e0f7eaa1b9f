"""An event that changes nothing to be seen: 204, with its effects."""

from __future__ import annotations

import re

from component_framework import Component, Engine, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.lifecycle import run_sync
from component_framework.core.wire import Call, Reply

registry = Registry()


@registry.register("quiet")
class Quiet(Component):
    template = "<p>{{ count }}</p>"
    count: int = 0

    def on_note(self, change: bool = False) -> None:
        self.count += change
        self.emit("noted", count=self.count)
        self.skip_render()


engine = Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry)


def note(change: bool) -> Reply:
    found = re.search('data-state="([^"]*)"', engine.mount("quiet"))
    assert found is not None
    return run_sync(engine.handle(Call(component="quiet", event="note", state=found[1], payload={"change": change})))


def test_nothing_to_show_is_204_with_the_effects_alone() -> None:
    reply = note(change=False)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["HX-Trigger"] == '{"noted":{"count":0}}'


def test_a_change_that_would_be_lost_is_the_developers_mistake() -> None:
    assert note(change=True).status == 500
