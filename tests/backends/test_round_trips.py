"""What an event on stored state costs in Redis: one round trip to load, one to save."""

from __future__ import annotations

from typing import Any

from component_framework.core.lifecycle import run_sync
from component_framework.core.wire import Call
from tests.backends.counter_app import engine
from tests.backends.redis_server import RedisServer
from tests.backends.test_two_workers import mounted


def test_an_event_on_stored_state_takes_two_round_trips(redis_server: RedisServer) -> None:
    state = mounted(redis_server)
    served = engine(redis_server.url)
    client = served._store._client()  # type: ignore[union-attr]  # a RedisStateStore
    sent: list[str] = []
    execute = client.execute_command

    def noted(*words: Any, **options: Any) -> Any:
        sent.append(words[0])
        return execute(*words, **options)

    client.execute_command = noted
    answer = run_sync(served.handle(Call(component="tally", event="add", payload={"name": "x"}, state=state)))
    assert answer.status == 200
    assert sent == ["EVAL", "EVAL"]
