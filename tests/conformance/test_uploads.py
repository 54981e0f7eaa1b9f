"""Files, on every host that is a server: what arrives, what is refused, and that nothing of it stays."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .play import open_page
from .scenarios import Scenario
from .server_hosts import SERVERS
from .wire import Answer, Page, Sent

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


@pytest.fixture(scope="module", params=SERVERS)
def host(request: pytest.FixtureRequest) -> Iterator[Any]:
    running = SERVERS[request.param]()
    yield running
    running.close()


@pytest.fixture
def page(host: Any) -> Page:
    return open_page(Scenario("", "album", ()), host.stage)


def part(name: str, content: bytes, filename: str | None = None, kind: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    head += f"\r\nContent-Type: {kind}" if kind else ""
    return b"--x\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def upload(page: Page, *parts: bytes, event: str = "add", component: str = "album", **headers: str) -> Sent:
    _name, token = page.components[page.root]
    common = {"content-type": "multipart/form-data; boundary=x", "hx-request": "true", "accept": "text/html"}
    carried = {"x-component-state": token, "x-component-id": page.root}
    extra = {key.replace("_", "-"): value for key, value in headers.items()}
    return Sent(f"/components/{component}?event={event}", common | carried | extra, b"".join(parts) + b"--x--\r\n")


def shown(answer: Answer) -> str:
    return answer.text.partition(">")[2]


def open_files() -> set[str]:
    """The temporary files that this process has open."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if target.startswith("/tmp/") and "deleted" in target:
            found.add(target)
    return found


def require_gone(before: set[str]) -> None:
    """Some servers close files only after the answer has gone out."""
    waiting = threading.Event()
    for _ in range(100):
        if open_files() <= before:
            return
        waiting.wait(0.05)
    raise AssertionError(open_files() - before)


def test_files_arrive_with_their_names_sizes_and_types(host: Any, page: Page) -> None:
    answer = host.send(
        upload(
            page,
            part("by", b"Ada: "),
            part("photos", PNG, "a cat.png", "image/png"),
            part("photos", b"x,y\n1,2\n", "table.csv", "text/csv"),
        )
    )
    assert answer.status == 200, answer.text
    assert "Ada: a cat.png|108|image/png|108" in answer.text
    assert "Ada: table.csv|8|text/csv|8" in answer.text


def test_a_large_file_arrives_whole_and_nothing_of_it_stays(host: Any, page: Page) -> None:
    before = open_files()
    content = b"\r\n--y\r\n" * 280_000  # nearly the boundary, again and again
    answer = host.send(upload(page, part("photos", content[:1_900_000], "long.txt", "text/plain")))
    assert "long.txt|1900000|text/plain|1900000" in answer.text
    require_gone(before)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\Windows\\\\evil.png", "evil.png"),
        ("..", "file"),
        ("/", "file"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\x01b.png", "ab.png"),
        (".htaccess", "htaccess"),
    ],
)
def test_a_name_is_never_a_path(host: Any, page: Page, name: str, seen: str) -> None:
    answer = host.send(upload(page, part("photos", PNG, name)))
    assert f"<p>{seen}|108|" in answer.text


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            [part("photos", b"<script>alert(1)</script>", "cat.png", "image/png")],
            "This file is not what its name says.",
        ),
        ([part("photos", b"GIF89a" + b"\0" * 9, "cat.gif", "image/gif")], "Files of this type are not accepted here."),
        ([part("photos", b"PK\x03\x04" + b"\0" * 99, "bomb.zip")], "Files of this type are not accepted here."),
        ([part("photos", PNG, "n" * 300)], "The name of this file is too long."),
        ([part("photos", b"a" * 2_000_001, "a.txt")], "This file is larger than 2 MB."),
        ([part("photos", PNG, f"{n}.png") for n in range(4)], "Choose at most 3 files."),
        ([part("photos", b"text")], "Choose a file."),
        ([part("photos", b"", "")], "This field is required."),
    ],
    ids=["markup as png", "wrong type", "zip", "long name", "large", "too many", "text", "none chosen"],
)
def test_a_file_that_does_not_fit_is_told_at_its_field(host: Any, page: Page, parts: list[bytes], message: str) -> None:
    answer = host.send(upload(page, *parts))
    assert (answer.status, answer.code) == (422, "invalid")
    assert message in answer.text
    assert "<p>" not in answer.text


