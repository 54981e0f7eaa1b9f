"""Asynchronous code that is driven with no event loop, in a thread that may have one all the same."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from component_framework.core.errors import ConfigurationError
from component_framework.core.lifecycle import run_sync


async def waits() -> AsyncIterator[int]:
    yield 1
    await asyncio.sleep(0)
    yield 2


async def total() -> int:
    return sum([number async for number in waits()])


async def test_what_has_to_wait_is_refused_and_leaves_the_running_loop_nothing_to_complain_of() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    with pytest.raises(ConfigurationError, match="async_mount"):
        run_sync(total())
    gc.collect()
    for _ in range(3):
        await asyncio.sleep(0)  # time for the loop to close what it knows of
    assert complaints == []
