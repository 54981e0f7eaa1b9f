"""`GET live`, `POST live` and the WebSocket `ws` as plain ASGI applications."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from .asgi import (
    Reader,
    Receive,
    Scope,
    Send,
    header_pairs,
    offload,
    read_body,
    read_headers,
    scope_context,
    send_reply,
)
from .component import Context
from .engine import Engine
from .errors import Failed, RequestError, StateInvalid, Unavailable
from .event_stream import log_failure, log_refusal
from .origin import require_same_origin
from .transport import POLICY, TRY_LATER, AsgiStreamTransport, SocketTransport
from .wire import Call, Reply, refusal

logger = logging.getLogger("component_framework")

Renew = Callable[[], Awaitable[Context]]


class LiveEndpoint:
    """The page's event stream, and what the page posts because a stream goes one way."""

    def __init__(self, engine: Engine, *, make_request: Callable[[Any, Any], Any], read: Reader = read_body) -> None:
        self.engine = engine
        self.make_request = make_request
        self.read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET":
            await self._stream(scope, receive, send)
        elif scope["method"] == "POST":
            await self._post(scope, receive, send)
        else:
            await send_reply(
                Reply(405, {"Allow": "GET, POST", "Content-Type": "text/plain"}, b"Method Not Allowed"), receive, send
            )

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        live = self.engine.live(offload)
        token, last = asked_for(scope["query_string"].decode("latin-1"), _last_event_id(scope))
        try:
            context = self._context(scope, receive)
            session = await live.enter(context, token)
        except Exception as exc:  # answered as any other refusal, or as a failure that is logged
            await send_reply(refused(exc), receive, send)
            return
        transport = AsgiStreamTransport(receive, send)
        await transport.accept(header_pairs)
        await live.run(session, transport, last=last)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        live = self.engine.live(offload)
        try:
            body = await self.read(scope, receive, self.engine.limits)
            if not isinstance(body, bytes):
                raise body if isinstance(body, RequestError) else StateInvalid("messages are JSON")
            await live.post(self._context(scope, receive), body)
        except Exception as exc:  # answered as any other refusal, or as a failure that is logged
            await send_reply(refused(exc), receive, send)
        else:
            await send_reply(Reply(204, {"Cache-Control": "no-store"}, b""), receive, send)

    def _context(self, scope: Scope, receive: Receive) -> Context:
        require_same_origin(read_headers(scope["headers"]), self.engine.trusted_origins)
        return scope_context(self.engine, scope, self.make_request(scope, receive))


class SocketEndpoint:
    """The WebSocket: events up, frames down, and everything that the event stream has."""

    def __init__(self, engine: Engine, *, make_request: Callable[[Any, Any], Any]) -> None:
        self.engine = engine
        self.make_request = make_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await serve_socket(self.engine, scope, receive, send, lambda: self._context(scope, receive))

    def _context(self, scope: Scope, receive: Receive) -> Context:
        return scope_context(self.engine, scope, self.make_request(scope, receive))


async def serve_socket(
    engine: Engine,
    scope: Scope,
    receive: Receive,
    send: Send,
    find_context: Callable[[], Context],
    *,
    run_off_loop: Any = offload,
    renew: Renew | None = None,
) -> None:
    """Serve the WebSocket of `scope`: a foreign page is refused at the handshake, a visitor too many with 1013."""
    transport = SocketTransport(receive, send)
    try:
        require_same_origin(read_headers(scope["headers"]), engine.trusted_origins)
        context = find_context()
    except RequestError as exc:
        refused(exc)
        await receive()
        await transport.close(POLICY)  # before it is accepted: the handshake is answered 403
        return
    live = engine.live(run_off_loop)
    token, last = asked_for(scope["query_string"].decode("latin-1"), "")
    try:
        session = await live.enter(context, token)
    except Unavailable as exc:
        refused(exc)
        await transport.accept()
        await transport.close(TRY_LATER, exc.code)
        return
    await transport.accept()
    await live.run(session, transport, last=last, renew=renew, answers=True)


def asked_for(query: str, last_event_id: str) -> tuple[str | None, int]:
    """The session and the last message that a page says it had; what is no number is none."""
    values = parse_qs(query, max_num_fields=10)
    last = last_event_id or values.get("last_id", ["0"])[-1]
    return values.get("session", [None])[-1], int(last) if last.isascii() and last.isdigit() and len(last) < 16 else 0


def refused(error: Exception) -> Reply:
    """The answer to a connection that is not let in."""
    call = Call(component="live", envelope="json")
    if isinstance(error, RequestError):
        return refusal(error, log_refusal(call, error), "json", None)
    return refusal(Failed(), log_failure(call, error), "json", None)


def _last_event_id(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"last-event-id"), "")
