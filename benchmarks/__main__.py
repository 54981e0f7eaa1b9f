"""Run every comparison and write the table of docs/performance.md: `make bench`."""

from __future__ import annotations

import asyncio
import gzip
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from component_framework.core import assets
from component_framework.core.lifecycle import run_sync
from component_framework.core.wire import Call

from . import forms, realtime, store, subject

ROUNDS = 7
EVENTS = 400
TURNS = 4
"""In how many turns the two sides of a round share the server: what else the machine does then hits both alike."""
CSRF = "c" * 32
HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "HX-Request": "true",
    "X-CSRFToken": CSRF,
    "Cookie": f"csrftoken={CSRF}",
    "Sec-Fetch-Site": "same-origin",
}
DOCUMENT = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/performance.md")


@dataclass(frozen=True)
class Row:
    """One line of the table; `ratios` are ours over theirs, a round each."""

    what: str
    goal: float
    ratios: list[float]
    rate: float | None = None
    """Our events per second over theirs, where a server was asked."""

    def __str__(self) -> str:
        middle = statistics.median(self.ratios)
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f}"
        rate = f"{self.rate:.2f}" if self.rate else ""
        return f"| {self.what} | {middle:.2f} | {spread} | {rate} | {self.goal:.2f} | {'yes' if middle <= self.goal else 'no'} |"


def main() -> None:
    rows = list(measure())
    table = "\n".join(map(str, rows))
    print(table)
    write(table)


def measure() -> Iterator[Row]:
    yield in_process()
    for name, app, hand, ours, goal in (
        ("POST on FastAPI, `async def`", "fastapi", "/hand", "async", 0.8),
        ("POST on FastAPI, `def`", "fastapi", "/hand-sync", "sync", 0.8),
        ("POST on Litestar, `async def`", "litestar", "/hand", "async", 0.8),
        ("POST on Starlette, `async def`", "starlette", "/hand", "async", 1.0),
        ("POST on Django, ASGI, `async def`", "django_asgi", "/hand", "async", 1.05),
        ("POST on Django, ASGI, `def`", "django_asgi", "/hand-sync", "sync", 1.05),
        ("POST on Django, WSGI, `def`", "django_wsgi", "/hand-sync", "sync", 1.05),
    ):
        yield over_http(name, app, hand, ours, goal)
    for name, ratios, rate in forms.compare(served, cpu, HEADERS, ROUNDS, EVENTS):
        yield Row(name, 1.25, ratios, rate)  # 0.8 of their events per second
    yield streamed()
    yield stored()
    yield from sockets()


def in_process() -> Row:
    """Restore, event, render and sign, without HTTP on either side."""
    token = subject.engine.mount("async")
    found = re.search('data-state="([^"]*)"', token)
    assert found is not None
    call = Call(component="async", event="increment", payload={"by": 5}, state=found[1])
    theirs = subject.hand_token()

    def ours() -> None:
        run_sync(subject.engine.handle(call))

    def hand() -> None:
        subject.increment(subject.restore(theirs), 5)

    ratios = [timed(ours) / timed(hand) for _ in range(ROUNDS)]
    return Row("in process: restore, event, render, sign", 1.1, ratios)


def timed(action: Callable[[], None], count: int = 3000) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        action()
    return time.perf_counter() - begun


