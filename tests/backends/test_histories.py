"""Faults in the middle of many clients' events: every acknowledged event is applied exactly once, in its client's order."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen

import httpx
import pytest

from tests.backends.histories import require_exactly_once, run_clients
from tests.backends.redis_server import RedisServer
from tests.backends.test_two_workers import add, history, mounted, worker
from tests.servers import TIMEOUT, free_port, server_process

CLIENTS, EVENTS = 20, 6


def test_the_checker_finds_what_is_lost_doubled_and_out_of_order() -> None:
    require_exactly_once(["0-0", "1-0", "0-1"], ["0-0", "0-1"])
    for wrong in (["0-0"], ["0-0", "0-1", "0-1"], ["0-1", "0-0"]):
        with pytest.raises(AssertionError):
            require_exactly_once(wrong, ["0-0", "0-1"])


def test_a_redis_killed_in_the_middle_loses_nothing_that_was_acknowledged(durable_redis: RedisServer) -> None:
    state = mounted(durable_redis)

    def crash() -> None:
        durable_redis.kill()
        durable_redis.start()

    with ExitStack() as stack:
        addresses = [stack.enter_context(worker(durable_redis))[0] for _ in range(2)]
        acknowledged = run_clients(lambda name: add(addresses, state, name), CLIENTS, EVENTS, at_half=crash)
        assert len(acknowledged) == CLIENTS * EVENTS, "service comes back by itself"
        require_exactly_once(history(durable_redis), acknowledged)


@contextmanager
def granian_worker(redis: RedisServer, **environment: str) -> Iterator[tuple[str, Popen[bytes]]]:
    port = free_port()
    command = ["granian", "--interface", "asgi", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    app = "tests.backends.counter_app:app"
    with server_process(*command, app, port=port, REDIS=redis.url, **environment) as process:
        yield f"http://127.0.0.1:{port}", process


def test_a_rolling_restart_under_load_loses_nothing_and_shows_nobody_an_error(redis_server: RedisServer) -> None:
    state = mounted(redis_server)
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(redis_server)) for _ in range(2)]
        addresses = [address for address, _ in workers]

        def deploy() -> None:
            for number, (_, process) in enumerate(workers):
                process.send_signal(signal.SIGTERM)
                assert process.wait(TIMEOUT) in (0, -signal.SIGTERM)
                addresses[number] = stack.enter_context(worker(redis_server))[0]

        acknowledged = run_clients(lambda name: add(addresses, state, name), CLIENTS, EVENTS, at_half=deploy)
        assert len(acknowledged) == CLIENTS * EVENTS
        require_exactly_once(history(redis_server), acknowledged)


@pytest.mark.parametrize("serve", [worker, granian_worker], ids=["uvicorn", "granian"])
def test_an_event_that_runs_when_the_signal_comes_is_finished_and_answered(
    serve: Callable[..., AbstractContextManager[tuple[str, Popen[bytes]]]], redis_server: RedisServer, tmp_path: Path
) -> None:
    state = mounted(redis_server)
    begun = tmp_path / "begun"
    os.mkfifo(begun)

    def send(address: str) -> int:
        headers = {"HX-Request": "true", "X-Component-State": state, "X-Component-Event-Id": "slow"}
        path = f"{address}/components/tally?event=add_slowly"
        return httpx.post(path, data={"name": "0-0"}, headers=headers, timeout=20).status_code

    with serve(redis_server, BEGUN=str(begun)) as (address, process), ThreadPoolExecutor(1) as thread:
        answer = thread.submit(send, address)
        begun.read_text()
        process.send_signal(signal.SIGTERM)
        assert answer.result(20) == 200
        process.wait(TIMEOUT)
    require_exactly_once(history(redis_server), ["0-0"])
