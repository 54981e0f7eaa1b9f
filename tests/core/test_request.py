"""From a request to a Call: the two envelopes, their bounds, and what none of them lets through."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework.core.errors import Invalid, Malformed, RequestError, StateInvalid, TooLarge, Unsupported
from component_framework.core.limits import Limits
from component_framework.core.request import HttpRequest, read_call
from component_framework.core.wire import Call

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=----x"
OWN = ("event", "_state", "_id", "_event_id", "csrfmiddlewaretoken")
texts = st.text(st.characters(exclude_categories=["Cs"]))
fields = st.lists(st.tuples(texts.filter(lambda name: name not in OWN), texts), max_size=10)


def call(
    body: bytes = b"",
    kind: str = URLENCODED,
    *,
    query: str = "event=save",
    limits: Limits | None = None,
    **headers: str,
) -> Call:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = HttpRequest(component="counter", headers={"content-type": kind, **named}, query=query, body=body)
    return read_call(request, limits or Limits())


def multipart(*pairs: tuple[str, str], boundary: str = "----x") -> bytes:
    """As a browser writes it: quotes and line breaks of a name escaped, nothing else."""
    parts = []
    for name, value in pairs:
        escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{escaped}"\r\n\r\n{value}\r\n')
    return "".join([*parts, f"--{boundary}--\r\n"]).encode()


def grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


@given(fields)
def test_a_form_arrives_as_it_was_filled_in(pairs: list[tuple[str, str]]) -> None:
    assert call(urlencode(pairs).encode()).payload == grouped(pairs)


@given(fields)
def test_a_multipart_form_arrives_as_it_was_filled_in(pairs: list[tuple[str, str]]) -> None:
    if any("%22" in name or "%0" in name or "\r\n------x" in value for name, value in pairs):
        return
    assert call(multipart(*pairs), MULTIPART).payload == grouped(pairs)


@given(
    st.binary(max_size=300),
    st.sampled_from([URLENCODED, MULTIPART, "multipart/form-data", "application/json", "text/plain"]),
)
def test_no_body_is_more_than_refused(body: bytes, kind: str) -> None:
    try:
        call(body, kind)
    except RequestError as exc:
        status = exc.status
    else:
        status = 200
    assert status < 500


PIECES = [
    b"------x", b"--", b"\r\n", b"\n", b"\r\n\r\n", b"Content-Disposition: form-data", b"; name=", b'"a"', b'"', b"; filename=f", b"a", b"\xff",
    b"Content-Type: multipart/mixed; boundary=y", b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64", b"; name*=UTF-8''%FF", b":", b" ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_multipart_body_is_more_than_refused(pieces: list[bytes]) -> None:
    try:
        payload = call(b"".join(pieces), MULTIPART).payload
    except (Malformed, Invalid, TooLarge):
        return
    json.dumps(payload, ensure_ascii=False).encode()


def test_parts_within_parts_are_not_unpacked() -> None:
    body = b"".join(b"--%d\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n" % (n, n + 1) for n in range(15_000))
    with pytest.raises(Malformed):
        call(body, "multipart/form-data; boundary=0")


def test_an_encoding_that_no_browser_uses_is_not_undone() -> None:
    body = b'------x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=\r\n------x--'
    assert call(body, MULTIPART).payload == {"a": ["aGk="]}


@pytest.mark.parametrize(
    "head",
    ['name="a"; filename="f.txt"', 'filename=""; name="a"', "name=\"a\"; filename*=UTF-8''f", 'NAME="a"; FileName=f'],
)
def test_a_file_is_refused(head: str) -> None:
    with pytest.raises(Invalid):
        call(f"------x\r\ncontent-disposition: form-data; {head}\r\n\r\n1\r\n------x--".encode(), MULTIPART)


def test_a_field_may_be_called_like_a_file() -> None:
    assert call(multipart(("a; filename=x", "1")), MULTIPART).payload == {"a; filename=x": ["1"]}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"------x", b"------x\r\n", multipart(("a", "1"))[:-6], b"x" + multipart(("a", "1")),
        b"------x\r\n\r\n1\r\n------x--", b"------x\r\nContent-Disposition: form-data\r\n\r\n1\r\n------x--",
        b"------x\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n------x--", multipart(("a", "1")).replace(b"\r\n\r\n", b"\r\n"),
        multipart(("a", "1")).replace(b'"a"', b'"\xff"'), multipart(("a", "1")).replace(b"\r\n1\r\n", b"\r\n\xff\r\n"),
    ],
)  # fmt: skip
def test_a_multipart_body_that_is_cut_or_unreadable_is_malformed(body: bytes) -> None:
    if not body:
        assert call(body, MULTIPART).payload == {}
        return
    with pytest.raises(Malformed):
        call(body, MULTIPART)


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=€",
        'multipart/form-data; boundary="',
    ],
)
def test_a_multipart_body_without_a_boundary_is_malformed(kind: str) -> None:
    with pytest.raises(Malformed):
        call(multipart(("a", "1")), kind)


@pytest.mark.parametrize(
    "kind", ['multipart/form-data; boundary="a b"', "Multipart/Form-Data; charset=utf-8; Boundary=ab"]
)
def test_a_boundary_is_read_however_it_is_written(kind: str) -> None:
    boundary = "a b" if '"' in kind else "ab"
    assert call(multipart(("a", "1"), boundary=boundary), kind).payload == {"a": ["1"]}


def test_the_fields_of_the_framework_are_taken_out_of_the_payload() -> None:
    found = call(b"_state=token&_id=c-1&_event_id=e-1&csrfmiddlewaretoken=x&by=2", query="")
    assert (found.state, found.component_id, found.event_id, found.payload) == ("token", "c-1", "e-1", {"by": ["2"]})
    found = call(b"_state=token&_id=c-1", x_component_state="newer", x_component_id="c-2")
    assert (found.state, found.component_id) == ("newer", "c-2"), "headers count before fields"


def test_the_event_is_named_by_the_address_or_by_the_body() -> None:
    assert call(b"event=save&by=2", query="") == Call(component="counter", event="save", payload={"by": ["2"]})
    assert call(b"event=other").event == "save"
    assert call(b"by=2", query="").event is None


def test_the_query_brings_params_and_says_each_of_them_once() -> None:
    assert call(query="event=save&pk=7").params == {"pk": ["7"]}
    with pytest.raises(Invalid):
        call(query="pk=7&pk=8")
    with pytest.raises(Malformed):
        call(query="event=%ff")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "application/x-www-form-urlencodedx"])
def test_a_form_of_another_content_type_is_unsupported(kind: str) -> None:
    with pytest.raises(Unsupported):
        call(b"by=1", kind, hx_request="true")


LIMITS = Limits(body=1000, payload=300, state=300, fields=5, arguments=3)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a" * 1001, URLENCODED), (b"a=" + b"1" * 700, URLENCODED), (b"a=1&" * 6, URLENCODED), (b"a&b&c&d", URLENCODED),
        (multipart(*[("a", "1")] * 6), MULTIPART), (multipart(*[(name, "1") for name in "abcd"]), MULTIPART),
        (json.dumps({"payload": dict.fromkeys("abcd", 1)}).encode(), "application/json"),
        (b'{"payload": {"a": [[[[[[[[1]]]]]]]]}}', "application/json"),
    ],
)  # fmt: skip
def test_what_is_over_a_limit_is_too_large(body: bytes, kind: str) -> None:
    with pytest.raises(TooLarge):
        call(body, kind, limits=LIMITS)


def test_what_is_at_the_limit_is_not() -> None:
    assert len(call(b"a=1&b=1&c=1&c=2&c=3", limits=LIMITS).payload) == 3
    assert (
        len(
            call(
                multipart(("a", "1"), ("b", "1"), ("c", "1"), ("c", "2"), ("c", "3")), MULTIPART, limits=LIMITS
            ).payload
        )
        == 3
    )


def test_json_is_the_envelope_of_programs() -> None:
    body = {
        "event": "save",
        "payload": {"by": 2},
        "state": "token",
        "params": {"pk": 7},
        "component_id": "c-1",
        "event_id": "e",
    }
    found = call(json.dumps(body).encode(), "application/json; charset=utf-8", query="")
    assert found == Call(
        component="counter",
        event="save",
        payload={"by": 2},
        state="token",
        component_id="c-1",
        event_id="e",
        params={"pk": 7},
        envelope="json",
    )


@pytest.mark.parametrize(
    "body",
    [
        "[]", '"x"', "null", "1", "{", "NaN", '{"payload": []}', '{"payload": NaN}', '{"params": "x"}', '{"event": 1}', '{"event": ["save"]}',
        '{"component_id": {}}', '{"event_id": 5}', '{"evil": 1}', '{"Payload": {}}', '{"state": ""}x',
    ],
)  # fmt: skip
def test_a_json_envelope_of_another_shape_is_malformed(body: str) -> None:
    with pytest.raises(Malformed):
        call(body.encode(), "application/json", query="")


@pytest.mark.parametrize("state", [{}, [], 1, True, {"count": 3}])
def test_a_state_that_is_no_token_is_refused(state: Any) -> None:
    with pytest.raises(StateInvalid):
        call(json.dumps({"state": state}).encode(), "application/json", query="")


@given(
    st.lists(
        st.tuples(st.text("ab.-_1", min_size=1, max_size=4), st.text("ab.-_~*!1%+ é&=", max_size=6)),
        min_size=1,
        max_size=6,
    )
)
def test_a_plain_form_is_read_as_an_escaped_one_would_be(pairs: list[tuple[str, str]]) -> None:
    from urllib.parse import parse_qsl, quote_plus, unquote_to_bytes

    from component_framework.core.limits import Limits
    from component_framework.core.request import _parse_pairs

    for text in (
        "&".join(f"{name}={quote_plus(value)}" for name, value in pairs),
        "&".join(f"{name}={value}" for name, value in pairs),
    ):
        try:
            unquote_to_bytes(text).decode()
        except UnicodeDecodeError:
            continue  # refused, as other tests say
        expected: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            expected.setdefault(name, []).append(value)
        assert _parse_pairs(text, Limits()) == expected