def over_http(name: str, app: str, hand: str, ours: str, goal: float) -> Row:
    """CPU of the server per event, and events per second, over a kept connection on the loopback."""
    with served(app) as (process, port):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        token = first_token(connection, ours)
        targets = ((f"/components/{ours}?event=increment", token), (hand, subject.hand_token()))
        rounds = [
            [load(process, connection, path, state, events=EVENTS // TURNS) for path, state in targets]
            for _ in range(ROUNDS * TURNS + 1)
        ][1:]
    rate = statistics.median(theirs[1] / mine[1] for mine, theirs in rounds)
    return Row(name, goal, [mine[0] / theirs[0] for mine, theirs in rounds], rate)


def first_token(connection: HTTPConnection, component: str) -> str:
    connection.request("POST", f"/components/{component}", "", HEADERS)
    found = re.search('data-state="([^"]*)"', connection.getresponse().read().decode())
    assert found is not None
    return found[1]


def load(
    process: int,
    connection: HTTPConnection,
    path: str,
    state: str,
    shown: bytes | None = b"Count: 5",
    events: int = EVENTS,
) -> tuple[float, float]:
    """CPU seconds of the server and wall seconds for `events` events."""
    headers = {**HEADERS, "X-Component-State": state}
    before, begun = cpu(process), time.perf_counter()
    for _ in range(events):
        connection.request("POST", path, "by=5", headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:300]
        assert shown is None or shown in body
    return cpu(process) - before, time.perf_counter() - begun


def cpu(process: int) -> float:
    """Seconds of CPU that the process has used, those of threads that have ended too: asgiref starts one per request."""
    return time.clock_gettime((~process << 3) | 2)  # the clock that clock_getcpuclockid(3) names


def streamed() -> Row:
    """One streamed frame against a bare StreamingResponse that renders and signs the same."""
    frames = 400
    with served("starlette") as (process, port):
        ratios = []
        for _ in range(ROUNDS):
            mine = stream(process, port, "/components/async/stream?event=stream", f"frames={frames}")
            theirs = stream(process, port, f"/stream?frames={frames}", "")
            ratios.append(mine / theirs)
    return Row("a streamed frame on Starlette", 1.0, ratios)


def stream(process: int, port: int, path: str, body: str) -> float:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    before = cpu(process)
    connection.request("POST", path, body, HEADERS)
    text = connection.getresponse().read()
    assert text.count(b"Count: ") >= 399
    connection.close()
    return cpu(process) - before


def stored() -> Row:
    """Wall time per event with state in a Redis on this machine, over that with state in the page."""
    path = "/components/async?event=increment"
    with (
        store.redis_server() as url,
        served("starlette") as (first, page),
        served("stored", REDIS=url) as (second, kept),
    ):
        servers = [
            (process, HTTPConnection("127.0.0.1", port, timeout=30))
            for process, port in ((first, page), (second, kept))
        ]
        ratios = []
        for _ in range(ROUNDS * TURNS + 1):
            in_page, in_store = (load(*server, path, first_token(server[1], "async"), None)[1] for server in servers)
            ratios.append(in_store / in_page)
    return Row(
        "state in Redis over state in the page, time per event", 1 / 0.6, ratios[1:], 1 / statistics.median(ratios[1:])
    )


def sockets() -> Iterator[Row]:
    """Events over a WebSocket, publishing to a thousand pages, and the memory of an idle one."""
    with served("sockets") as (_, port):
        yield Row("an event over the WebSocket, time", 1 / 0.7, asyncio.run(realtime.events(port, ROUNDS)))
    with served("sockets") as (_, mine), served("sockets") as (_, bare):
        pushed, memory = asyncio.run(realtime.pages(mine, bare, ROUNDS))
    yield Row("a publish to 1,000 pages that show the same", 1.5, pushed)
    yield Row("memory of an idle page", 1.3, memory)


@contextmanager
def served(app: str, **environment: str) -> Iterator[tuple[int, int]]:
    """`app` on one worker of a server of its own; ended at the end."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    interface = ["--interface", "wsgi"] if app.endswith(("wsgi", "forms_django")) else []
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        f"benchmarks.apps:{app}",
        "--factory",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    if interface:
        command += interface
    process = subprocess.Popen(command, env={**os.environ, "PYTHONWARNINGS": "ignore", **environment})
    try:
        wait = threading.Event()
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            wait.wait(0.05)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(20)


def import_time() -> tuple[float, str]:
    """Milliseconds that the import takes over bare Python, and the frameworks that it imports."""
    script = "import time; t = time.perf_counter(); import component_framework, sys; print(time.perf_counter() - t)"
    # as after an installation: the first run compiles, and does not count
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        times = [float(subprocess.check_output([sys.executable, "-c", script], env=environment)) for _ in range(21)][1:]
    probe = "import component_framework, sys; print(*[m for m in ('django', 'fastapi', 'litestar', 'jinja2', 'redis') if m in sys.modules])"
    found = subprocess.check_output([sys.executable, "-c", probe], text=True).strip()
    return statistics.median(times) * 1000, found or "none"


def write(table: str) -> None:
    milliseconds, frameworks = import_time()
    size = len(gzip.compress((assets.DIRECTORY / "component.js").read_bytes(), 9))
    begin, end = "<!-- table -->", "<!-- end of table -->"
    head = "| what | server CPU, ours / by hand | spread | events per second, ours / by hand | goal | met |\n|---|---|---|---|---|---|"
    facts = (
        f"Importing `component_framework` took {milliseconds:.0f} ms (goal: 60) and imported these frameworks: {frameworks}. "
        f"`component.js` has {size} bytes gzipped (goal: 1024). Python {platform.python_version()}, {ROUNDS} rounds."
    )
    text = DOCUMENT.read_text()
    before, rest = text.split(begin)
    DOCUMENT.write_text(f"{before}{begin}\n{head}\n{table}\n\n{facts}\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    main()
