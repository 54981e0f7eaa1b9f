"""Real servers on 127.0.0.1, for the length of a `with` block: in a thread of this process, or in one of their own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Literal
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn

from component_framework.core import shutdown

HOST = "127.0.0.1"
START_SECONDS = 20.0
STOP_SECONDS = 10.0

Kind = Literal["uvicorn", "granian", "granian-wsgi"]


class ThreadedUvicorn(uvicorn.Server):
    """Tells when it serves, and when it never will."""

    def __init__(self, app: Any) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.settled.set()

    def serve_on(self, listener: socket.socket) -> None:
        try:
            self.run(sockets=[listener])
        except SystemExit:
            pass  # how uvicorn ends when the lifespan failed: `started` then stays False
        finally:
            self.settled.set()


@contextmanager
def uvicorn_thread(app: Any) -> Iterator[str]:
    """The base URL of an ASGI application, its lifespan included. Streams that are still open end with the block."""
    listener = socket.create_server((HOST, 0))
    server = ThreadedUvicorn(app)
    thread = threading.Thread(target=server.serve_on, args=[listener], name="uvicorn")
    thread.start()
    try:
        if not server.settled.wait(START_SECONDS) or not server.started:
            raise RuntimeError("uvicorn did not start; its log says why")
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        shutdown.stop()
        thread.join(STOP_SECONDS)
        listener.close()


class ThreadedWsgi(ThreadingMixIn, WSGIServer):
    """A thread per request, so that an open stream does not stop the others."""

    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Requests are what the tests are made of: nobody reads a log of them."""


@contextmanager
def wsgi_thread(app: Any) -> Iterator[str]:
    """The base URL of a WSGI application. Every chunk that the application yields is sent at once."""
    server = make_server(HOST, 0, app, server_class=ThreadedWsgi, handler_class=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], name="wsgi")
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(STOP_SECONDS)
        server.server_close()


@dataclass(frozen=True)
class ServerProcess:
    """A server in a process group of its own, which can be told to stop while it works."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def terminate(self) -> int:
        """Send SIGTERM and give the exit code. Raises `subprocess.TimeoutExpired` after ten seconds."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)


@contextmanager
def server_process(kind: Kind, target: str, env: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """Serve `target` ("package.module:name", found in the checkout) from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        log, port = Path(folder, "log"), free_port()
        # -P and the empty folder keep the checkout's component_framework away from the installed one.
        command = [sys.executable, "-P", str(Path(__file__).with_name("serve.py")), kind, target, str(port)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, env={**os.environ, **(env or {})}, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        try:
            wait_until_listening(process, port, log)
            yield ServerProcess(f"http://{HOST}:{port}", process, log)
        finally:
            stop_group(process)


def uvicorn_process(target: str, env: Mapping[str, str] | None = None) -> Any:
    """`server_process` with uvicorn."""
    return server_process("uvicorn", target, env)


def granian_process(target: str, env: Mapping[str, str] | None = None) -> Any:
    """`server_process` with granian's ASGI interface."""
    return server_process("granian", target, env)


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the server, then SIGKILL to whatever is left of its group."""
    try:
        process.terminate()
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # the usual case: nothing is left
        process.wait()