@pytest.mark.parametrize(
    ("request_of", "status", "code"),
    [
        (lambda page: upload(page, part("by", b"a" * 1_100_000)), 413, "too_large"),
        (lambda page: upload(page, part("other", PNG, "a.png")), 422, "invalid"),
        (lambda page: upload(page, part("photos", PNG, "a.png"), content_type="multipart/form-data"), 400, "malformed"),
        (lambda page: upload(page, part("photos", PNG, "a.png"), content_encoding="gzip"), 415, "unsupported"),
        (
            lambda page: upload(
                page, content_type=f"multipart/form-data; boundary={'b' * 9_000}"
            ),  # Django 6.1 answers 500 itself over 10,000
            400,
            "malformed",
        ),
        (lambda page: upload(page, part("photos", PNG, "a.png", "x" * 1_000_000)), 400, "malformed"),
        (lambda page: upload(page, b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n"), 400, "malformed"),
        (
            lambda page: upload(page, b'--x\r\nContent-Disposition: attachment; name="by"\r\n\r\n1\r\n'),
            400,
            "malformed",
        ),
        (lambda page: upload(page, b"--x\r\n\r\n1\r\n"), 400, "malformed"),
        (
            lambda page: upload(
                page,
                b'--x\r\nContent-Disposition: form-data; name="photos"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n'
                b'--y\r\nContent-Disposition: file; filename="a.png"\r\n\r\n' + PNG + b"\r\n--y--\r\n",
            ),
            400,
            "malformed",
        ),
        (lambda page: upload(page, part("photos", PNG, "a.png"), x_component_state="forged"), 400, "state_invalid"),
        (lambda page: upload(page, part("photos", PNG, "a.png"), origin="https://evil.example"), 403, "forbidden"),
        (lambda page: upload(page, part("photo", PNG, "a.png"), event="add_mine"), 401, "unauthenticated"),
        (lambda page: upload(page, part("photo", PNG, "a.png"), event="nothing"), 404, "unknown"),
        (lambda page: upload(page, part("photo", PNG, "a.png"), event="fail"), 500, "failed"),
    ],
    ids=[
        "text",
        "undeclared",
        "no boundary",
        "gzip",
        "long boundary",
        "long head",
        "no name",
        "no form",
        "no head",
        "nested",
        "forged",
        "origin",
        "nobody",
        "unknown",
        "bug",
    ],
)
def test_an_upload_is_refused_and_nothing_stays(
    host: Any, page: Page, request_of: Any, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = open_files()
    answer = host.send(request_of(page))
    assert (answer.status, answer.code) == (status, code), answer.text
    require_gone(before)
    assert "a.png|108" in host.send(upload(page, part("photos", PNG, "a.png"))).text


def test_a_component_without_an_upload_takes_no_file(host: Any) -> None:
    page = open_page(Scenario("", "tally", ()), host.stage)
    answer = host.send(upload(page, part("by", b"1", "one.txt"), event="add", component="tally"))
    assert (answer.status, answer.code) == (422, "invalid")


def test_a_body_that_is_too_long_by_its_own_account_is_refused_unread(host: Any, page: Page) -> None:
    request = upload(page)
    with socket.create_connection((host.address.hostname, host.address.port), timeout=20) as connection:
        headers = {**request.headers, "host": "testserver", "cookie": f"csrftoken={'c' * 32}", "x-csrftoken": "c" * 32}
        head = "".join(f"{name}: {value}\r\n" for name, value in (headers | {"content-length": "9" * 12}).items())
        connection.sendall(f"POST {request.path} HTTP/1.1\r\n{head}\r\n--x\r\n".encode())
        if "Django, ASGI" in host.name:
            return  # Django reads the whole body before any view is asked
        assert b" 413 " in connection.recv(100)


def test_a_hundred_uploads_side_by_side_all_arrive(host: Any, page: Page) -> None:
    before = open_files()
    request = upload(page, part("photos", b"z" * 100_000, "a.txt"))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(host.send, [request] * 100))
    assert {answer.status for answer in answers} == {200}
    assert host.stage.engine.uploads.taken == 0
    require_gone(before)


def test_an_upload_that_breaks_off_leaves_nothing(host: Any, page: Page) -> None:
    before = open_files()
    request = upload(page, part("photos", b"z" * 1_900_000, "a.txt"))
    headers = {**request.headers, "host": "testserver", "cookie": f"csrftoken={'c' * 32}", "x-csrftoken": "c" * 32}
    head = "".join(
        f"{name}: {value}\r\n" for name, value in (headers | {"content-length": str(len(request.body))}).items()
    )
    with socket.create_connection((host.address.hostname, host.address.port), timeout=20) as connection:
        connection.sendall(f"POST {request.path} HTTP/1.1\r\n{head}\r\n".encode() + request.body[:1_500_000])
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        connection.recv(100)
    assert "a.png|108" in host.send(upload(page, part("photos", PNG, "a.png"))).text
    require_gone(before)
    assert host.stage.engine.uploads.taken == 0


@pytest.fixture
def badge(host: Any) -> Page:
    return open_page(Scenario("", "badge", ()), host.stage)


def enrol(host: Any, badge: Page, *parts: bytes, event: str = "submit") -> Answer:
    answer: Answer = host.send(upload(badge, *parts, component="badge", event=event))
    badge.take(answer)
    return answer


def test_a_form_takes_its_files_with_its_other_fields(host: Any, badge: Page) -> None:
    before = open_files()
    large = PNG + b"\0" * 1_500_000
    answer = enrol(
        host, badge, part("name", b"Ada"), part("photo", large, "../a.png", "image/png"), part("papers", b"one", "1.txt"),
        part("papers", b"two", "2.txt"),
    )  # fmt: skip
    assert answer.status == 200, answer.text
    assert "Ada: a.png 1500108 image/png [&#39;1.txt one&#39;, &#39;2.txt two&#39;]" in answer.text
    assert "-f1-photo" in answer.text
    require_gone(before)


def test_a_form_tells_what_is_wrong_with_files_and_fields_at_once(host: Any, badge: Page) -> None:
    before = open_files()
    answer = enrol(
        host, badge, part("name", b"A" * 21), part("photo", PNG + b"\0" * 2_000_000, "a.png"),
        part("papers", PNG, "1.png"), part("spy", b"1"),
    )  # fmt: skip
    assert (answer.status, answer.code) == (422, "invalid")
    for text in (
        "Must be at most 20 long.", "This file is larger than 2 MB.", "Files of this type are not accepted here.",
        "spy: This field is not expected here.", f'value="{"A" * 21}"',
    ):  # fmt: skip
        assert text in answer.text
    require_gone(before)
    checked = host.send(
        upload(badge, part("_field", b"name"), part("name", b"Ada"), component="badge", event="validate")
    )
    assert "This file is larger than 2 MB." in checked.text
    assert "Must be at most 20 long." not in checked.text


def test_a_file_where_a_form_has_none_is_refused(host: Any, badge: Page) -> None:
    before = open_files()
    for name, event in (("name", "submit"), ("spy", "submit"), ("photo", "validate")):
        answer = enrol(host, badge, part(name, PNG, "a.png"), event=event)
        assert (answer.status, answer.code) == (422, "invalid"), answer.text
    require_gone(before)


def test_a_file_that_went_ahead_is_still_there_after_another_field_was_wrong(host: Any, badge: Page) -> None:
    def ahead(step: str, body: bytes = b"") -> Any:
        sent = piece(badge, step, body, event="submit")
        return json.loads(host.send(Sent(sent.path.replace("album", "badge"), sent.headers, sent.body)).body)

    announced = {"field": "photo", "name": "a.png", "type": "image/png", "size": 1_500_000}
    token = ahead("new", json.dumps(announced).encode())["upload"]
    content = PNG + b"\0" * (1_500_000 - len(PNG))
    ahead(f"{token}; offset=0", content[:1_000_000])
    ahead(f"{token}; offset=1000000", content[1_000_000:])
    answer = enrol(host, badge, part("name", b"Eve"), part("photo", token.encode()))
    assert (answer.status, "There is an Eve already." in answer.text) == (422, True)
    assert ahead(token) == {"offset": 1_500_000}
    answer = enrol(host, badge, part("name", b"Ada"), part("photo", token.encode()))
    assert "Ada: a.png 1500000 image/png" in answer.text
    assert ahead(token)["code"] == "unknown"


def test_a_file_that_is_announced_as_too_large_is_told_at_its_field(host: Any, badge: Page) -> None:
    body = json.dumps({"field": "photo", "name": "a.png", "type": "image/png", "size": 9_000_000}).encode()
    sent = piece(badge, "new", body, event="submit")
    said = json.loads(host.send(Sent(sent.path.replace("album", "badge"), sent.headers, sent.body)).body)
    assert said["offset"] == 9_000_000
    answer = enrol(host, badge, part("name", b""), part("photo", said["upload"].encode()))
    assert answer.status == 422
    assert "This file is larger than 2 MB." in answer.text
    assert "This field is required." in answer.text


def piece(page: Page, step: str, body: bytes = b"", event: str = "add", **headers: str) -> Sent:
    """One of the requests with which a file goes ahead of its form."""
    _name, token = page.components[page.root]
    carried = {"x-component-state": token, "x-component-id": page.root, "x-component-upload": step}
    common = {"content-type": "application/partial-upload"}
    extra = {key.replace("_", "-"): value for key, value in headers.items()}
    return Sent(f"/components/album?event={event}", common | carried | extra, body)


def announce(host: Any, page: Page, size: int, name: str = "a.txt", **headers: str) -> Answer:
    body = json.dumps({"field": "photos", "name": name, "type": "text/plain", "size": size}).encode()
    answer: Answer = host.send(piece(page, "new", body, **headers))
    return answer


def test_a_file_that_came_in_pieces_stands_in_the_form_as_its_token(host: Any, page: Page) -> None:
    before = open_files()
    announced = announce(host, page, 1_500_000, "../a long one.txt")
    assert announced.status == 200, announced.text
    token = json.loads(announced.body)["upload"]
    assert json.loads(announced.body)["most"] == 1024 * 1024
    assert json.loads(host.send(piece(page, f"{token}; offset=0", b"z" * 1_000_000)).body) == {"offset": 1_000_000}
    assert json.loads(host.send(piece(page, token)).body) == {"offset": 1_000_000}
    late = host.send(piece(page, f"{token}; offset=0", b"z" * 9))
    assert (late.status, late.code) == (409, "conflict")
    assert json.loads(host.send(piece(page, f"{token}; offset=1000000", b"z" * 500_000)).body) == {"offset": 1_500_000}
    answer = host.send(upload(page, part("photos", token.encode()), part("photos", PNG, "a.png")))
    assert "a long one.txt|1500000|text/plain|1500000" in answer.text
    assert "a.png|108|image/png|108" in answer.text
    assert host.send(piece(page, token)).code == "unknown"
    require_gone(before)


@pytest.mark.parametrize(
    ("request_of", "status", "code"),
    [
        (lambda page: piece(page, "new", b"{}"), 400, "malformed"),
        (lambda page: piece(page, "new", b"x" * 1_100_000), 413, "too_large"),
        (lambda page: piece(page, "; offset=1"), 400, "malformed"),
        (lambda page: piece(page, "forged.token"), 400, "state_invalid"),
        (lambda page: piece(page, "new", origin="https://evil.example"), 403, "forbidden"),
        (lambda page: piece(page, "new", x_component_state="forged"), 400, "state_invalid"),
        (lambda page: piece(page, "new", event="add_mine"), 401, "unauthenticated"),
        (lambda page: piece(page, "new", event="nothing"), 404, "unknown"),
        (lambda page: piece(page, "new", content_encoding="gzip"), 415, "unsupported"),
    ],
    ids=["no file", "long", "header", "forged", "origin", "state", "nobody", "unknown", "gzip"],
)
def test_a_piece_is_refused_as_an_event_would_be(
    host: Any, page: Page, request_of: Any, status: int, code: str
) -> None:
    answer = host.send(request_of(page))
    assert (answer.status, answer.code) == (status, code), answer.text
    assert answer.headers["cache-control"] == "no-store"
    as_htmx = request_of(page)
    as_htmx.headers["hx-request"] = "true"
    assert host.send(as_htmx).headers["hx-reswap"] == "none"


def test_a_piece_that_breaks_off_is_not_taken(host: Any, page: Page) -> None:
    token = json.loads(announce(host, page, 900_000).body)["upload"]
    request = piece(page, f"{token}; offset=0", b"z" * 900_000)
    headers = {**request.headers, "host": "testserver", "cookie": f"csrftoken={'c' * 32}", "x-csrftoken": "c" * 32}
    head = "".join(f"{name}: {value}\r\n" for name, value in (headers | {"content-length": "900000"}).items())
    with socket.create_connection((host.address.hostname, host.address.port), timeout=20) as connection:
        connection.sendall(f"POST {request.path} HTTP/1.1\r\n{head}\r\n".encode() + request.body[:500_000])
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        connection.recv(100)
    offset = json.loads(host.send(piece(page, token)).body)["offset"]
    assert host.send(piece(page, f"{token}; offset={offset}", b"z" * (900_000 - offset))).status == 200
    assert "a.txt|900000|text/plain" in host.send(upload(page, part("photos", token.encode()))).text
