"""Hostile requests, as data: what a visitor could send to any host, and the status that WIRE.md gives it.

Every attack is aimed at a `tally` whose count is 40, or at the component that it names, on a page that works. After
it, the page still works and the count is what it was.
"""

import base64
import gzip
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from .wire import FORM

JSON = "application/json"


@dataclass(frozen=True)
class Attack:
    """One request; `{token}` and `{id}` in `path`, `headers` and `body` stand for what the page has."""

    title: str
    status: int
    code: str
    path: str = "/components/tally?event=add"
    body: str | bytes = ""
    kind: str = FORM
    headers: Mapping[str, str] = field(default_factory=dict)
    forge: Callable[[str], str] | None = None
    """Makes the token of the request from the page's."""
    bare: bool = False
    """Sent without the page's token and id."""
    component: str = "tally"


def html(title: str, status: int, code: str, body: str | bytes = "", **more: object) -> Attack:
    return Attack(title, status, code, body=body, **more)  # type: ignore[arg-type]  # checked by the dataclass's users


def json(title: str, status: int, code: str, body: str | bytes) -> Attack:
    """A body in the JSON envelope, to the address that names no event."""
    return Attack(title, status, code, "/components/tally", body, JSON)


def event(name: str) -> Attack:
    return Attack(f"event {name[:40]!r}", 404, "unknown", f"/components/tally?event={quote(name)}")


def component(name: str) -> Attack:
    return Attack(f"component {name[:40]!r}", 404, "unknown", f"/components/{quote(name)}?event=add", bare=True)


def enveloped(event_json: str) -> str:
    return '{"event": "add", "state": "{token}", "component_id": "{id}", "payload": %s}' % event_json  # noqa: UP031


def flip(token: str) -> str:
    return f"{token[:9]}{'A' if token[9] != 'A' else 'B'}{token[10:]}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


NAMES = tuple(
    event(name)
    for name in (
        "__init__", "__class__", "__dict__", "__call__", "__reduce__", "_private", "_fields", "_host", "mount", "hydrate", "dehydrate",
        "authorize", "handle_event", "render", "get_context", "dispatch", "async_dispatch", "migrate", "state", "emit", "redirect",
        "update", "push_url", "count", "template_name", "renderer", "context", "on_add", "on_", "add_", "Add", "ADD", "add ", " add",
        "add.__call__", "add()", "add/../clear", "../add", "add\0", "add\r\nX-Evil: 1", "add\n", "аdd", "ａdd", "add\u200b", "{{7*7}}",
        "'; DROP TABLE users; --", "<script>", "self", "request", "x" * 4000, "component:error", "live", "on",
        "add\u2028", "add\u2029", "add\x85", "add\x7f", "add\x1b[31m", "\u202eadd", "\ufeffadd", "ad\u0064\u0301", "ªdd", "add%00", "%61dd", "add%", "call:add",
        "call:__init__", "get_topics", "catch_up", "unit_of_work", "skip_render", "replace_url", "engine", "user", "params", "id", "errors",
        "permissions", "topics", "on.add", "on__add", "__init_subclass__", "__getattribute__", "add,clear", "add;clear", "add|clear", "null", "0",
    )
) + tuple(
    component(name)
    for name in (
        "Tally", "TALLY", "tаlly", "tally ", "tally\0", "__class__", "__init__", "tests.conformance.components", "Component", "os.system",
        "ws", "static", "x" * 2000, "{{7*7}}", "<script>alert(1)</script>", "tally.html", "..", "tally;add", "tally\r\nX: y",
        "ｔally", "tally\u200b", "tally\u2028", "tally\x1b[31m", "tally%00", "tally.", "tally-", ".tally", "tally:add", "builtins", "eval",
        "component_framework.core.component", "component_framework.core.component:Component", "null", "0", "-1",
    )
)  # fmt: skip

