"""What goes down a page's one connection: a Push, encoded once for everybody who gets it."""

from __future__ import annotations

from typing import Any

import msgspec

from .wire import partial, sse_message

EVENT = "component:live"
"""The name of an event-stream message that is no HTML."""


class Push:
    """One message to pages: HTML parts, or a JSON object with a `type`.

    Its encodings are made when the first connection needs them and shared by all; only the number in front differs.
    """

    __slots__ = ("_fields", "_html", "_socket", "_stream")

    def __init__(self, fields: dict[str, Any] | None = None, *, html: str | None = None) -> None:
        self._fields = fields
        self._html = html
        self._socket: str | None = None
        self._stream: bytes | None = None

    @property
    def size(self) -> int:
        """About how many bytes this takes."""
        return len(self._text())

    def socket(self, seq: int) -> str:
        """The text of a WebSocket message; `seq` 0 is a message that is not counted."""
        return f'{{"seq":{seq},{self._text()}' if seq else "{" + self._text()

    def _text(self) -> str:
        """The JSON object without its opening brace."""
        if self._socket is None:
            fields = self._fields if self._html is None else {"content": self._html}
            self._socket = msgspec.json.encode(fields).decode()[1:]
        return self._socket

    def stream(self, seq: int) -> bytes:
        """The bytes of an event-stream message."""
        if self._stream is None:
            if self._html is not None:
                self._stream = sse_message(self._html)
            else:
                self._stream = sse_message(msgspec.json.encode(self._fields).decode(), event=EVENT)
        return b"id: %d\n%b" % (seq, self._stream) if seq else self._stream


def replace_component(component_id: str, markup: str) -> Push:
    """A component's whole root, swapped by morph."""
    return Push(html=partial(f"#{component_id}", "outerMorph", markup))


def replace_content(key: str, markup: str) -> Push:
    """What is inside of the root of every component that is known by `key`."""
    return Push(html=partial(f'[data-live~="{key}"]', "innerMorph", markup))


PING = Push({"type": "ping"})
RESYNC = Push({"type": "resync"})
