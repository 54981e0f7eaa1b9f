"""Any sequence of events, failures, retries and old pages, against a model in a few lines, wherever the state lives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from component_framework import Component, Engine, MemoryStateStore, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.redis import RedisStateStore
from component_framework.core.lifecycle import run_sync
from component_framework.core.store import StateStore
from component_framework.core.wire import Call, Reply
from tests.backends.redis_server import RedisServer

registry = Registry()


@registry.register("ledger")
class Ledger(Component):
    """Shows all of its state as JSON would."""

    template = "<pre>{{ count }}|{{ names|join(',') }}</pre>"
    count: int = 0
    names: list[str] = []

    def on_add(self, by: int) -> None:
        self.count += by

    def on_name(self, name: str) -> None:
        self.names.append(name)

    def on_fail(self) -> None:
        self.count = 99
        self.names.clear()
        raise RuntimeError("as the test wants")


class Lifecycle(RuleBasedStateMachine):
    """A page with its token, and what the model says that it shows."""

    def __init__(self, store: StateStore | None) -> None:
        super().__init__()
        self.stored = store is not None
        self.engine = Engine(
            renderer=JinjaRenderer(), secret_key="k", registry=registry, store=store, state="store" if self.stored else "token"
        )  # fmt: skip
        self.ids = map(str, count())
        self.model = (0, "")
        self.last: Call | None = None
        self.token = self.shown = ""
        self._take(self.engine.mount("ledger"))
        self.first = self.token, self.model

    @rule(by=st.integers(-5, 5))
    def add(self, by: int) -> None:
        self._send("add", by=by)
        self.model = (self.model[0] + by, self.model[1])

    @rule(name=st.sampled_from(["ada", "ben"]))
    def append(self, name: str) -> None:
        self._send("name", name=name)
        self.model = (self.model[0], ",".join(filter(None, [self.model[1], name])))

    @rule()
    def a_handler_fails(self) -> None:
        assert self._answer(self._call("fail")).status == 500

    @rule()
    def a_payload_does_not_fit(self) -> None:
        answer = self._answer(self._call("add", by="x"))
        assert answer.status == 422
        self._take(self._body(answer))

    @rule()
    def the_component_is_only_shown(self) -> None:
        self._send(None)

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_last_event_is_sent_again(self) -> None:
        """A store knows that it was applied; from the same token it gives the same state again."""
        assert self.last is not None
        answer = self._answer(self.last)
        assert answer.status == 200
        self._take(self._body(answer))

    @rule()
    def an_old_page_is_used(self) -> None:
        """A store goes on from the newest state, a token from its own."""
        self.token = self.first[0]
        if not self.stored:
            self.model = self.first[1]
        self._send(None)

    @invariant()
    def the_page_shows_what_the_model_says(self) -> None:
        assert f">{self.model[0]}|{self.model[1]}</pre>" in self.shown

    def _send(self, event: str | None, **payload: object) -> None:
        self.last = self._call(event, **payload)
        answer = self._answer(self.last)
        assert answer.status == 200
        self._take(self._body(answer))

    def _call(self, event: str | None, **payload: object) -> Call:
        return Call(component="ledger", event=event, payload=payload, state=self.token, event_id=next(self.ids))

    def _answer(self, call: Call) -> Reply:
        return run_sync(self.engine.handle(msgspec.structs.replace(call, envelope="html")))

    def _body(self, answer: Reply) -> str:
        assert isinstance(answer.body, bytes)
        return answer.body.decode()

    def _take(self, markup: str) -> None:
        self.shown = markup
        self.token = markup.partition('data-state="')[2].partition('"')[0]


@pytest.fixture(params=["token", "memory", "redis"])
def store(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[StateStore | None]:
    if request.param == "redis":
        store = RedisStateStore(redis_server.url)
        yield store
        run_sync(store.aclose())
    else:
        yield MemoryStateStore() if request.param == "memory" else None


def test_the_lifecycle_does_what_the_model_does(store: StateStore | None) -> None:
    run_state_machine_as_test(
        lambda: Lifecycle(store),  # type: ignore[arg-type]  # anything that makes a machine serves
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, database=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )  # fmt: skip
