"""State in a store: nothing is lost, nothing is applied twice, and a page that is too old is told so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from component_framework import Component, Conflict, Engine, Limits, MemoryStateStore, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import ConfigurationError
from component_framework.core.lifecycle import run_sync
from component_framework.core.store import Record
from component_framework.core.wire import Call, Reply

registry = Registry()
TEMPLATE = "<div><button {{ on('add') }}>{{ count }}</button></div>"


@registry.register("stored")
class Stored(Component):
    template = TEMPLATE
    lives_in = "store"
    count: int = 0
    text: str = ""

    def on_add(self, by: int = 1) -> None:
        self.count += by
        self.emit("added", count=self.count)

    def on_write(self, size: int) -> None:
        self.text = "x" * size

    def on_fail(self) -> None:
        self.count = 99
        raise RuntimeError


@registry.register("watched")
class Watched(Component):
    template = TEMPLATE
    replay = "refuse"
    count: int = 0

    def on_add(self) -> None:
        self.count += 1
        self.emit("added", count=self.count)


def engine(store: MemoryStateStore | None = None, **options: object) -> Engine:
    store = MemoryStateStore() if store is None else store
    return Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry, store=store, **options)  # type: ignore[arg-type]  # options of all kinds


def token(markup: str) -> str:
    found = re.search('data-state="([^"]*)"', markup)
    assert found is not None
    return found[1]


def send(
    served: Engine, name: str, state: str, event: str = "add", event_id: str | None = None, **payload: object
) -> Reply:
    return run_sync(served.handle(Call(component=name, event=event, state=state, event_id=event_id, payload=payload)))


def body(reply: Reply) -> str:
    assert isinstance(reply.body, bytes)
    return reply.body.decode()


def test_the_token_of_a_stored_component_stays_small() -> None:
    served = engine()
    state = token(served.mount("stored", count=1))
    answer = send(served, "stored", state, "write", size=100_000)
    assert answer.status == 200
    assert len(token(body(answer))) < 300


def test_two_hundred_events_at_once_are_all_applied() -> None:
    served = engine()
    state = token(served.mount("stored"))
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: send(served, "stored", state), range(200)))
    assert {answer.status for answer in answers} == {200}
    assert ">201</button>" in body(send(served, "stored", state))


def test_a_retry_is_answered_with_the_first_effects_and_applied_once() -> None:
    for name in ("stored", "watched"):
        served = engine()
        state = token(served.mount(name))
        first, again = (send(served, name, state, event_id="click-1") for _ in range(2))
        assert ">1</button>" in body(again)
        assert again.headers["HX-Trigger"] == first.headers["HX-Trigger"] == '{"added":{"count":1}}'
        assert ">2</button>" in body(send(served, name, token(body(again)), event_id="click-2"))


def test_a_failed_event_is_not_remembered_as_applied() -> None:
    served = engine()
    state = token(served.mount("stored"))
    assert send(served, "stored", state, "fail", "click-1").status == 500
    assert ">1</button>" in body(send(served, "stored", state, "add", "click-1"))


def test_an_invalid_event_is_not_remembered_as_applied() -> None:
    served = engine()
    state = token(served.mount("stored"))
    assert send(served, "stored", state, "add", "click-1", by="x").status == 422
    assert ">3</button>" in body(send(served, "stored", state, "add", "click-1", by=3))


def test_a_state_that_is_gone_is_answered_with_a_fresh_render() -> None:
    store = MemoryStateStore()
    served = engine(store)
    state = token(served.mount("stored", count=40))
    store._records.clear()
    answer = send(served, "stored", state)
    assert answer.status == 409
    assert answer.headers["X-Component-Code"] == "state_expired"
    assert ">40</button>" in body(answer), "its params are in the token, so it begins as the page began"


def test_a_store_that_lost_its_last_write_is_noticed() -> None:
    store = MemoryStateStore()
    served = engine(store)
    state = token(served.mount("stored"))
    before = dict(store._records)
    newer = token(body(send(served, "stored", state)))
    store._records.update(before)
    assert send(served, "stored", newer).status == 409


def test_an_older_token_of_a_watched_component_is_refused() -> None:
    served = engine()
    first = token(served.mount("watched"))
    second = token(body(send(served, "watched", first)))
    answer = send(served, "watched", first)
    assert (answer.status, answer.headers["X-Component-Code"]) == (409, "conflict")
    assert ">2</button>" in body(send(served, "watched", second))


class Contended(MemoryStateStore):
    """A store in which somebody else is always faster."""

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        return False if expected else await super().save(key, data, expected=expected)


def test_who_is_always_overtaken_hears_conflict_and_sees_the_state_as_it_is() -> None:
    served = engine(Contended(), limits=Limits(attempts=3))
    answer = send(served, "stored", token(served.mount("stored")))
    assert (answer.status, answer.headers["X-Component-Code"]) == (409, "conflict")


def test_a_component_that_fails_while_it_is_shown_again_is_refused_all_the_same() -> None:
    failing = Registry()

    @failing.register("failing")
    class Failing(Component):
        template = TEMPLATE
        count: int = 0

        def on_add(self) -> None:
            self.broken = True
            raise Conflict("somebody was faster")

        def get_context(self) -> dict[str, object]:
            if self._version > 1:
                raise RuntimeError
            return {**super().get_context(), "errors": {}}

    served = Engine(renderer=JinjaRenderer(), secret_key="k", registry=failing)
    answer = send(served, "failing", token(served.mount("failing")))
    assert answer.status == 409


def test_a_poisoned_record_is_an_error_and_no_code() -> None:
    store = MemoryStateStore()
    served = engine(store)
    state = token(served.mount("stored"))
    [key] = store._records
    store._records[key] = (Record(1, b"cos\nsystem\n(S'true'\ntR."), 1e18)
    assert send(served, "stored", state).status == 500


def test_a_class_that_needs_a_store_says_so_when_there_is_none() -> None:
    served = Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry)
    with pytest.raises(ConfigurationError, match="needs a store"):
        served.mount("stored")
    with pytest.raises(ConfigurationError, match="needs a store"):
        Engine(renderer=JinjaRenderer(), secret_key="k", state="store")


class Counts:
    """A rate limiter that only remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def hit(self, limit: str, *key: str) -> float:
        self.seen.append(limit)
        return 0


