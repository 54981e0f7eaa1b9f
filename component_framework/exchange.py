"""How `testing` asks an engine: files are read, what waits is waited for, and bugs are not lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from msgspec.structs import replace

from .core.engine import Engine
from .core.errors import RequestError
from .core.intake import intake_for
from .core.request import HttpRequest
from .core.running import iter_sync
from .core.uploads import release
from .core.wire import Reply

T = TypeVar("T")


def ask(engine: Engine, request: HttpRequest, *, raises: bool) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer, a stream read to its end; raises what a component raised, if asked to."""
    form, refused = None, None
    try:
        if (intake := intake_for(engine, request)) is not None:
            form = intake.read([request.body])
    except RequestError as exc:
        refused = exc
    request = replace(request, body=b"" if form is not None else request.body, form=form, refused=refused)
    try:
        with _bugs() as bugs:
            answer = _answer(engine, request)
    finally:
        release(form)
    if bugs and raises:
        raise bugs[0]
    return answer


def wait(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, from an event loop of its own; in a thread of its own, too, where a test runs on one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, asyncio.run, work).result()


def _answer(engine: Engine, request: HttpRequest) -> tuple[int, dict[str, str], bytes]:
    if engine.waits(request.component):
        return wait(_awaited(engine, request))
    reply = engine.answer_sync(request)
    body = reply.body if isinstance(reply.body, bytes) else b"".join(iter_sync(reply.body))
    return reply.status, dict(reply.headers), body


async def _awaited(engine: Engine, request: HttpRequest) -> tuple[int, dict[str, str], bytes]:
    reply: Reply = await engine.answer(request)
    body = reply.body if isinstance(reply.body, bytes) else b"".join([chunk async for chunk in reply.body])
    return reply.status, dict(reply.headers), body


@contextmanager
def _bugs() -> Iterator[list[BaseException]]:
    """What components raise meanwhile: the engine logs it, and answers 500."""
    found: list[BaseException] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR and record.exc_info and record.exc_info[1] is not None:
                found.append(record.exc_info[1])

    logger, listener = logging.getLogger("component_framework"), Listener()
    logger.addHandler(listener)
    try:
        yield found
    finally:
        logger.removeHandler(listener)
