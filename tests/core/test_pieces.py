"""Files that come in pieces: what a token is good for, how much may wait, and what is left in the end."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from component_framework import Component, Engine, Limit, Limits, Registry, Upload
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core import shutdown
from component_framework.core.component import Context
from component_framework.core.errors import ConfigurationError, Malformed
from component_framework.core.pieces import FOLDER, read_step
from component_framework.core.request import HttpRequest

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 5000
registry = Registry()


@registry.register("shelf")
class Shelf(Component):
    template = "<div><p>{{ said }}</p>{{ errors.file|join }}{{ errors.note|join }}</div>"
    said: str = ""

    def on_put(self, file: Annotated[Upload, Limit(20_000, {"image/png"})], note: int = 0) -> None:
        self.said = f"{file.name}|{file.size}|{file.type}|{len(file.read())}"

    def on_place(self, file: Upload) -> None:
        raise RuntimeError("a bug")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = engine_of("k" * 32)
    yield engine
    shutdown.stop()


def engine_of(key: str, **limits: Any) -> Engine:
    return Engine(renderer=JinjaRenderer(), secret_key=key, registry=registry, limits=Limits(**limits))


class Browser:
    """Sends what upload.js sends."""

    def __init__(self, engine: Engine, event: str = "put", identity: str = "", address: str = "192.0.2.1") -> None:
        self.engine = engine
        self.event = event
        self.context = Context(address=address, identity=identity)

    def ask(self, step: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, Any]]:
        request = HttpRequest(
            component="shelf",
            headers={"x-component-upload": step, "content-type": "application/partial-upload"} | headers,
            query=f"event={self.event}",
            body=body,
            context=self.context,
        )
        reply = self.engine.answer_sync(request)
        assert isinstance(reply.body, bytes)
        return reply.status, json.loads(reply.body)

    def begin(self, size: int = len(PNG), name: str = "a.png", field: str = "file", type: str = "image/png") -> str:
        status, said = self.ask("new", json.dumps({"field": field, "name": name, "type": type, "size": size}).encode())
        assert status == 200, said
        token: str = said["upload"]
        return token

    def submit(self, token: str, note: str = "1") -> str:
        from component_framework.core.intake import intake_for
        from component_framework.core.uploads import release

        fields = {"file": token, "note": note} if self.event == "put" else {"file": token}
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
        ]
        request = HttpRequest(
            component="shelf",
            headers={"content-type": "multipart/form-data; boundary=x", "hx-request": "true"},
            query=f"event={self.event}",
            context=self.context,
        )
        intake = intake_for(self.engine, request)
        assert intake is not None
        form = intake.read(["".join([*parts, "--x--\r\n"]).encode()])
        reply = self.engine.answer_sync(
            HttpRequest(
                component="shelf", headers=request.headers, query=request.query, form=form, context=self.context
            )
        )
        release(form)
        assert isinstance(reply.body, bytes)
        return f"{reply.status} {reply.body.decode()}"


def waiting(folder: Path) -> list[Path]:
    return list(folder.glob(f"{FOLDER}*/*"))


def test_a_file_comes_in_pieces_and_stands_in_its_form_as_a_token(engine: Engine, folder: Path) -> None:
    browser = Browser(engine)
    token = browser.begin(name="../../a cat.png")
    assert browser.ask(f"{token}; offset=0", PNG[:4500]) == (200, {"offset": 4500})
    assert browser.ask(token) == (200, {"offset": 4500})
    assert browser.ask(f"{token};offset=4500", PNG[4500:]) == (200, {"offset": len(PNG)})
    assert "a cat.png|5008|image/png|5008" in browser.submit(token)
    assert waiting(folder) == []
    assert "422 " in (again := browser.submit(token))
    assert "This file has been waiting for too long. Choose it again." in again


def test_a_file_waits_while_another_field_is_wrong_or_the_handler_fails(engine: Engine, folder: Path) -> None:
    browser = Browser(engine)
    token = browser.begin()
    browser.ask(f"{token}; offset=0", PNG)
    assert browser.submit(token, note="no number").startswith("422")
    assert len(waiting(folder)) == 1
    assert "a.png|5008" in browser.submit(token, note="2")
    failing = Browser(engine, "place")
    token = failing.begin()
    failing.ask(f"{token}; offset=0", PNG)
    assert failing.submit(token).startswith("500")
    assert len(waiting(folder)) == 1


def test_a_piece_at_the_wrong_place_changes_nothing(engine: Engine) -> None:
    browser = Browser(engine)
    token = browser.begin()
    for offset in (1, 999_999_999):
        status, said = browser.ask(f"{token}; offset={offset}", b"x")
        assert (status, said["code"]) == (409, "conflict")
    browser.ask(f"{token}; offset=0", PNG)
    status, said = browser.ask(f"{token}; offset=5008", b"one more")
    assert (status, said["code"]) == (413, "too_large")
    assert browser.ask(token) == (200, {"offset": 5008})


def test_a_file_that_is_not_there_as_a_whole_is_not_taken(engine: Engine) -> None:
    browser = Browser(engine)
    token = browser.begin()
    browser.ask(f"{token}; offset=0", PNG[:5000])
    assert "This file has not arrived as a whole. Send it again." in browser.submit(token)
    browser.ask(f"{token}; offset=5000", PNG[5000:])
    assert browser.submit(token).startswith("200")


def test_a_file_of_the_wrong_type_is_refused_at_its_first_piece_and_told_at_its_field(
    engine: Engine, folder: Path
) -> None:
    browser = Browser(engine)
    token = browser.begin(size=20_000)
    status, said = browser.ask(f"{token}; offset=0", b"<script>" + b" " * 5000)
    assert (status, said["errors"]) == (422, {"file": ["This file is not what its name says."]})
    assert "This file is not what its name says." in browser.submit(token)
    assert waiting(folder) == []


def test_a_file_that_is_too_large_is_not_sent_and_told_at_its_field(engine: Engine, folder: Path) -> None:
    browser = Browser(engine)
    status, said = browser.ask("new", b'{"field": "file", "name": "a", "size": 20001}')
    assert (status, said["offset"]) == (200, 20001)
    assert waiting(folder) == []
    assert browser.ask(f"{said['upload']}; offset=0", b"z")[0] == 404
    assert "This file is larger than 20 KB." in browser.submit(said["upload"])
    assert waiting(folder) == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"field": "file", "name": "a", "size": 0}', 422, "invalid"),
        (b'{"field": "file", "name": "a", "size": -1}', 422, "invalid"),
        (b'{"field": "other", "name": "a", "size": 9}', 422, "invalid"),
        (b'{"field": "note", "name": "a", "size": 9}', 422, "invalid"),
        (b'{"field": "file", "name": "%s", "size": 9}' % (b"n" * 2000), 422, "invalid"),
        (b'{"field": "file", "name": "a", "size": 1e300}', 400, "malformed"),
        (b'{"field": "file", "name": "a", "size": "9"}', 400, "malformed"),
        (b'{"field": "file", "name": "a"}', 400, "malformed"),
        (b'{"field": "file", "name": "a", "size": 9, "path": "/etc/passwd"}', 400, "malformed"),
        (b'{"field": "file", "name": "\xff", "size": 9}', 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b"", 400, "malformed"),
        (b"[" * 100_000, 400, "malformed"),
    ],
)
def test_an_announcement_that_does_not_fit_is_refused(
    engine: Engine, folder: Path, body: bytes, status: int, code: str
) -> None:
    answer = Browser(engine).ask("new", body)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert waiting(folder) == []


def test_a_token_is_good_for_its_visitor_and_its_event_only(engine: Engine) -> None:
    ada = Browser(engine, identity="ada")
    token = ada.begin()
    ada.ask(f"{token}; offset=0", PNG)
    for other in (Browser(engine, identity="eve"), Browser(engine), Browser(engine, "place", identity="ada")):
        for step in (token, f"{token}; offset=0", f"{token}; abort"):
            status, said = other.ask(step, b"")
            assert (status, said["code"]) == (400, "state_invalid")
        assert "422 " in other.submit(token)
    assert ada.ask(f"{token[:-1]}A")[0] in (200, 400)
    assert ada.submit(token).startswith("200")


def test_a_state_token_is_no_upload(engine: Engine) -> None:
    state = engine.mount("shelf").partition('data-state="')[2].partition('"')[0]
    assert Browser(engine).ask(state)[1]["code"] == "state_invalid"
    assert "Choose a file." in Browser(engine).submit(state)


@pytest.mark.parametrize(
    "header", ["", "new; offset=1; abort", "a b", "../../x", "x; offset=-1", "x; offset=" + "9" * 99]
)
def test_a_header_that_says_something_else_is_refused(header: str, engine: Engine) -> None:
    status, said = Browser(engine).ask(header)
    assert (status, said["code"]) in ((400, "malformed"), (400, "state_invalid"))


def test_a_step_is_read_from_its_header() -> None:
    assert read_step("t.x").offset is None
    assert read_step("t.x;offset=17").offset == 17
    assert read_step("t.x; abort").aborts
    with pytest.raises(Malformed):
        read_step("t.x; offset=٣")  # a digit, but not one of ours


def test_a_file_that_is_given_up_is_gone(engine: Engine, folder: Path) -> None:
    browser = Browser(engine)
    token = browser.begin()
    assert browser.ask(f"{token}; abort") == (200, {})
    assert waiting(folder) == []
    assert browser.ask(token)[1]["code"] == "unknown"


def test_a_file_that_nobody_goes_on_with_is_gone_after_its_time(engine: Engine, folder: Path) -> None:
    browser = Browser(engine)
    old, other = browser.begin(), browser.begin()
    for path in waiting(folder):
        os.utime(path, (0, 0))
    assert browser.ask(f"{old}; offset=0", PNG)[1]["code"] == "unknown"
    assert len(waiting(folder)) == 1
    browser.begin()
    assert len(waiting(folder)) == 1, "whoever begins one clears away what is old"
    assert browser.ask(other)[1]["code"] == "unknown"


def test_only_so_much_may_wait_and_one_visitor_has_no_more_than_half_of_it(folder: Path) -> None:
    engine = engine_of("j" * 32, uploads=50_000)
    mine, theirs, others = (Browser(engine, address=f"192.0.2.{n}") for n in (1, 2, 3))
    mine.begin(20_000)
    said = mine.ask("new", b'{"field": "file", "name": "a", "size": 10000}')
    assert (said[0], said[1]["code"]) == (429, "too_many")
    theirs.begin(20_000)
    said = others.ask("new", b'{"field": "file", "name": "a", "size": 10001}')
    assert said[0] == 429
    others.begin(10_000)


def test_a_visitor_may_not_begin_files_without_end(engine: Engine, folder: Path) -> None:
    browser = Browser(engine)
    for _ in range(100):
        browser.begin(1)
    assert browser.ask("new", b'{"field": "file", "name": "a", "size": 1}')[0] == 429


def test_nothing_is_left_when_the_engine_is_gone(folder: Path) -> None:
    engine = engine_of("i" * 32)
    Browser(engine).begin()
    assert len(waiting(folder)) == 1
    del engine
    gc.collect()
    assert list(folder.iterdir()) == []


def test_the_folder_is_nobody_elses_to_read(engine: Engine, folder: Path) -> None:
    Browser(engine).begin()
    [own] = folder.iterdir()
    assert own.stat().st_mode & 0o777 == 0o700
    assert waiting(folder)[0].stat().st_mode & 0o777 == 0o600


def test_a_folder_that_somebody_else_has_made_is_not_used(engine: Engine, folder: Path) -> None:
    (folder / f"{FOLDER}{engine.signer.name}").mkdir(0o777)
    (folder / f"{FOLDER}{engine.signer.name}").chmod(0o777)
    lock = os.open(folder / f"{FOLDER}{engine.signer.name}", os.O_RDONLY)  # somebody who stays in it
    fcntl.flock(lock, fcntl.LOCK_SH)
    status, said = Browser(engine).ask("new", b'{"field": "file", "name": "a", "size": 1}')
    assert (status, said["code"]) == (503, "unavailable")
    os.close(lock)


WORKER = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from tests.core.test_pieces import *
browser = Browser(engine_of("w" * 32))
for line in sys.stdin:
    step, _, body = line.rstrip("\\n").partition("|")
    print(json.dumps(browser.begin(int(body)) if step == "begin" else browser.submit(body) if step == "submit" else browser.ask(step, bytes.fromhex(body))), flush=True)
"""