PAYLOADS = tuple(
    html(f"form {body[:60]!r}", 422, "invalid", body)
    for body in (
        "evil=1", "by=1&evil=1", "self=1", "by=1&self=1", "request=1", "__class__=x", "__dict__=x", "by[]=1", "by.real=1", "BY=1", "by%00=1",
        "by=1&by=2", "by=x", "by=", "by=1.5", "by=0x10", "by=0b1", "by=1_000", "by=NaN", "by=Infinity", "by=-", "by=--1",
        "by=null", "by=%5B1%5D", "by=%7B%7D", "by=1%00", "by=1;2", "by=%F0%9F%98%80", "by=%EF%BC%91",
        "by=%D9%A1", "by=%C2%B2", "by=%E2%85%A0", "by=%E0%A5%A7", "by=%E2%80%A81", "by=+1", "by=1,000", "by=1%0A", "by=true", "by=on", "by[0]=1", "by[__class__]=1",
        "by=1&__proto__=x", "by=1&constructor=x", "by%E2%80%A8=1", "%E2%80%A8=1", "_state_=x", "_event=clear", "by=1&_by=2", "hx-vals=x",
        "=1", "by=1&=", "count=99", "state=x", "note=x", "component_id=x", "params=x",
    )
) + (
    html("a number of 5,000 digits", 422, "invalid", "by=" + "9" * 5_000),
    html("a number of 200,000 digits", 422, "invalid", "by=" + "9" * 200_000),
    html("a number of 4,299 digits", 422, "invalid", "by=" + "9" * 4_299),
    html("a number over 64 bits", 422, "invalid", "by=9223372036854775808"),
    html("60 names", 413, "too_large", "&".join(f"a{n}=1" for n in range(60))),
    html("300 values of one name", 413, "too_large", "&".join("by=1" for _ in range(300))),
    html("200,000 fields", 413, "too_large", "&".join("a=" for _ in range(200_000))),
    html("a form of 900 KiB", 413, "too_large", "by=" + "1" * 900 * 1024),
    html("a body of 2 MiB", 413, "too_large", "by=" + "1" * 2 * 1024 * 1024),
    html("an address with a parameter that is not public", 422, "invalid", path="/components/tally?event=add&count=99", bare=True),
    html("an address that names two events", 422, "invalid", path="/components/tally?event=add&event=clear"),
    html("an address with 300 parameters", 413, "too_large", path="/components/tally?" + "&".join(f"a{n}=" for n in range(300))),
    html("an address that is not UTF-8", 400, "malformed", path="/components/tally?event=%FF"),
)  # fmt: skip

ENCODINGS = (
    html("a form that is not UTF-8, escaped", 400, "malformed", "by=%FF"),
    html("a form that is not UTF-8, raw", 400, "malformed", b"by=\xff"),
    html("a form with half of a surrogate", 400, "malformed", "by=%ED%A0%80"),
    html("a name that is not UTF-8", 400, "malformed", b"\xc3=1"),
    html("text that is not UTF-8, raw, for a field of text", 400, "malformed", b"note=\xff",
         path="/components/tally?event=remark"),
    *(
        html(f"a body encoded as {coding!r}", 415, "unsupported", body, headers={"content-encoding": coding})
        for coding, body in (
            ("GZIP", gzip.compress(b"by=1")), ("gzip, gzip", gzip.compress(gzip.compress(b"a" * 10_000_000))), ("deflate", "by=1"),
            ("zstd", "by=1"), ("x-gzip", "by=1"), ("identity, gzip", "by=1"), ("gzip", gzip.compress(b"by=1")), ("gzip", gzip.compress(b"a" * 10_000_000)), ("br", "by=1"))
    ),
    *(
        html(f"content type {kind!r}", 415, "unsupported", "by=1", kind=kind)
        for kind in (
            "text/plain", "text/html", "text/xml", "application/xml", "application/octet-stream", "application/pickle", "image/png",
            "application/x-msgpack", "application/json", "application/json; charset=utf-8", "application/jsonp", "multipart/mixed; boundary=x",
            "application/ld+json", "application/vnd.api+json", "application/graphql", "application/yaml", "text/javascript", "multipart/related; boundary=x",
            "multipart/form-data-x; boundary=x", "application/x-www-form-urlencoded, text/plain", "APPLICATION/JSON", "text/plain;charset=utf-7",
            "application/x-www-form-urlencodedx", "application/*", "*/*", "x", ";", "text/plain; application/x-www-form-urlencoded",
        )
    ),
    html("multipart without a boundary", 400, "malformed", "by=1", kind="multipart/form-data"),
    html("multipart without parts", 400, "malformed", "by=1", kind="multipart/form-data; boundary=x"),
    html("multipart with a file", 422, "invalid", kind="multipart/form-data; boundary=x", body=(
        '--x\r\nContent-Disposition: form-data; name="by"; filename="../../etc/passwd"\r\n\r\n1\r\n--x--\r\n'
    )),
    html("multipart with 300 parts", 413, "too_large", kind="multipart/form-data; boundary=x", body=(
        '--x\r\nContent-Disposition: form-data; name="by"\r\n\r\n1\r\n' * 300 + "--x--\r\n"
    )),
    html("multipart that is not UTF-8", 400, "malformed", kind="multipart/form-data; boundary=x", body=(
        b'--x\r\nContent-Disposition: form-data; name="by"\r\n\r\n\xff\r\n--x--\r\n'
    )),
)  # fmt: skip

