"""What no browser sends, and what no HTTP library would: bytes on a socket, to every adapter behind a real server.

Some of it is for the server to refuse, some of it for us. Whoever does so: it is a 4xx or a closed connection, nothing is
changed or told, nobody else is disturbed, and the next good request is answered.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from .play import open_page
from .scenarios import Scenario
from .server_hosts import CSRF, SERVERS, Server
from .test_hostile import LEAKS, good_request
from .wire import Page

POST = "POST /components/tally?event=add HTTP/1.1\r\n"
HEAD = (
    "Host: testserver\r\nHX-Request: true\r\nX-Component-State: {token}\r\nX-Component-Id: {id}\r\nConnection: close\r\n"
    f"Cookie: csrftoken={CSRF}\r\nX-CSRFToken: {CSRF}\r\n"
)
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
BODY = "Content-Length: 4\r\n\r\nby=1"

UNREADABLE = {
    "no path": f"POST HTTP/1.1\r\n{HEAD}{FORM}{BODY}",
    "a made-up method": f"POST2 /components/tally?event=add HTTP/1.1\r\n{HEAD}{FORM}{BODY}",
    "a header without a colon": f"{POST}{HEAD}{FORM}Nonsense\r\n{BODY}",
    "a header with NUL": f"{POST}{HEAD}{FORM}X-A: a\0b\r\n{BODY}",
    "a header's name with a space": f"{POST}{HEAD}{FORM}X A: 1\r\n{BODY}",
    "two lengths that differ": f"{POST}{HEAD}{FORM}Content-Length: 4\r\nContent-Length: 400\r\n\r\nby=1",
    "a chunk of a size that is none": f"{POST}{HEAD}{FORM}Transfer-Encoding: chunked\r\n\r\nzz\r\nby=1\r\n0\r\n\r\n",
    "a chunk of a negative size": f"{POST}{HEAD}{FORM}Transfer-Encoding: chunked\r\n\r\n-4\r\nby=1\r\n0\r\n\r\n",
}
"""What the server in front of us has to refuse, or the framework: we must survive it."""

BROKEN_OFF = {
    "nothing": "\r\n\r\n",
    "half of a head": f"{POST}Host: tests",
    "bytes of TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a body shorter than it says": f"{POST}{HEAD}{FORM}Content-Length: 400\r\n\r\nby=1",
    "chunks that never end": f"{POST}{HEAD}{FORM}Transfer-Encoding: chunked\r\n\r\n4\r\nby=1\r\n",
}
"""What a client sends that leaves in the middle."""

REFUSED = {
    "a length of 400 digits": f"{POST}{HEAD}{FORM}Content-Length: {'9' * 400}\r\n\r\nby=1",
    "a negative length": f"{POST}{HEAD}{FORM}Content-Length: -4\r\n\r\nby=1",
    "a length that is no number": f"{POST}{HEAD}{FORM}Content-Length: four\r\n\r\nby=1",
    "two tokens, the second forged": f"{POST}{HEAD}X-Component-State: forged\r\n{FORM}{BODY}",
    "two origins, the second foreign": f"{POST}{HEAD}Origin: http://testserver\r\nOrigin: https://evil.example\r\n{FORM}{BODY}",
    "two origins, the first foreign": f"{POST}{HEAD}Origin: https://evil.example\r\nOrigin: http://evil.example\r\n{FORM}{BODY}",
    "two ids, the second another's": f"{POST}{HEAD}X-Component-Id: c-9\r\n{FORM}{BODY}",
    "no type": f"{POST}{HEAD}{BODY}",
    "a type of nothing": f"{POST}{HEAD}Content-Type:\r\n{BODY}",
    "an escaped slash": f"POST /components/tally%2Fadd HTTP/1.1\r\n{HEAD}{FORM}{BODY}",
    "an escaped NUL": f"POST /components/tally%00?event=add HTTP/1.1\r\n{HEAD}{FORM}{BODY}",
    "an escape that is none": f"POST /components/t%zzally?event=add HTTP/1.1\r\n{HEAD}{FORM}{BODY}",
    "a path that is not UTF-8": f"POST /components/t%FFlly?event=add HTTP/1.1\r\n{HEAD}{FORM}{BODY}",
    "dots in the path": f"POST /components/../../etc/passwd HTTP/1.1\r\n{HEAD}{FORM}{BODY}",
    "an address in full, of another component": f"POST http://evil.example/components/nobody HTTP/1.1\r\n{HEAD}{FORM}{BODY}",
}
"""What is HTTP, and what we have to refuse."""


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    running: Server = SERVERS[request.param]()
    yield running
    running.close()


@pytest.mark.parametrize("oddity", [*UNREADABLE, *BROKEN_OFF, *REFUSED])
def test_bytes_that_no_browser_sends_harm_nobody(oddity: str, server: Server) -> None:
    page = open_page(Scenario("", "tally", (), {"count": 40}), server.stage)
    answer = exchange(server, fill((UNREADABLE | BROKEN_OFF | REFUSED)[oddity], page), leave=oddity in BROKEN_OFF)
    statuses = re.findall(rb"HTTP/1\.[01] (\d{3})", answer)
    assert not LEAKS.search(answer.decode("latin-1")), answer
    if oddity in REFUSED:
        assert statuses
    if oddity not in UNREADABLE or "WSGI" not in server.name:  # the standard library's server reads nearly anything
        assert all(status.startswith(b"4") for status in statuses), answer
        assert b"<b>41</b>" not in answer
    assert "<b>41</b>" in server.send(good_request(page)).text


ANSWERED = {
    "a body in chunks": f"{POST}{HEAD}{FORM}Transfer-Encoding: chunked\r\n\r\n2\r\nby\r\n2\r\n=1\r\n0\r\n\r\n",
    "chunks with extensions and a trailer": (
        f"{POST}{HEAD}{FORM}Transfer-Encoding: chunked\r\n\r\n4;a=b\r\nby=1\r\n0\r\nX-Component-State: forged\r\n\r\n"
    ),
    "headers of small letters": f"{POST}{HEAD.lower()}{FORM.lower()}{BODY}",
    "more than the body": f"{POST}{HEAD}{FORM}{BODY}and=more",
}


@pytest.mark.parametrize("oddity", ANSWERED)
def test_what_is_odd_and_good_is_answered(oddity: str, server: Server) -> None:
    page = open_page(Scenario("", "tally", (), {"count": 40}), server.stage)
    answer = exchange(server, fill(ANSWERED[oddity], page), leave=False)
    if "WSGI" in server.name and "Transfer-Encoding" in ANSWERED[oddity]:
        assert answer.startswith(b"HTTP/1.0 400"), "WSGI has no way to tell where such a body ends"
    else:
        assert b" 200 " in answer.partition(b"\r\n")[0]
        assert b"<b>41</b>" in answer


def fill(text: str, page: Page) -> bytes:
    _, token = page.components[page.root]
    return text.replace("{token}", token).replace("{id}", page.root).encode("latin-1")


def exchange(server: Server, data: bytes, *, leave: bool) -> bytes:
    """What comes back for `data` on a connection of its own; `leave` says no more after it."""
    received = b""
    with socket.create_connection((server.address.hostname, server.address.port), timeout=20) as connection:
        with suppress(OSError):  # a server need not listen to the end of what it refuses
            connection.sendall(data)
            if leave:
                connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while chunk := connection.recv(65536):
                received += chunk
    return received
