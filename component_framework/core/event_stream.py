"""Frames as the messages of an event stream, and what the log hears when they, or a whole answer, come to nothing."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncGenerator

from .errors import Failed, RequestError
from .wire import Call, Frame, sse_error, sse_frame

logger = logging.getLogger("component_framework")


class EventStream:
    """The messages of a stream whose first frame is there: closing it closes the handler, even if nobody began to read.

    The generator alone could not: one that was never begun has no `finally`.
    """

    def __init__(self, call: Call, first: Frame, steps: AsyncGenerator[Frame, None]) -> None:
        self._messages = _messages(call, first, steps)
        self._steps = steps

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        return self._messages

    async def __anext__(self) -> bytes:
        return await anext(self._messages)

    async def aclose(self) -> None:
        await self._messages.aclose()
        await self._steps.aclose()


async def _messages(call: Call, first: Frame, steps: AsyncGenerator[Frame, None]) -> AsyncGenerator[bytes, None]:
    try:
        yield sse_frame(first, call.envelope)
        async for frame in steps:
            yield sse_frame(frame, call.envelope)
    except RequestError as exc:
        yield sse_error(exc, log_refusal(call, exc), call.envelope)
    except Exception as exc:  # as in Engine.handle: the stream ends properly, with the id under which it was logged
        yield sse_error(Failed(), log_failure(call, exc), call.envelope)
    finally:
        await steps.aclose()


def log_refusal(call: Call, error: RequestError) -> str:
    """One line for a refused call, with nothing in it that could forge another; returns its id."""
    error_id = secrets.token_hex(4)
    logger.info(
        "refused %r event=%r: %s %s %r",
        call.component[:100],
        (call.event or "")[:100],
        error.code,
        error_id,
        str(error)[:500],
    )
    return error_id


def log_failure(call: Call, error: Exception) -> str:
    """The traceback of what a component, a template or a backend raised; returns the id under which it is in the log."""
    error_id = secrets.token_hex(4)
    logger.error("failed %r event=%r: %s", call.component[:100], call.event, error_id, exc_info=error)
    return error_id