ENVELOPES = (
    *(json(f"JSON {body[:40]!r}", 400, "malformed", body) for body in (
        "[]", "[1]", '"x"', "null", "1", "true", "{", "}", '{"event"}', "{'event': 'add'}", '{"event": "add"}x', "\ufeff{}", "NaN",
        '{"payload": NaN}', '{"payload": {"by": NaN}}', '{"payload": {"by": Infinity}}', '{"payload": {"by": -Infinity}}', '{"payload": []}',
        '{"payload": "x"}', '{"payload": 1}', '{"event": 1}', '{"event": []}', '{"event": {"a": 1}}', '{"component_id": 7}', '{"params": []}',
        '{"evil": 1}', '{"__class__": 1}', '{"event_id": []}', '{"event": "\\ud800"}', '{"event": "a\nb"}',
    )),
    json("JSON that is not UTF-8", 400, "malformed", b'{"event": "\xff"}'),
    json("JSON in UTF-16", 400, "malformed", '{"event": "add"}'.encode("utf-16")),
    json("JSON 1,000 deep", 413, "too_large", '{"payload":' + "[" * 1000 + "]" * 1000 + "}"),
    json("JSON 100,000 deep and never closed", 413, "too_large", "[" * 100_000),
    json("JSON with 60 names in its payload", 413, "too_large", enveloped("{%s}" % ",".join(f'"a{n}": 1' for n in range(60)))),  # noqa: UP031
    json("a state that is an object", 400, "state_invalid", '{"event": "add", "state": {"count": 99}}'),
    json("a state that is a list", 400, "state_invalid", '{"event": "add", "state": [99]}'),
    json("a state that is a number", 400, "state_invalid", '{"event": "add", "state": 99}'),
    json("a state that is unsigned JSON", 400, "state_invalid", '{"event": "add", "state": "{\\"count\\": 99}"}'),
    json("an event's name of 900 KiB", 404, "unknown", '{"event": "%s"}' % ("ab" * 450 * 1024)),
    json("an event's id of 200 KiB", 400, "malformed", '{"event": "add", "event_id": "%s"}' % ("x" * 200 * 1024)),
    json("params that are not public", 422, "invalid", '{"event": "add", "params": {"count": 99}}'),
    json("params that say `component_id`", 422, "invalid", '{"event": "add", "params": {"component_id": "x"}}'),
    json("params that say `self`", 422, "invalid", '{"event": "add", "params": {"self": 1}}'),
    *(json(f"payload {payload[:40]}", 422, "invalid", enveloped(payload)) for payload in (
        '{"by": "1"}', '{"by": 1.5}', '{"by": true}', '{"by": null}', '{"by": []}', '{"by": {}}', '{"by": "x"}', '{"evil": 1}', '{"self": 1}', '{"__class__": 1}', '{"": 1}', '{"by": 1, "evil": {"a": [1]}}',
        '{"by": 99999999999999999999999}', '{"by": -9223372036854775809}',
    )),
    *(json(f"payload {payload[:40]}", 400, "malformed", enveloped(payload)) for payload in (
        '{"by": 1e400}', '{"by": 1e3000000}', '{"by": %s}' % ("9" * 5000), '{"by": %s}' % ("9" * 200_000),
    )),
)  # fmt: skip

