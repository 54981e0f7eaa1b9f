"""Two releases of a class side by side, and two workers whose clocks differ."""

from __future__ import annotations

from typing import Any

import pytest

from component_framework import Component, Engine, MemoryStateStore, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.redis import RedisStateStore
from component_framework.core.lifecycle import run_sync
from component_framework.core.state import Place
from component_framework.core.store import StateStore
from tests.backends.redis_server import RedisServer
from tests.core.test_stored_state import body, send, token

before, migrating, changed = Registry(), Registry(), Registry()


@before.register("cart")
class Before(Component):
    template = "<p>{{ count }}</p>"
    count: int = 0

    def on_add(self) -> None:
        self.count += 1


@changed.register("cart")
class After(Component):
    template = "<p>{{ total }} of {{ limit }}</p>"
    total: int = 0
    limit: int = 10

    def on_add(self) -> None:
        self.total += 1


@migrating.register("cart")
class Migrating(After):
    @classmethod
    def migrate(cls, state: dict[str, Any], schema: str) -> dict[str, Any] | None:
        return {"total": state["count"]} if "count" in state else None


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, redis_server: RedisServer) -> Any:
    if request.param == "redis":
        store = RedisStateStore(redis_server.url)
        yield store
        run_sync(store.aclose())
    else:
        yield MemoryStateStore()


def worker(registry: Registry, store: StateStore, place: Place = "store", now: float = 1.8e9) -> Engine:
    return Engine(
        renderer=JinjaRenderer(), secret_key="k", registry=registry, store=store, state=place, clock=lambda: now
    )


@pytest.mark.parametrize("place", ["token", "store"])
def test_a_new_release_migrates_or_shows_a_fresh_component_and_never_misreads(place: Place, store: StateStore) -> None:
    old, new, silent = (worker(registry, store, place) for registry in (before, migrating, changed))
    state = token(body(send(old, "cart", token(old.mount("cart")))))
    refused = send(silent, "cart", state)
    assert (refused.status, refused.headers["X-Component-Code"]) == (409, "state_outdated")
    assert ">0 of 10</p>" in body(refused)
    moved = send(new, "cart", state)
    assert ">2 of 10</p>" in body(moved)
    back = send(old, "cart", token(body(moved)))
    assert (back.status, back.headers["X-Component-Code"]) == (409, "state_outdated"), "the release before, again"


@pytest.mark.parametrize("place", ["token", "store"])
@pytest.mark.parametrize("apart", [-600, 600])
def test_workers_whose_clocks_are_ten_minutes_apart_serve_one_page_in_turn(
    place: Place, apart: int, store: StateStore
) -> None:
    first, second = worker(before, store, place), worker(before, store, place, 1.8e9 + apart)
    state = token(first.mount("cart"))
    for count, served in enumerate([second, first, second, first], 1):
        answer = send(served, "cart", state)
        assert f">{count}</p>" in body(answer)
        state = token(body(answer))


def test_a_record_that_was_evicted_is_answered_with_a_fresh_render_and_the_next_event_works(store: StateStore) -> None:
    served = worker(before, store)
    state = token(body(send(served, "cart", token(served.mount("cart")))))
    run_sync(store.delete(served._page.signer.open(state, "cart", "", None).record))
    answer = send(served, "cart", state)
    assert (answer.status, answer.headers["X-Component-Code"]) == (409, "state_expired")
    assert ">0</p>" in body(answer)
    assert ">1</p>" in body(send(served, "cart", token(body(answer))))


def test_a_store_that_was_rolled_back_to_an_older_copy_is_noticed(store: StateStore) -> None:
    served = worker(before, store)
    state = token(served.mount("cart"))
    record = served._page.signer.open(state, "cart", "", None).record
    older = run_sync(store.load(record))
    assert older is not None
    state = token(body(send(served, "cart", state)))
    run_sync(store.delete(record))
    assert run_sync(store.save(record, older.data, expected=0))
    assert send(served, "cart", state).status == 409


@pytest.mark.parametrize(
    "poison",
    [b"", b"null", b"[[]]", b"\x80\x04\x95pickle", b"cos\nsystem\n(S'true'\ntR.", b'{"__class__":"os"}', b"[" * 5000],
)
def test_a_poisoned_record_is_an_error_and_never_code(poison: bytes, store: StateStore) -> None:
    served = worker(before, store)
    state = token(served.mount("cart"))
    record = served._page.signer.open(state, "cart", "", None).record
    assert run_sync(store.save(record, poison, expected=1))
    answer = send(served, "cart", state)
    assert (answer.status, answer.headers["X-Component-Code"]) == (500, "failed")
    assert "Traceback" not in body(answer)
