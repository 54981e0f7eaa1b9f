"""Django's ASGI application with the WebSocket of components; for `asgi.py` in place of Django's own."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler

from .live import SocketResponse


class ComponentASGIHandler(ASGIHandler):
    """Sends the handshake of a WebSocket through the middleware and the URLconf, as the GET request that it is."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection. For other protocols, put this into a router (channels), as Django's own."""
        if scope["type"] != "websocket":
            await super().__call__(scope, receive, send)
            return
        async with ThreadSensitiveContext():
            response = await self._shake_hands(scope)
        if isinstance(response, SocketResponse):
            await response.serve(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})  # before it is accepted: a 403

    async def _shake_hands(self, scope: Any) -> Any:
        request: Any = self.request_class({**scope, "type": "http", "method": "GET"}, BytesIO())
        request.is_handshake = True
        response = await self.get_response_async(request)
        await sync_to_async(response.close, thread_sensitive=True)()
        return response


def get_asgi_application() -> ComponentASGIHandler:
    """Set Django up, and give its application."""
    django.setup(set_prefix=False)
    return ComponentASGIHandler()
