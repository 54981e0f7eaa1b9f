"""A proxy that hands on whole requests over connections of their own, and cuts those that it is told to cut."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Literal

Cut = Literal["before", "after"]
"""Whether the server has worked when the connection breaks."""

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CONNECTION = re.compile(rb"(?i)\r\nconnection: *[^\r]*")


class CuttingProxy(ThreadingTCPServer):
    """`cuts` says what happens to the next events, one after the other; `events` counts those that came."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = ("127.0.0.1", int(target.rpartition(":")[2]))
        self.cuts: list[Cut] = []
        self.events = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Connection(BaseRequestHandler):
    request: socket.socket
    server: CuttingProxy

    def handle(self) -> None:
        """One request, whose answer ends the connection: a browser would resend by itself on one that it had used."""
        sent = _read_request(self.request)
        if not sent:
            return
        is_event = sent.startswith(b"POST")
        self.server.events += is_event
        cut = self.server.cuts.pop(0) if is_event and self.server.cuts else None
        if cut == "before":
            return
        with socket.create_connection(self.server.target) as server:
            server.sendall(_CONNECTION.sub(b"", sent).replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = server.makefile("rb").read()
        if cut != "after":
            self.request.sendall(answer)


def _read_request(connection: socket.socket) -> bytes:
    """The head and the body; nothing when the browser closed a connection that it had only kept ready."""
    text = b""
    while b"\r\n\r\n" not in text:
        part = connection.recv(65536)
        if not part:
            return b""
        text += part
    found = _LENGTH.search(text)
    whole = text.index(b"\r\n\r\n") + 4 + (int(found[1]) if found else 0)
    while len(text) < whole:
        text += connection.recv(65536)
    return text


@contextmanager
def cutting_proxy(target: str) -> Iterator[CuttingProxy]:
    """A proxy in a thread, before the server at the address `target`."""
    with CuttingProxy(target) as proxy:
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join(10)
