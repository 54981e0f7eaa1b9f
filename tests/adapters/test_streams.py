"""Streams on real servers: frame by frame, closed when the visitor leaves, ended when the server is told to stop."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.servers import free_port, server_process

APPS = ("starlette", "fastapi", "litestar", "django")
SERVERS = ("uvicorn", "granian")
TOKEN = "a" * 32  # Django's CSRF check wants the header to match the cookie
HEADERS = {"HX-Request": "true", "X-CSRFToken": TOKEN, "Cookie": f"csrftoken={TOKEN}"}


@contextmanager
def served(server: str, app: str, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    log.touch()
    port = free_port()
    target = f"tests.adapters.stream_apps:{app}"
    options = ["--interface", "asgi"] if server == "granian" else ["--lifespan", "off"]
    command = [server, target, "--factory", "--host", "127.0.0.1", "--port", str(port), *options]
    with server_process(*command, port=port, LOG=str(log)) as process:
        yield f"http://127.0.0.1:{port}", process


def messages(lines: Iterator[str]) -> Iterator[str]:
    """The first line of every message with a version."""
    return (line for line in lines if line.startswith("id: "))


def await_line(log: Path, text: str) -> None:
    waiting = threading.Event()
    for _ in range(200):
        if text in log.read_text().splitlines():
            return
        waiting.wait(0.05)
    raise AssertionError(f"{text!r} is not in the log: {log.read_text()!r}")


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize(("component", "event"), [("endless", "async"), ("endless", "sync"), ("lines", "sync")])
def test_frames_leave_one_by_one_and_the_handler_is_closed_when_the_visitor_leaves(
    server: str, app: str, component: str, event: str, tmp_path: Path
) -> None:
    with served(server, app, tmp_path / "log") as (address, _):
        url = f"{address}/components/{component}/stream?event={event}"
        with httpx.stream("POST", url, headers=HEADERS, timeout=20) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            frames = messages(answer.iter_lines())
            next(frames)  # the handler has not ended: it never does
            next(frames)
        await_line(tmp_path / "log", f"{event} closed")


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize(("component", "event"), [("endless", "async"), ("lines", "sync")])
def test_a_server_that_is_told_to_stop_ends_its_open_streams(
    server: str, app: str, component: str, event: str, tmp_path: Path
) -> None:
    with served(server, app, tmp_path / "log") as (address, process):
        url = f"{address}/components/{component}/stream?event={event}"
        with httpx.stream("POST", url, headers=HEADERS, timeout=20) as answer:
            frames = messages(answer.iter_lines())
            next(frames)
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        assert f"{event} closed" in (tmp_path / "log").read_text()
