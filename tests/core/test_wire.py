"""The wire: any text survives it, and none becomes a header, an event or a frame of its own."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework.core.effects import Emit, Navigate
from component_framework.core.errors import Failed, Invalid, RequestError, StateExpired, TooMany, Unauthenticated
from component_framework.core.wire import (
    Frame,
    Reply,
    refusal,
    reply,
    sse_error,
    sse_frame,
    sse_message,
    stream_headers,
)

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "\r",
        "\n",
        "\r\n",
        "\n\r",
        "\0",
        "\u2028",
        "\u2029",
        "\x85",
        "\x0b",
        "\x0c",
        "\u010a",
        "\u010d",
        "\n\ndata: x",
        "event: x",
        ":",
        " leading",
        "\ufeff",
        "",
    ]
)
details = st.dictionaries(texts, texts | st.integers() | st.none() | st.lists(texts, max_size=2), max_size=3)


def read_stream(data: bytes) -> list[dict[str, str]]:
    """The messages of an event stream as a browser reads them (WHATWG HTML 9.2.6)."""
    messages = []
    message: dict[str, list[str]] = {}
    for line in re.split("\r\n|\r|\n", data.decode()):
        if not line:
            if message:
                messages.append({name: "\n".join(values) for name, values in message.items()})
            message = {}
            continue
        name, _, value = line.partition(":")
        message.setdefault(name, []).append(value.removeprefix(" "))
    return messages


def normal(text: str) -> str:
    """`text` with the line breaks that an event stream can carry."""
    return re.sub("\r\n|\r", "\n", text)


@given(texts, st.sampled_from([None, "saved"]), st.sampled_from([None, "7"]))
def test_a_message_of_a_stream_carries_any_text(data: str, event: str | None, id: str | None) -> None:
    [message] = read_stream(sse_message(data, event=event, id=id))
    wanted = {"event": event, "id": id, "data": normal(data)}
    assert message == {name: value for name, value in wanted.items() if value is not None}


@given(texts, texts, details)
def test_a_frame_is_one_unnamed_message_and_one_for_each_effect(
    markup: str, other: str, detail: dict[str, Any]
) -> None:
    frame = Frame(
        html=markup, component_id="a", version=3, effects=(Emit("saved", detail), Emit("saved", None), Navigate("push", "/a")),
        others=(Frame(html=other, component_id="b.c"),), last=True,
    )  # fmt: skip
    page, first, second, address, done = read_stream(sse_frame(frame, "html"))
    assert page == {
        "id": "3",
        "data": normal(f'{markup}<hx-partial hx-target="#b\\.c" hx-swap="outerMorph">{other}</hx-partial>'),
    }
    assert (first["event"], json.loads(first["data"]), json.loads(second["data"])) == ("saved", detail, None)
    assert (address["event"], json.loads(address["data"])) == ("component:navigate", {"push": "/a"})
    assert (done["event"], json.loads(done["data"])) == ("component:done", {"version": 3})


@given(texts, details)
def test_a_frame_for_programs_is_one_message_of_json(markup: str, detail: dict[str, Any]) -> None:
    frame = Frame(html=markup, component_id="a", token="t", version=3, effects=(Emit("saved", detail),))
    [message] = read_stream(sse_frame(frame, "json"))
    assert json.loads(message["data"]) == {
        "html": markup, "state": "t", "component_id": "a", "errors": {}, "effects": [{"emit": "saved", "detail": detail}], "stream_done": False,
    }  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(["saved", "added"]), details), min_size=1, max_size=5))
def test_every_effect_arrives_by_header_however_often_its_name_does(emitted: list[tuple[str, dict[str, Any]]]) -> None:
    frame = Frame(html="<p></p>", component_id="a", effects=tuple(Emit(name, detail) for name, detail in emitted))
    header = reply(frame, "html").headers["HX-Trigger"]
    assert re.fullmatch(r"[\x20-\x7e]*", header), "a header is printable ASCII"
    found = json.loads(header)
    further = found.pop("component:emit", [])
    arrived = [*found.items(), *((name, detail) for name, detail in further)]
    assert sorted(arrived, key=repr) == sorted(emitted, key=repr)


@pytest.mark.parametrize(
    "text", ["\u010d\u010a", "\u560d\u560a", "\r\nSet-Cookie: a=1", "\x7f", "\x00", "😀", "\u2028"]
)
def test_no_character_becomes_the_end_of_a_header(text: str) -> None:
    effects = (Emit("saved", {text: text}),)
    header = reply(Frame(html="", component_id="a", effects=effects), "html").headers["HX-Trigger"]
    assert header.isascii()
    assert header.isprintable()
    assert json.loads(header) == {"saved": {text: text}}
    header.encode("latin-1")


def test_a_frame_without_effects_has_no_header_of_them() -> None:
    assert reply(Frame(html="<p></p>", component_id="a"), "html") == Reply(
        200, {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8"}, b"<p></p>"
    )  # fmt: skip


def test_addresses_are_headers_of_their_own() -> None:
    effects = (Navigate("push", "/a"), Navigate("replace", "/b"), Navigate("redirect", "/c"))
    headers = reply(Frame(html="", component_id="a", effects=effects), "html").headers
    assert {name: value for name, value in headers.items() if name.startswith("HX-")} == {
        "HX-Push-Url": "/a",
        "HX-Replace-Url": "/b",
        "HX-Redirect": "/c",
    }


@pytest.mark.parametrize("envelope", ["html", "json"])
def test_nothing_to_show_has_no_body_in_either_envelope(envelope: Any) -> None:
    answer = reply(Frame(html="", component_id="a", status=204, effects=(Emit("saved", {}),)), envelope)
    assert (answer.status, answer.body, answer.headers["HX-Trigger"]) == (204, b"", '{"saved":{}}')
    assert "Content-Type" not in answer.headers


def test_an_invalid_payload_has_its_code_in_both_envelopes() -> None:
    frame = Frame(html="<p></p>", component_id="a", status=422, errors={"by": ["No."]})
    assert reply(frame, "html").headers["X-Component-Code"] == "invalid"
    found = json.loads(bytes(reply(frame, "json").body))  # type: ignore[arg-type]  # one frame is bytes
    assert (found["code"], found["errors"]) == ("invalid", {"by": ["No."]})


ERRORS: list[RequestError] = [
    *(kind() for kind in RequestError.__subclasses__() if kind not in (Invalid,)),
    Invalid({"by": ["No."]}),
    TooMany(retry_after=9),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_refusal_is_swapped_nowhere_and_says_its_code_everywhere(error: RequestError) -> None:
    page = refusal(error, "id-1", "html", None)
    program = refusal(error, "id-1", "json", None)
    assert page.status == program.status == error.status
    assert page.headers["X-Component-Code"] == program.headers["X-Component-Code"] == error.code
    assert page.headers["HX-Reswap"] == "none"
    notice = {"code": error.code, "status": error.status, "id": "id-1", "message": error.public}
    assert json.loads(page.headers["HX-Trigger"]) == {"component:error": notice}
    assert json.loads(bytes(program.body)).items() >= notice.items()  # type: ignore[arg-type]  # one frame is bytes
    assert page.headers["Cache-Control"] == program.headers["Cache-Control"] == "no-store"


def test_a_refusal_may_say_where_or_when_to_go_on() -> None:
    assert refusal(Unauthenticated(login_url="/login"), "", "html", None).headers["HX-Redirect"] == "/login"
    assert refusal(TooMany(retry_after=9), "", "html", None).headers["Retry-After"] == "9"


def test_a_fresh_render_is_swapped() -> None:
    answer = refusal(StateExpired(), "id-1", "html", Frame(html="<p>new</p>", component_id="a"))
    assert (answer.status, answer.body) == (409, b"<p>new</p>")
    assert "HX-Reswap" not in answer.headers
    assert json.loads(answer.headers["HX-Trigger"])["component:reset"]["code"] == "state_expired"


@pytest.mark.parametrize("envelope", ["html", "json"])
def test_a_stream_that_fails_says_so_and_ends(envelope: Any) -> None:
    messages = read_stream(sse_error(Failed(), "id-1", envelope))
    assert messages[0]["event"] == "component:error"
    assert json.loads(messages[0]["data"])["id"] == "id-1"
    assert messages[-1].get("event") == "component:done" or json.loads(messages[-1]["data"])["stream_done"] is True


def test_nothing_on_the_way_may_hold_a_stream_back() -> None:
    assert (
        stream_headers().items()
        >= {
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "Content-Type": "text/event-stream; charset=utf-8",
        }.items()
    )
