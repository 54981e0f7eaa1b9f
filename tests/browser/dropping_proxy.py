"""A proxy that hands on bytes, and lets the long connections of pages drop, in the middle of whatever they carry."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

LONG = (b"GET /components/ws", b"GET /components/live")


class DroppingProxy(ThreadingTCPServer):
    """`drop()` breaks every event stream and every WebSocket; other requests go through."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = ("127.0.0.1", int(target.rpartition(":")[2]))
        self.long: set[socket.socket] = set()
        self.dropped = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def drop(self) -> None:
        for connection in list(self.long):
            self.dropped += 1
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(BaseRequestHandler):
    request: socket.socket

    def handle(self) -> None:
        proxy = self.server
        assert isinstance(proxy, DroppingProxy)
        with (
            socket.create_connection(proxy.target) as server,
            selectors.DefaultSelector() as selector,
            suppress(OSError),
        ):
            selector.register(self.request, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, self.request)
            while True:
                for key, _ in selector.select():
                    assert isinstance(key.fileobj, socket.socket)
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    if data.startswith(LONG):
                        proxy.long.add(self.request)
                    key.data.sendall(data)

    def finish(self) -> None:
        proxy = self.server
        assert isinstance(proxy, DroppingProxy)
        proxy.long.discard(self.request)


@contextmanager
def dropping_proxy(target: str) -> Iterator[DroppingProxy]:
    """A proxy in a thread, before the server at the address `target`."""
    with DroppingProxy(target) as proxy:
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.drop()
            proxy.shutdown()
            thread.join(10)
