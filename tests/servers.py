"""Real servers for tests: in a thread of this process, or a process of their own; on the loopback, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import ThreadingMixIn
from typing import IO, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn

from component_framework.core import shutdown

TIMEOUT = 20.0
"""Seconds that a server has to come up, or to go."""


class _Server(uvicorn.Server):
    """Tells when it serves, and when it never will."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()

    def serve_until_told(self) -> None:
        """`run()` for a thread of its own."""
        try:
            self.run()
        except SystemExit:
            pass  # how uvicorn ends when the lifespan fails: `started` then stays False
        finally:
            self.settled.set()


@contextmanager
def uvicorn_thread(app: Any, *, ws: str = "none") -> Iterator[str]:
    """`app` on uvicorn in a thread; gives its address."""
    server = _Server(uvicorn.Config(app, port=0, log_level="error", ws=ws, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.serve_until_told, daemon=True)
    thread.start()
    assert server.settled.wait(TIMEOUT) and server.started, "uvicorn did not start"  # noqa: PT018
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        shutdown.stop()  # the signal that a server in a thread never gets
        server.should_exit = True
        thread.join(TIMEOUT)


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


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
    """A server in a process group of its own, once it listens on `port`. What is left of it at the end is killed."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env={**os.environ, "PYTHONPATH": os.getcwd(), **environment},
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            _await_port(process, port, log)
            yield process
        finally:
            with suppress(ProcessLookupError):  # it has ended by itself, with its workers
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(TIMEOUT)


@contextmanager
def granian_process(target: str, interface: str = "asgi", **environment: str) -> Iterator[str]:
    """`target` ("module:name") on granian, in a process of its own; gives its address."""
    port = free_port()
    command = ["granian", "--interface", interface, "--host", "127.0.0.1", "--port", str(port), target]
    with server_process(*command, port=port, **environment):
        yield f"http://127.0.0.1:{port}"


def _await_port(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    waiting = threading.Event()
    for _ in range(int(TIMEOUT / 0.05)):
        assert process.poll() is None, f"the server ended with {process.returncode}:\n{_text(log)}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        waiting.wait(0.05)
    raise AssertionError(f"the server did not listen:\n{_text(log)}")


def _text(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")