class Overtaking(MemoryStateStore):
    """A store in which somebody else was faster the first few times."""

    slower = 3

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        if expected and self.slower:
            self.slower -= 1
            return False
        return await super().save(key, data, expected=expected)


def test_an_event_that_was_overtaken_is_counted_once_against_its_rate() -> None:
    limited = Registry()

    @limited.register("limited")
    class Limited(Stored):
        rate_limit = "60/minute"

    for store, status in ((Overtaking(), 200), (Contended(), 409)):
        counts = Counts()
        served = Engine(
            renderer=JinjaRenderer(), secret_key="k", registry=limited, store=store, rate_limiter=counts,
            limits=Limits(attempts=5),
        )  # fmt: skip
        state = token(served.mount("limited"))
        counts.seen.clear()
        assert send(served, "limited", state).status == status
        assert counts.seen == ["60/minute"]


class Losing(MemoryStateStore):
    """A store in which somebody else is faster until the event has given up, and once more."""

    slower = 4

    async def save(self, key: str, data: bytes, *, expected: int) -> bool:
        if expected > 1 and self.slower:
            self.slower -= 1
            return False
        return await super().save(key, data, expected=expected)


def test_who_gave_up_sees_the_newest_state_and_never_a_component_that_began_anew() -> None:
    served = engine(Losing(), limits=Limits(attempts=3))
    state = token(body(send(served, "stored", token(served.mount("stored")), by=7)))
    answer = send(served, "stored", state)
    assert (answer.status, answer.headers["X-Component-Code"]) == (409, "conflict")
    assert ">7</button>" in body(answer)
    assert ">8</button>" in body(send(served, "stored", token(body(answer))))


class Ledger:
    """A database that finds out at the commit that it cannot."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.fails = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        before = list(self.rows)
        try:
            yield
            if self.fails:
                self.fails -= 1
                raise RuntimeError("a constraint that is looked at last")
        except BaseException:
            self.rows[:] = before
            raise


@pytest.mark.parametrize("event", ["add", "add_in_steps"])
def test_a_commit_that_fails_takes_the_state_back_with_it(event: str) -> None:
    banks, ledger = Registry(), Ledger()

    @banks.register("bank")
    class Bank(Stored):
        def unit_of_work(self) -> Any:
            return ledger.transaction()

        def on_add(self, by: int = 1) -> None:
            ledger.rows.append(by)
            super().on_add(by)

        def on_add_in_steps(self) -> Iterator[None]:
            self.count += 1
            yield
            ledger.rows.append(1)

    served = Engine(renderer=JinjaRenderer(), secret_key="k", registry=banks, store=MemoryStateStore())
    state = token(body(send(served, "bank", token(served.mount("bank")), event, "click-1")))
    ledger.fails = 2
    for _ in range(2):
        assert send(served, "bank", state, event, "click-2").status == 500
        assert ledger.rows == [1]
    again = send(served, "bank", state, event, "click-2")
    assert ">2</button>" in body(again), "the failed event was neither kept nor remembered as done"
    assert ledger.rows == [1, 1]
