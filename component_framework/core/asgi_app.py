"""All addresses of components as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .asgi import AssetEndpoint, EventEndpoint, Reader, Receive, Scope, Send, read_body, send_reply
from .asgi_live import LiveEndpoint, SocketEndpoint
from .engine import Engine
from .wire import Reply


class ComponentApp:
    """All component addresses as one ASGI application, for a framework that mounts one and takes the mount's path off.

    What is left of the path is `/<name>`, `/<name>/stream` or `/static/<file>`.
    """

    def __init__(self, engine: Engine, *, make_request: Callable[[Any, Any], Any], read: Reader = read_body) -> None:
        self.events = EventEndpoint(engine, stream=False, make_request=make_request, read=read)
        self.streams = EventEndpoint(engine, stream=True, make_request=make_request, read=read)
        self.assets = AssetEndpoint()
        self.live = LiveEndpoint(engine, make_request=make_request, read=read)
        self.socket = SocketEndpoint(engine, make_request=make_request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, _, rest = scope["path"].strip("/").partition("/")
        if scope["type"] != "http":
            await (self.socket if (name, rest) == ("ws", "") else _no_socket)(scope, receive, send)
        elif (name, rest) == ("live", ""):
            await self.live(scope, receive, send)
        elif name == "static":
            await self.assets({**scope, "path_params": {"file": rest}}, receive, send)
        elif rest in ("", "stream") and scope["path"].startswith("/"):  # not "-more": some mounts match by prefix
            await (self.streams if rest else self.events).serve(name, scope, receive, send)
        else:
            await send_reply(Reply(404, {"Content-Type": "text/plain"}, b"Not Found"), receive, send)


async def _no_socket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1000, "reason": ""})  # before it is accepted: a 403
