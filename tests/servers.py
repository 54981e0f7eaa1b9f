"""Real servers for tests: in a thread of this process, or a process of their own; on the loopback, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn

from component_framework.core import shutdown

TIMEOUT = 20.0
"""Seconds that a server has to come up, or to go."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def uvicorn_thread(app: Any) -> Iterator[str]:
    """`app` on uvicorn in a thread; gives its address."""
    server = _Server(uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.ready.wait(TIMEOUT), "uvicorn did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        shutdown.stop()  # the signal that a server in a thread never gets
        server.should_exit = True
        thread.join(TIMEOUT)


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def wsgi_thread(app: Any) -> Iterator[str]:
    """`app` on a threaded WSGI server; gives its address."""
    server = make_server("127.0.0.1", 0, app, server_class=_ThreadedServer, handler_class=_SilentHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(TIMEOUT)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server_process(*command: str, port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process of its own, once it accepts connections on `port`; it is ended if it has not ended itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env={**os.environ, "PYTHONPATH": os.getcwd(), **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await_port(process, port)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT)


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    waiting = threading.Event()
    for _ in range(int(TIMEOUT / 0.05)):
        assert process.poll() is None, f"the server ended with {process.returncode}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        waiting.wait(0.05)
    raise AssertionError("the server did not listen")
