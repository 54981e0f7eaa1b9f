"""Component addresses as ordinary handlers of Litestar, for applications whose hooks run around no other kind."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from litestar import Request, WebSocket, asgi, get, post, websocket
from litestar.datastructures import FormMultiDict
from litestar.response.base import ASGIResponse
from litestar.types import Empty
from litestar.utils.scope.state import ScopeState

from ..core.asgi import AssetEndpoint, Body, EventEndpoint, parsed_form, read_body, send_reply
from ..core.asgi_live import LiveEndpoint, SocketEndpoint
from ..core.engine import Engine
from ..core.intake import Intake
from ..core.limits import Limits
from ..core.uploads import release
from ..core.wire import Reply


def ordinary_handlers(engine: Engine) -> list[Any]:
    """The handlers of all component addresses."""
    events, streams = (EventEndpoint(engine, stream=stream, make_request=make_request) for stream in (False, True))

    stream_of_page = LiveEndpoint(engine, make_request=make_request, read=read)
    socket_of_page = SocketEndpoint(engine, make_request=make_request)

    @post("/{name:str}", status_code=200)
    async def event(request: Request[Any, Any, Any]) -> ASGIResponse:
        return await _answer(events, request)

    @post("/{name:str}/stream", status_code=200)
    async def stream(request: Request[Any, Any, Any]) -> ASGIResponse:
        return await _answer(streams, request)

    @get("/static/{file:str}")
    async def asset(request: Request[Any, Any, Any]) -> ASGIResponse:
        return _Answer(AssetEndpoint().reply(request.scope))

    @asgi("/live", copy_scope=False)
    async def live(scope: Any, receive: Any, send: Any) -> None:
        await stream_of_page(scope, receive, send)

    @websocket("/ws")
    async def ws(socket: WebSocket[Any, Any, Any]) -> None:
        scope: Any = socket.scope
        receive: Any = socket.receive
        await socket_of_page(scope, receive, cast(Any, socket.send))

    return [event, stream, asset, live, ws]


async def _answer(events: EventEndpoint, request: Request[Any, Any, Any]) -> ASGIResponse:
    name = request.path_params["name"]
    body = await events.take_in(name, request.scope, request, partial(read, request.scope, request.receive))
    return _Answer(await events.reply(name, request.scope, request, body), body)


class _Answer(ASGIResponse):
    """A response that core.asgi sends, with the headers as the hooks have left them."""

    _should_set_content_length = False

    def __init__(self, reply: Reply, body: Body = b"") -> None:
        length = {"Content-Length": str(len(reply.body))} if isinstance(reply.body, bytes) and reply.body else {}
        super().__init__(status_code=reply.status, headers=length | dict(reply.headers))
        self._reply = reply
        self._body = body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self.encode_headers()
            await send(message)

        try:
            await send_reply(self._reply, receive, send_with_headers)
        finally:
            release(self._body)


async def read(scope: Any, receive: Any, limits: Limits, intake: Intake | None = None) -> Body:
    """The body; middleware may have read or parsed it, and Litestar keeps it then."""
    done = ScopeState.from_scope(scope)
    if done.body is not Empty:
        return done.body
    if done.form is not Empty:
        return parsed_form(FormMultiDict.from_form_data(done.form).multi_items(), intake)
    return await read_body(scope, receive, limits, intake)


def make_request(scope: Any, receive: Any) -> Request[Any, Any, Any]:
    """That of an event; one that came down a socket has that of a POST, without a body."""
    if scope["type"] == "http":
        return Request(scope, receive)
    plain: Any = {**scope, "type": "http", "method": "POST"}
    return Request(plain)
