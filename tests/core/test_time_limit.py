"""A time limit for many waiting tasks behaves as asyncio.timeout() does for each."""

import asyncio
import gc
import time
import weakref
from typing import Any

import pytest

from component_framework.core.time_limit import TimeLimit


async def within(limit: TimeLimit, work: Any) -> str:
    """What becomes of awaiting `work` in the limit."""
    waiting = limit.begin()
    try:
        await work
    except asyncio.CancelledError as exc:
        if waiting.ran_out(exc):
            return "too late"
        raise
    finally:
        limit.end(waiting)
    return "in time"


async def test_what_is_done_in_time_is_left_alone() -> None:
    limit = TimeLimit(0.05)
    assert await within(limit, asyncio.sleep(0)) == "in time"
    await asyncio.sleep(0.1)  # past the limit: nothing is cancelled any more
    assert await within(limit, asyncio.sleep(0)) == "in time"


async def test_each_task_has_its_own_end_although_there_is_one_timer() -> None:
    limit, loop = TimeLimit(0.1), asyncio.get_running_loop()
    begun = loop.time()
    ended: dict[int, float] = {}

    async def wait(number: int) -> str:
        await asyncio.sleep(number * 0.03)
        result = await within(limit, loop.create_future())
        ended[number] = loop.time() - begun
        return result

    assert await asyncio.gather(*map(wait, range(5))) == ["too late"] * 5
    assert all(0.1 + number * 0.03 - 0.01 <= ended[number] for number in range(5))
    assert list(ended) == [0, 1, 2, 3, 4]


async def test_a_task_that_somebody_else_cancels_is_cancelled() -> None:
    limit = TimeLimit(10)
    task = asyncio.ensure_future(within(limit, asyncio.get_running_loop().create_future()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_that_is_cancelled_just_when_its_time_is_over_is_cancelled() -> None:
    limit, loop = TimeLimit(0.01), asyncio.get_running_loop()
    task = asyncio.ensure_future(within(limit, loop.create_future()))
    await asyncio.sleep(0)
    loop.call_at(loop.time() + 0.01, task.cancel)
    loop.call_later(0.005, lambda: time.sleep(0.02))  # both come due in the same turn of the loop
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_goes_on_after_its_time_was_over() -> None:
    limit = TimeLimit(0.01)
    task = asyncio.ensure_future(within(limit, asyncio.get_running_loop().create_future()))
    assert await task == "too late"
    assert task.cancelling() == 0


async def test_a_limit_is_kept_by_nobody_once_its_timer_has_run() -> None:
    limit = TimeLimit(0.01)
    await asyncio.gather(*(within(limit, asyncio.sleep(0)) for _ in range(100)))
    known = weakref.ref(limit)
    del limit
    await asyncio.sleep(0.03)
    gc.collect()
    assert known() is None
