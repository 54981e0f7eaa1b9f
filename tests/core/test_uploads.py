"""Uploads: names, types, limits, the multipart reader, and what a large file costs."""

from __future__ import annotations

import random
import resource
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from component_framework import Component, Engine, Invalid, Limit, Limits, Registry, Upload
from component_framework.core.errors import ConfigurationError, Malformed, RequestError, TooLarge, TooMany
from component_framework.core.file_types import agree, type_of
from component_framework.core.intake import Intake
from component_framework.core.multipart import MultipartReader
from component_framework.core.uploads import Budget, limit_of, release, shown_name

KIND = "multipart/form-data; boundary=x"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50


def part(name: str, content: bytes, filename: str = "a.bin") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


@pytest.mark.parametrize(
    ("size", "expected"), [("5 MB", 5_000_000), ("5 MiB", 5 * 2**20), ("1.5 KB", 1500), (7, 7), ("9 B", 9)]
)
def test_a_size_is_a_number_or_text_with_its_unit(size: int | str, expected: int) -> None:
    assert Limit(size).size == expected


def test_a_limit_that_nothing_could_meet_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="no size"):
        Limit("5 megs")
    with pytest.raises(ConfigurationError, match="no media type"):
        Limit(types={"png"})
    with pytest.raises(ConfigurationError, match="no file"):
        Limit(count=0)


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (Upload, 1),
        (Upload | None, 1),
        (Annotated[Upload, Limit(count=9)], 1),
        (list[Upload], 20),
        (list[Annotated[Upload, Limit(count=4)]], 4),
        (Annotated[list[Upload], Limit(count=5)], 5),
        (str, None),
        (str | int, None),
    ],
)
def test_the_annotation_says_how_many_files_may_come(kind: Any, count: int | None) -> None:
    limit = limit_of(kind)
    assert (limit and limit.count) == count