TOKENS = tuple(
    html(f"a token that is {title}", 400, "state_invalid", "by=1", forge=forge)
    for title, forge in (
        ("edited", flip),
        ("cut short", lambda token: token[:-1]),
        ("cut in half", lambda token: token[: len(token) // 2]),
        ("doubled", lambda token: token + token),
        ("followed by something", lambda token: token + "A"),
        ("in another alphabet", lambda token: token.replace("-", "+").replace("_", "/") + "+"),
        ("padded", lambda token: token + "="),
        ("without its signature", lambda token: token.partition(".")[0]),
        ("with an empty signature", lambda token: token.partition(".")[0] + "."),
        ("nothing but its signature", lambda token: "." + token.rpartition(".")[2]),
        ("a dot", lambda token: "."),
        ("dots", lambda token: "..."),
        ("text", lambda token: "x"),
        ("a number", lambda token: "0"),
        ("the word null", lambda token: "null"),
        ("unsigned JSON", lambda token: '{"count": 99}'),
        ("unsigned JSON, encoded", lambda token: encoded(b'1[1,"c-1","",1,{},{},{"count":99}]') + "." + token.rpartition(".")[2]),
        ("a pickle", lambda token: encoded(pickle.dumps({"count": 99}))),
        ("a pickle with the page's signature", lambda token: encoded(pickle.dumps({"count": 99})) + "." + token.rpartition(".")[2]),
        ("of another version", lambda token: encoded(b"9{}") + "." + token.rpartition(".")[2]),
        ("a path", lambda token: "../../etc/passwd"),
        ("markup", lambda token: "<script>alert(1)</script>"),
        ("in Latin-1", lambda token: "\xe9" + token),
        ("long", lambda token: "A" * 6000),
    )
)  # fmt: skip

IDENTITIES = (
    html("the page's token under another id", 400, "state_invalid", headers={"x-component-id": "c-9"}),
    html("the page's token for another component", 400, "state_invalid", path="/components/counter?event=increment"),
    html("the page's token for another visitor", 400, "state_invalid", headers={"x-user": "eve"}),
    html("an id that is markup", 409, "state_required", bare=True, headers={"x-component-id": '"><script>alert(1)</script>'}),
    html("an id that is markup, as a field", 409, "state_required", "_id=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", bare=True),
    html("an id that is a path", 409, "state_required", "_id=../../etc/passwd", bare=True),
    html("an event's id of 5,000 characters", 400, "malformed", "by=1", headers={"x-component-event-id": "x" * 5000}),
    html("an event's id of 5,000 characters, as a field", 400, "malformed", "by=1&_event_id=" + "x" * 5000),
    html("an id with U+2028", 409, "state_required", "_id=a%E2%80%A8b", bare=True),
    html("a loader's token that is not one", 400, "state_invalid", headers={"x-component-state": "lazy."}, bare=True),
    html("the page's token as a loader's", 400, "state_invalid", forge=lambda token: "lazy." + token),
    html("an id of 5,000 characters", 409, "state_required", "_id=" + "x" * 5000, bare=True),
    html("an id that would be a selector", 409, "state_required", "_id=x%20%3E%20*", bare=True),
    json("an id that is markup, in JSON", 409, "state_required", '{"component_id": "\\"><script>alert(1)</script>"}'),
    html("a form's token of 800 KiB", 413, "too_large", "_state=" + "A" * 800 * 1024, bare=True),
    *(
        html(f"origin {origin!r}", 403, "forbidden", headers={"origin": origin})
        for origin in (
            "https://evil.example", "http://evil.example", "null", "https://testserver.evil.example", "https://eviltestserver",
            "https://testserver:1", "https://testserver@evil.example", "https://evil.example#testserver", "//testserver", "testserver",
            "file://", "javascript:alert(1)", "https://", "ftp://testserver", "https://[::1", "https://testserver:99999999", "",
        )
    ),
    html("a page of another site", 403, "forbidden", headers={"sec-fetch-site": "cross-site"}),
    html("a page of a neighbouring site", 403, "forbidden", headers={"sec-fetch-site": "same-site"}),
    html("a made-up fetch site", 403, "forbidden", headers={"sec-fetch-site": "SAME-ORIGIN"}),
)  # fmt: skip

ADDRESSES = tuple(
    html(f"{how} to {url!r}", 422, "invalid", f"url={quote(url)}", path=f"/components/signal?event={how}", component="signal")
    for how in ("leave", "push", "replace")
    for url in (
        "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "//evil.example",
        "/\\evil.example", "\\\\evil.example", "https://evil.example", "http:evil.example", "https:///evil.example", "/a\r\nSet-Cookie: a=1",
        "/a\nX: y", "/\0", "https://[", "vbscript:x",
        "///evil.example", "////evil.example", "/\t/evil.example", "\t//evil.example", "/\r/evil.example", "HTTPS://evil.example", "https:evil.example",
        "https:/evil.example", "hTTp://evil.example", "//evil.example@testserver", "https://testserver@evil.example", "https://testserver.evil.example",
        "\x01javascript:alert(1)", "javascript\n:alert(1)", "javascript://%0aalert(1)", "blob:x", "file:///etc/passwd", "about:blank", "mailto:a@b.c", "ws://x", "view-source:/x", "feed:javascript:x",
    )
)  # fmt: skip

TARGETS = tuple(
    html(
        f"update of {target!r}",
        422,
        "invalid",
        f"count=1&target={quote(target)}",
        path="/components/signal?event=aim",
        component="signal",
    )
    for target in ('"><script>alert(1)</script>', "", "1", "a b", "a,body", "#body", "a\r\nX-Evil: 1", "x" * 200)
)

FIELDS = tuple(
    html(title, status, code, body, path=f"/components/sign_up?event={event}", component="sign_up")
    for title, status, code, event, body in (
        (
            "a form with a field that it does not have",
            422,
            "invalid",
            "submit",
            "name=A&password=x&terms=on&is_admin=1",
        ),
        ("a form that writes the state", 422, "invalid", "submit", "name=A&password=x&terms=on&joined=x&form_draft=x"),
        ("a form with one name twice", 422, "invalid", "submit", "name=A&name=B&password=x&terms=on"),
        ("a form of 10,000 fields", 413, "too_large", "submit", "&".join(f"lines-{n}-what=x" for n in range(10_000))),
        ("a form of 10,000 rows", 413, "too_large", "submit", "&".join(f"lines={n}" for n in range(10_000))),
        (
            "rows with keys that are markup",
            422,
            "invalid",
            "submit",
            "lines=%22%3E%3Cscript%3E&lines-%3Cscript%3E-what=x",
        ),
        ("rows with a key of 5,000 digits", 422, "invalid", "submit", f"lines-{'9' * 5000}-what=x"),
        ("a row of a row", 422, "invalid", "submit", "lines=0&lines-0-lines-0-what=x"),
        ("rows of what is no list", 422, "invalid", "add_row", "_rows=__class__"),
        ("a submit handler's name", 404, "unknown", "finish", "name=A"),
        ("a form's own method", 404, "unknown", "reset", ""),
    )
)

ROWS = tuple(
    html(f"a row: {title}", status, code, body, path=f"/components/book?{query}", component="book")
    for title, status, code, query, body in (
        ("a field that is read-only", 422, "invalid", "event=save", "title=x&price=0"),
        ("a column that is not shown", 422, "invalid", "event=save", "title=x&owner=eve"),
        ("its version", 422, "invalid", "event=save", "title=x&version=9"),
        ("its key", 422, "invalid", "event=save", "title=x&pk=2"),
        ("what it was before", 422, "invalid", "event=save", "title=x&shown_before=%7B%7D"),
        ("the draft of its form", 422, "invalid", "event=save", "title=x&form_draft=%7B%7D"),
        ("one name twice", 422, "invalid", "event=save", "title=x&title=y"),
        ("a list for text", 422, "invalid", "event=save", "title=x&pages=%5B1%5D"),
        ("a number beyond 64 bits", 422, "invalid", "event=save", f"title=x&pages={'9' * 30}"),
        ("a NUL", 422, "invalid", "event=save", "title=a%00b"),
        ("10,000 fields", 413, "too_large", "event=save", "&".join(f"f{n}=x" for n in range(10_000))),
        ("a row in its form", 422, "invalid", "event=add_row", "_rows=title&title=x"),
        ("another row by the address", 404, "unknown", "event=steal&pk=2", "title=x"),
    )
)

ATTACKS = (*FIELDS, *ROWS, *NAMES, *PAYLOADS, *ENCODINGS, *ENVELOPES, *TOKENS, *IDENTITIES, *ADDRESSES, *TARGETS)