class Worker:
    """A process of an application, with the key that all its processes have."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, step: str, body: str = "") -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(f"{step}|{body}", file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def end(self, how: str = "close") -> None:
        assert self.process.stdin is not None
        if how != "close":
            getattr(self.process, how)()
            self.process.wait(20)
        self.process.stdin.close()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_the_workers_of_an_application_take_pieces_of_the_same_file(folder: Path) -> None:
    one, two = Worker(folder), Worker(folder)
    token = one("begin", str(len(PNG)))
    assert two(f"{token}; offset=0", PNG[:4500].hex()) == [200, {"offset": 4500}]
    one.end()
    assert two(f"{token}; offset=4500", PNG[4500:].hex()) == [200, {"offset": 5008}]
    assert "a.png|5008|image/png" in two("submit", token)
    two("begin", "9")
    two.end()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("how", ["close", "terminate"])
def test_the_last_worker_to_leave_takes_everything_along(folder: Path, how: str) -> None:
    workers = [Worker(folder), Worker(folder)]
    for worker in workers:
        worker("begin", "9")
    for worker in workers:
        worker.end(how)
    assert list(folder.iterdir()) == []


def test_what_a_killed_worker_leaves_goes_with_the_next_upload_of_anybody(folder: Path, engine: Engine) -> None:
    worker = Worker(folder)
    worker("begin", "9")
    worker.end("kill")
    assert len(waiting(folder)) == 1
    Browser(engine).begin()
    assert len(list(folder.iterdir())) == 1, "the folder of another application, in which nobody is"
    again = Worker(folder)
    token = again("begin", "9")
    again.end("kill")
    again = Worker(folder)
    assert again(token)[1]["code"] == "unknown"
    again.end()


def test_an_engine_needs_a_key_for_uploads_as_well() -> None:
    with pytest.raises(ConfigurationError):
        engine_of("")
