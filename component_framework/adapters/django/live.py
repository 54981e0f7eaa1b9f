"""The connections of pages, under ASGI: the event stream as a view, the WebSocket through Django's middleware."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from copy import copy
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.signals import user_logged_out
from django.db import close_old_connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from ...core.asgi import offload as to_thread
from ...core.asgi_live import Renew, asked_for, refused, serve_socket
from ...core.component import Context
from ...core.engine import Engine
from ...core.errors import NotFound, Unauthenticated
from ...core.live import Live
from ...core.origin import require_same_origin
from ...core.session import Session
from ...core.transport import StreamTransport
from ...core.wire import Reply, stream_headers
from .conf import get_engine, identify
from .requests import read_headers, request_context
from .transactions import atomic_aliases, roll_back


@login_not_required  # here and below: who may hear what is decided for each component, as for every event
@csrf_exempt  # the session's token does what a CSRF token would; the origin is checked as well
def no_live(request: HttpRequest) -> HttpResponseBase:
    """Under WSGI a page's connection would keep a worker for itself: there is none."""
    return _answer(refused(NotFound("pushes need ASGI")))


@login_not_required
@csrf_exempt
async def live(request: HttpRequest) -> HttpResponseBase:
    """`GET live` and `POST live`."""
    engine = get_engine()
    here = engine.live(offload)
    try:
        context = await offload(_context, engine, request)
        if request.method == "POST":
            await here.post(context, await offload(request.read, engine.limits.body + 1))
            return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
        if request.method != "GET":
            return HttpResponse(
                "Method Not Allowed", status=405, headers={"Allow": "GET, POST"}, content_type="text/plain"
            )
        token, last = asked_for(request.META.get("QUERY_STRING", ""), request.headers.get("Last-Event-ID", ""))
        session = await here.enter(context, token)
    except Exception as exc:  # answered as any other refusal, or as a failure that is logged
        return _answer(refused(exc))

    async def renew() -> Context:
        now: Context = await offload(_renewed, engine, request, context)
        return now

    headers = {**stream_headers(), "Content-Encoding": "identity"}  # else GZipMiddleware holds messages back
    return StreamingHttpResponse(_stream(here, session, last, renew), headers=headers)


@login_not_required
@csrf_exempt
async def socket(request: HttpRequest) -> HttpResponseBase:
    """The handshake of a WebSocket; `asgi.get_asgi_application()` does the rest."""
    if not getattr(request, "is_handshake", False):
        return _answer(refused(NotFound("this address is for a WebSocket")))
    return SocketResponse(get_engine(), request, await offload(_known, get_engine(), request))


class SocketResponse(HttpResponse):
    """Says that a handshake has passed all middleware, and who is there."""

    def __init__(self, engine: Engine, request: HttpRequest, context: Context) -> None:
        super().__init__()
        self.engine = engine
        self.request = request
        self.context = context

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket until it ends; its visitor is looked at anew before each event."""

        async def renew() -> Context:
            context: Context = await offload(_renewed, self.engine, self.request, self.context)
            return context

        await serve_socket(self.engine, scope, receive, send, lambda: self.context, run_off_loop=offload, renew=renew)


async def offload(function: Callable[..., Any], /, *args: Any) -> Any:
    """Run `function` in a worker thread, with a database connection that is still good, and in ATOMIC_REQUESTS' transactions."""
    return await to_thread(_with_database, function, *args)


def _with_database(function: Callable[..., Any], *args: Any) -> Any:
    close_old_connections()
    for alias in atomic_aliases():
        function = transaction.atomic(using=alias)(function)
    try:
        value = function(*args)
        if isinstance(value, Reply) and value.status >= 500:
            roll_back()
        return value
    finally:
        close_old_connections()


async def _stream(here: Live, session: Session, last: int, renew: Renew) -> AsyncIterator[bytes]:
    transport = StreamTransport()
    serving = here.keep(here.run(session, transport, last=last, renew=renew))
    body = transport.body()
    try:
        async for chunk in body:
            yield chunk
    finally:
        await body.aclose()
        await serving


def _context(engine: Engine, request: HttpRequest) -> Context:
    require_same_origin(read_headers(request.META), engine.trusted_origins)
    return request_context(engine, request)


def _known(engine: Engine, request: HttpRequest) -> Context:
    return request_context(engine, request)


def _renewed(engine: Engine, request: HttpRequest, before: Context) -> Context:
    """Who is at the tab now; raises Unauthenticated when that is not who opened it."""
    session = getattr(request, "session", None)
    if session is None:
        return before
    now = copy(request)
    now.session = import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)
    now.user = get_user(now)
    context = request_context(engine, now)
    if context.identity != before.identity:
        raise Unauthenticated("the login of this page has ended")
    return context


def _answer(reply: Reply) -> HttpResponse:
    assert isinstance(reply.body, bytes)
    return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))


def _end_of_login(request: Any, user: Any, **kwargs: Any) -> None:
    """Close what a login has open: a promise that cannot wait for the next event."""
    context = Context(user=user, session=getattr(request, "session", None))
    identity = identify(context) if user is not None else None
    if identity:
        get_engine().log_out_sync(Context(identity=identity))


user_logged_out.connect(_end_of_login)
