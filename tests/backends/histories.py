"""What clients sent and heard, and whether a stored counter's history agrees with it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

Send = Callable[[str], bool]
"""Sends the event of this name until it is acknowledged; False if it never was."""


def run_clients(send: Send, clients: int, events: int, *, at_half: Callable[[], None]) -> list[str]:
    """Let `clients` send `events` each, one after the other; `at_half` happens in the middle. The acknowledged names."""
    reached = threading.Semaphore(0)

    def client(number: int) -> list[str]:
        acknowledged = []
        for event in range(events):
            name = f"{number}-{event}"
            if send(name):
                acknowledged.append(name)
            reached.release()
        return acknowledged

    with ThreadPoolExecutor(clients) as threads:
        running = [threads.submit(client, number) for number in range(clients)]
        for _ in range(clients * events // 2):
            assert reached.acquire(timeout=30)
        at_half()
        return [name for one in running for name in one.result(60)]


def require_exactly_once(history: Iterable[str], acknowledged: Iterable[str]) -> None:
    """Every acknowledged event is in `history` once, nothing is in it twice, and each client's are in its order."""
    seen = Counter(history)
    assert not {name for name, count in seen.items() if count > 1}, "applied twice"
    assert not set(acknowledged) - seen.keys(), "acknowledged and lost"
    order: dict[str, int] = {}
    for name in history:
        client, _, number = name.partition("-")
        assert int(number) > order.get(client, -1), f"{name} came after a later one of its client"
        order[client] = int(number)
