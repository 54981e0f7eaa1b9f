"""Emitted events travel in a header, which has room for so much."""

from __future__ import annotations

import logging

import pytest

from component_framework import Component, Engine, Limits, MemoryStateStore, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.wire import Reply
from tests.core.test_stored_state import send, token

registry = Registry()


@registry.register("speaker")
class Speaker(Component):
    template = "<div>{{ count }}</div>"
    lives_in = "store"
    count: int = 0

    def on_say(self, size: int, silent: bool = False) -> None:
        self.emit("said", text="x" * size)
        if silent:
            self.skip_render()
        else:
            self.count += 1


def say(size: int, limits: Limits | None = None, *, silent: bool = False) -> tuple[Engine, str, Reply]:
    engine = Engine(
        renderer=JinjaRenderer(), secret_key="k", registry=registry, store=MemoryStateStore(), limits=limits
    )
    state = token(engine.mount("speaker"))
    return engine, state, send(engine, "speaker", state, "say", "click", size=size, silent=silent)


def test_events_over_4_kib_are_logged_for_a_proxy_may_refuse_them(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "component_framework"):
        assert say(4000)[2].status == 200
        assert caplog.messages == []
        assert say(5000)[2].status == 200
        [message] = caplog.messages
    assert "Speaker" in message
    assert "header" in message


@pytest.mark.parametrize("silent", [False, True])
def test_events_over_64_kib_are_a_failure_and_the_state_is_as_before(
    silent: bool, caplog: pytest.LogCaptureFixture
) -> None:
    engine, state, answer = say(70_000, silent=silent)
    assert answer.status == 500
    assert "HX-Trigger" in answer.headers, "it says that it failed"
    assert "PayloadError" in caplog.text
    again = send(engine, "speaker", state, "say", "click", size=1)
    assert isinstance(again.body, bytes)
    assert b">1</div>" in again.body


def test_the_room_is_a_limit_that_can_be_set() -> None:
    assert say(70_000, Limits(trigger=100_000))[2].status == 200
    assert say(300, Limits(trigger=200))[2].status == 500
