"""The view, for WSGI and for ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import copy_context
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ...core.engine import Engine
from ...core.lifecycle import iter_sync
from ...core.request import HttpRequest as Asked
from ...core.shutdown import UntilStopped, listen, stopping
from ...core.streaming import Steps, live_body
from ...core.wire import Reply
from .conf import get_engine
from .pump import Pump
from .requests import read_request
from .transactions import atomic_aliases, roll_back


async def offload(function: Callable[..., Any], /, *args: Any) -> Any:
    """Run `function` in the thread that Django keeps for its database connections."""
    return await sync_to_async(function, thread_sensitive=True)(*args)


@login_not_required  # here and below: read_request() asks instead, so that a refusal looks as on every framework
@csrf_exempt
@require_POST
def event(request: HttpRequest, name: str, *, stream: bool = False) -> HttpResponseBase:
    """One event, under WSGI."""
    engine = get_engine()
    asked = read_request(engine, request, name, stream=stream)
    if engine.waits(name) and engine.streams(asked):
        pump = Pump(engine, asked, offload)
        return _response(pump.reply, pump)
    reply = _answer(engine, asked)
    return _response(reply, None if isinstance(reply.body, bytes) else UntilStopped(iter_sync(reply.body)))


@login_not_required
@csrf_exempt
@require_POST
async def async_event(request: HttpRequest, name: str, *, stream: bool = False) -> HttpResponseBase:
    """One event, under ASGI."""
    listen()  # here, in the main thread: what is to be cleared away at the end is found out in another
    engine = get_engine()
    context = copy_context()
    waits = engine.waits(name)
    if waits and not atomic_aliases():
        reply = await engine.answer(await _read(engine, request, name, stream=stream), offload)
    else:  # all of it in one trip to the worker thread
        reply = await offload(
            context.run, _in_transactions(lambda: _answer(engine, read_request(engine, request, name, stream=stream)))
        )
    if isinstance(reply.body, bytes):
        return _response(reply, None)
    return _response(reply, live_body(reply.body if waits else Steps(reply.body, offload, context), stopping()))


for _alias in connections:
    transaction.non_atomic_requests(using=_alias)(async_event)  # Django has transactions for sync views only


def _answer(engine: Engine, asked: Asked) -> Reply:
    """The reply, made in the thread of the database connections; a component that waits does so on an event loop."""
    if engine.waits(asked.component):
        reply = async_to_sync(engine.answer)(asked, offload)
    else:
        reply = engine.answer_sync(asked)
    if reply.status >= 500:
        roll_back()
    return reply


async def _read(engine: Engine, request: HttpRequest, name: str, *, stream: bool) -> Asked:
    """The request; in a worker thread where its user may be fetched from the database, or its files are written."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES and request.content_type != "multipart/form-data":
        try:
            return read_request(engine, request, name, stream=stream)
        except SynchronousOnlyOperation:
            pass  # a user that is known by something else than a session
    asked: Asked = await offload(lambda: read_request(engine, request, name, stream=stream))
    return asked


def _response(reply: Reply, body: Iterator[bytes] | AsyncIterator[bytes] | None) -> HttpResponseBase:
    if isinstance(reply.body, bytes):
        return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))
    headers = {**reply.headers, "Content-Encoding": "identity"}  # else GZipMiddleware holds frames back
    return StreamingHttpResponse(body or (), status=reply.status, headers=headers)


def _in_transactions(function: Callable[[], Reply]) -> Callable[[], Reply]:
    """`function` in the transactions that ATOMIC_REQUESTS promises."""
    for alias in atomic_aliases():
        function = transaction.atomic(using=alias)(function)
    return function