@pytest.mark.parametrize(
    ("claimed", "content", "expected"),
    [
        ("image/png", PNG, "image/png"),
        ("", PNG, "image/png"),
        ("application/octet-stream", PNG, "image/png"),
        ("image/jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("image/png", b"<html>", None),
        ("text/plain", b"<script>", None),
        ("text/csv; charset=utf-8", b"a,b", "text/csv"),
        ("image/svg+xml", b'<?xml version="1.0"?><svg>', "image/svg+xml"),
        ("image/png", b"\0\1", None),
        ("application/vnd.oasis.opendocument.text", b"PK\x03\x04", "application/vnd.oasis.opendocument.text"),
        ("video/mp4", b"\0\0\0\x18ftypisom", "video/mp4"),
        ("image/webp", b"RIFF\0\0\0\0WEBP", "image/webp"),
    ],
)
def test_the_type_is_what_the_bytes_are(claimed: str, content: bytes, expected: str | None) -> None:
    assert agree(claimed, type_of(content)) == expected


def test_a_character_cut_in_two_is_still_text() -> None:
    assert type_of(("a" * 4095 + "é").encode()[:4096]) == "text/plain"


@pytest.mark.parametrize(("name", "shown"), [("../x", "x"), ("a\\b\\c.png", "c.png"), ("", "file"), ("\u202ex", "x")])
def test_a_shown_name_is_no_path_and_has_nothing_invisible(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_file_is_kept_under_a_name_of_the_servers_making(tmp_path: Path) -> None:
    kept = Upload.from_bytes("../../cat.exe", PNG).save_to(tmp_path)
    assert kept.parent == tmp_path
    assert kept.suffix == ".png"
    assert "cat" not in kept.name
    assert kept.read_bytes() == PNG


def test_a_handler_gets_what_a_test_gives_it() -> None:
    class Shelf(Component):
        template = "<p>{{ said }}</p>"
        said: str = ""

        def on_put(self, photo: Upload, note: str = "") -> None:
            self.said = f"{note}{photo.name} {photo.type}"

    state = Shelf().dispatch("put", {"photo": Upload.from_bytes("a.png", PNG), "note": "my "})["state"]
    assert state["said"] == "my a.png image/png"
    assert Shelf().dispatch("put", {"photo": "a.png"})["errors"] == {"photo": ["Choose a file."]}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_where_the_pieces_of_a_body_are_cut_makes_no_difference(size: int) -> None:
    content = random.Random(size).randbytes(3000) + b"\r\n--", b"\r\n--y\r\n\r\n" * 50  # not a secret
    body = part("f", content[0]) + part("f", content[1]) + b"--x--\r\n"
    reader = MultipartReader(KIND, Limits(), {"f": Limit()}, 10**6)
    for start in range(0, len(body), size):
        reader.feed(body[start : start + size])
    files: list[Any] = reader.close()["f"]
    assert tuple(file.read() for file in files) == content
    for file in files:
        file.close()


def test_a_file_that_is_too_large_is_read_as_far_as_a_whole_form_may_go_and_no_further() -> None:
    taken = 0

    def body() -> Iterator[bytes]:
        nonlocal taken
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        while True:
            taken += 1
            yield b"z" * 1000

    budget = Budget(10**9)
    with pytest.raises(TooLarge):
        Intake(KIND, Limits(body=20_000), {"f": Limit(50_000, count=1)}, budget).read(body())
    assert taken == 70
    assert budget.taken == 0


def test_of_a_file_that_is_too_large_no_more_is_kept_than_its_limit_and_the_rest_of_the_form_is_read() -> None:
    body = part("f", b"z" * 60_000) + b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--x--\r\n'
    reader = MultipartReader(KIND, Limits(), {"f": Limit("50 KB")}, 10**6)
    reader.feed(body[:40_000])
    assert reader._spool is not None
    file = reader._spool.file
    assert not file.closed
    reader.feed(body[40_000:])
    form: Any = reader.close()
    assert file.closed
    assert form["note"] == ["hello"]
    assert form["f"][0].reason == "This file is larger than 50 KB."


def test_only_so_much_is_taken_in_at_once() -> None:
    budget = Budget(1000)
    with pytest.raises(TooMany):
        Intake(KIND, Limits(), {"f": Limit()}, budget).read([part("f", b"z" * 2000)])
    assert budget.taken == 0


def test_a_body_that_breaks_off_leaves_no_file() -> None:
    intake = Intake(KIND, Limits(), {"f": Limit("9 MB")}, Budget(10**9))
    with pytest.raises(Malformed):
        intake.read([part("f", b"z" * 2_000_000)[:-100]])


def test_a_form_that_a_framework_has_parsed_has_the_same_limits() -> None:
    class File:
        filename, content_type = "../a.png", "image/png"

        def __init__(self, content: bytes) -> None:
            self.file = BytesIO(content)

    intake = Intake(KIND, Limits(), {"f": Limit(100)}, Budget(1))
    form: Any = intake.adopt([("f", File(PNG)), ("note", "hello")])
    assert (form["f"][0].name, form["note"]) == ("a.png", ["hello"])
    large = File(PNG * 2)
    refused: Any = intake.adopt([("f", large)])
    assert refused["f"][0].reason == "This file is larger than 100 bytes."
    assert large.file.closed
    with pytest.raises(Invalid):
        intake.adopt([("other", File(PNG))])


def test_200_megabytes_take_no_more_memory_than_two() -> None:
    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        for _ in range(800):
            yield b"\r\n--z" * 52_428  # 256 KiB
        yield b"\r\n--x--\r\n"

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = peak()
    form: Any = Intake(KIND, Limits(), {"f": Limit("1 GB")}, Budget(10**9)).read(body())
    assert form["f"][0].size == 800 * 52_428 * 5
    assert sum(map(len, form["f"][0].chunks())) == form["f"][0].size
    form["f"][0].close()
    assert peak() - before < 20 * 1024  # KiB


def test_a_page_loads_the_script_only_where_a_component_takes_files() -> None:
    from component_framework.core.component import NOBODY

    registry = Registry()
    engine = Engine(renderer=None, secret_key="k" * 32, registry=registry)  # type: ignore[arg-type]  # nothing is shown
    assert "upload.js" not in engine.scripts(None, NOBODY)

    @registry.register("shelf")
    class Shelf(Component):
        template = "<p></p>"

        def on_put(self, photo: Upload) -> None: ...

    assert "upload.js" in engine.scripts(None, NOBODY)


BODY = (
    part("f", PNG)
    + part("f", b"hello", 'a "b"; c.txt')
    + b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n'
)


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_body_that_ends_at_any_byte_before_its_last_is_malformed_and_leaves_nothing(step: int) -> None:
    whole = BODY + b"--x--"
    for end in range(len(whole)):
        budget = Budget(10**6)
        pieces = [whole[start : min(start + step, end)] for start in range(0, end, step)]
        with pytest.raises(Malformed):
            Intake(KIND, Limits(), {"f": Limit(10**5)}, budget).read(pieces)
        assert budget.taken == 0
    form: Any = Intake(KIND, Limits(), {"f": Limit(10**5)}, Budget(10**6)).read([whole])
    assert [file.name for file in form["f"]] == ["a.bin", "a"], "a name ends at its quotation mark"
    assert form["n"] == ["1"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(BODY)), st.integers(0, 40))
def test_no_bytes_in_a_body_are_more_than_refused(noise: bytes, at: int, gone: int) -> None:
    body = BODY[:at] + noise + BODY[at + gone :] + b"--x--"
    budget = Budget(10**6)
    try:
        form = Intake(KIND, Limits(), {"f": Limit(10**5, count=3)}, budget).read([body])
    except RequestError as refused:
        assert 400 <= refused.status < 500
    else:
        release(form)
    assert budget.taken == 0
