"""What every test runs under. Fixtures live in the modules named by `pytest_plugins`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from blockbuster import BlockBuster

hypothesis.settings.register_profile("suite", deadline=None)  # a busy machine is no bug
hypothesis.settings.load_profile("suite")

pytest_plugins = ["tests.backends.redis_server"]

# Each reads a file once and keeps what it read: the loop waits for the disk at most once per file and process.
MAY_BLOCK = {
    "importlib._bootstrap>": {"_find_and_load"},
    "importlib._bootstrap_external>": {"get_data", "path_stats"},
    "jinja2/loaders.py": {"get_source", "uptodate"},
    "jinjax/catalog.py": {"get_component", "get_source", "_get_from_file"},
    "django/template/loaders/filesystem.py": {"get_contents"},
    "component_framework/core/assets.py": {"find", "_names"},
    "redis/utils.py": {"get_lib_version"},
    "linecache.py": {"updatecache", "checkcache"},
    "component_framework/core/pieces.py": {
        "_leave"
    },  # when an engine is thrown away, which only tests do while a loop runs
    "component_framework/exchange.py": {"wait"},  # a test that runs on a loop and drives a page waits for its answer
}


def pytest_report_header() -> str:
    import component_framework

    return f"component_framework: {Path(component_framework.__file__).parent}"


def pytest_sessionstart() -> None:
    """Under tox the wheel is what is tested: a wheel that lacks a file must not pass because the checkout has it."""
    import component_framework

    if "TOX_ENV_DIR" in os.environ and not Path(component_framework.__file__).is_relative_to(sys.prefix):
        raise pytest.UsageError(f"{component_framework.__file__} is not the installed wheel's")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """A call of component_framework, or of what it calls, that blocks a running event loop raises BlockingError."""
    guard = BlockBuster(["component_framework"])
    for function in guard.functions.values():
        for filename, names in MAY_BLOCK.items():
            function.can_block_in(filename, names)
    guard.activate()
    yield guard
    guard.deactivate()
