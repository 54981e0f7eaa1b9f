"""The view, for WSGI and for ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ...core.engine import Engine
from ...core.lifecycle import iter_sync
from ...core.shutdown import stopping
from ...core.streaming import Steps, live_body
from ...core.wire import Reply
from .conf import get_engine
from .requests import read_request


async def offload(function: Any, /, *args: Any) -> Any:
    """Run `function` in the thread that Django keeps for its database connections."""
    return await sync_to_async(function, thread_sensitive=True)(*args)


@csrf_exempt  # read_request() asks Django's own check, so that a refusal looks as on every framework
@require_POST
def event(request: HttpRequest, name: str, *, stream: bool = False) -> HttpResponseBase:
    """One event, under WSGI."""
    engine = get_engine()
    asked = read_request(engine, request, name, stream=stream)
    if not engine.waits(name):
        reply = engine.answer_sync(asked)
        return _response(reply, iter_sync(reply.body) if not isinstance(reply.body, bytes) else None)
    if not _streams(asked):
        return _response(async_to_sync(engine.answer)(asked, offload), None)
    runner = asyncio.Runner()
    reply = runner.run(engine.answer(asked, asyncio.to_thread))
    if isinstance(reply.body, bytes):
        runner.close()
        return _response(reply, None)
    return _response(reply, _pump(runner, reply.body))


@csrf_exempt
@require_POST
async def async_event(request: HttpRequest, name: str, *, stream: bool = False) -> HttpResponseBase:
    """One event, under ASGI."""
    engine = get_engine()
    if engine.waits(name):
        reply = await engine.answer(await _read(engine, request, name, stream=stream), offload)
        body = reply.body
    else:  # all of it in one trip to the worker thread
        context = copy_context()
        reply = await offload(
            context.run, lambda: engine.answer_sync(read_request(engine, request, name, stream=stream))
        )
        body = reply.body if isinstance(reply.body, bytes) else Steps(reply.body, offload, context)
    return _response(reply, None if isinstance(body, bytes) else live_body(body, stopping()))


async def _read(engine: Engine, request: HttpRequest, name: str, *, stream: bool) -> Any:
    """The request; in a worker thread where its session may have to be fetched from the database."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        return await offload(lambda: read_request(engine, request, name, stream=stream))
    return read_request(engine, request, name, stream=stream)


def _streams(asked: Any) -> bool:
    return asked.stream or "text/event-stream" in asked.headers.get("accept", "")


def _response(reply: Reply, body: Iterator[bytes] | AsyncIterator[bytes] | None) -> HttpResponseBase:
    if reply.status >= 500:
        _roll_back()
    if isinstance(reply.body, bytes):
        return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))
    return StreamingHttpResponse(body or (), status=reply.status, headers=dict(reply.headers))


def _roll_back() -> None:
    """With ATOMIC_REQUESTS, undo what a failed handler wrote: Django sees only an answer, not the exception."""
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            transaction.set_rollback(True, using=connection.alias)


def _pump(runner: asyncio.Runner, body: AsyncIterator[bytes]) -> Iterator[bytes]:
    """The frames of an async component one by one, on an event loop of this stream's own."""
    try:
        while chunk := runner.run(_step(body)):
            yield chunk
    finally:
        runner.run(body.aclose())  # type: ignore[attr-defined]  # an async generator
        runner.close()


async def _step(body: AsyncIterator[bytes]) -> bytes:
    return await anext(body, b"")
