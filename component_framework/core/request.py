"""From an HTTP request to a Call: the bounds, the content types and the two envelopes of WIRE.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from .component import NOBODY, NOTHING, Context
from .errors import Invalid, Malformed, RequestError, StateInvalid, TooLarge, Unsupported
from .fitting import Form
from .limits import Limits
from .multipart import read_multipart
from .plain import decode_json
from .spec import Spec
from .wire import Call, Envelope

READ_HEADERS = (
    "host", "origin", "sec-fetch-site", "content-type", "content-encoding", "content-length", "accept", "hx-request",
    "x-component-state", "x-component-id", "x-component-event-id", "x-component-upload", "x-forwarded-for",
)  # fmt: skip
"""The headers that decide how a request is read; an adapter need not pass any others."""

_PLAIN_PAIRS = re.compile(r"[\w.-]+=[\w.~*!-]*(?:&[\w.-]+=[\w.~*!-]*)*", re.ASCII)
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_JSON = "application/json"
_LONGEST_EVENT_ID = 100
_ENVELOPE_KEYS = frozenset({"event", "payload", "state", "params", "component_id", "event_id"})


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A POST as an adapter found it: header names in small letters, `query` without its question mark.

    `form` has the fields where somebody has parsed the body already, and it cannot be read again.
    """

    component: str
    headers: Mapping[str, str]
    query: str = ""
    body: bytes = b""
    form: Form | None = None
    stream: bool = False
    refused: RequestError | None = None
    """What the adapter found wrong before the engine could; the engine answers it as any other refusal."""
    context: Context = NOBODY

    @property
    def envelope(self) -> Envelope:
        """JSON for programs that send JSON, HTML for htmx and for forms."""
        if "hx-request" in self.headers or _media_type(self.headers) != _JSON:
            return "html"
        return "json"


def read_call(request: HttpRequest, limits: Limits) -> Call:
    """The Call in `request`; raises TooLarge, Unsupported, Malformed, Invalid or StateInvalid."""
    if len(request.body) > limits.body:
        raise TooLarge(f"the body has {len(request.body)} bytes")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unsupported(f"the body is encoded as {request.headers['content-encoding']!r}")
    query = _read_query(request.query, limits)
    if request.envelope == "json":
        return _read_json(request, query, limits)
    return _read_form(request, query, limits)


def _read_form(request: HttpRequest, query: dict[str, str], limits: Limits) -> Call:
    headers = request.headers
    form = _parse_body(request, limits) if request.form is None else _parsed(request.form, limits)
    own = {name: form.pop(name)[-1] for name in ("_state", "_id", "_event_id", "csrfmiddlewaretoken") if name in form}
    event = query.pop("event", None)
    if event is None and "event" in form:
        event = form.pop("event")[-1]
    if len(form) > limits.arguments:
        raise TooLarge(f"the payload has {len(form)} names")
    return Call(
        component=request.component,
        event=event or None,
        payload=form,
        state=headers.get("x-component-state") or own.get("_state"),
        component_id=headers.get("x-component-id") or own.get("_id"),
        event_id=_event_id(headers.get("x-component-event-id") or own.get("_event_id")),
        params=_as_form(query) if query else NOTHING,
        stream=request.stream,
        accepts_stream="text/event-stream" in headers.get("accept", ""),
        context=request.context,
    )


def _read_json(request: HttpRequest, query: dict[str, str], limits: Limits) -> Call:
    data = decode_json(request.body, max_depth=limits.depth) if request.body else {}
    if not isinstance(data, dict):
        raise Malformed("the body is JSON, but not an object")
    if unknown := data.keys() - _ENVELOPE_KEYS:
        raise Malformed(f"the envelope has no {min(unknown)!r}")
    if data.get("state") is not None and not isinstance(data["state"], str):
        raise StateInvalid("the state is not a token")
    headers = request.headers
    payload = _mapping(data, "payload")
    if len(payload) > limits.arguments:
        raise TooLarge(f"the payload has {len(payload)} names")
    event = query.pop("event", None)
    return Call(
        component=request.component,
        event=event or _text(data, "event"),
        payload=payload,
        state=data.get("state") or headers.get("x-component-state"),
        component_id=_text(data, "component_id") or headers.get("x-component-id"),
        event_id=_event_id(_text(data, "event_id") or headers.get("x-component-event-id")),
        params=_mapping(data, "params") or _as_form(query),
        envelope="json",
        stream=request.stream,
        accepts_stream="text/event-stream" in headers.get("accept", ""),
        context=request.context,
    )


def _parse_body(request: HttpRequest, limits: Limits) -> Form:
    body = request.body
    if not body:
        return Form()
    kind = _media_type(request.headers)
    if kind == _URLENCODED:
        if len(body) > limits.payload + limits.state:
            raise TooLarge(f"the form has {len(body)} bytes")
        try:
            return _parse_pairs(body.decode(), limits)
        except UnicodeDecodeError as exc:
            raise Malformed(f"the form is not UTF-8: {exc.reason}") from None
    if kind == _MULTIPART:
        return read_multipart(request.headers["content-type"], body, limits)
    raise Unsupported(f"the content type is {kind!r}")


def _parsed(fields: Form, limits: Limits) -> Form:
    if sum(map(len, fields.values())) > limits.fields:
        raise TooLarge(f"the form has more than {limits.fields} fields")
    return Form(fields)


def _parse_pairs(text: str, limits: Limits) -> Form:
    form = Form()
    if text.count("&") >= limits.fields:
        raise TooLarge(f"the form has more than {limits.fields} fields")
    if _PLAIN_PAIRS.fullmatch(text):  # nothing is escaped in most forms, and then there is nothing to decode
        pairs = [pair.split("=", 1) for pair in text.split("&")]
    else:
        pairs = _decode_pairs(text)
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def _decode_pairs(text: str) -> list[list[str]]:
    try:
        return [list(pair) for pair in parse_qsl(text, keep_blank_values=True, errors="strict")]
    except UnicodeDecodeError as exc:
        raise Malformed(f"the form is not UTF-8: {exc.reason}") from None


def _read_query(query: str, limits: Limits) -> dict[str, str]:
    if not query:
        return {}
    if query.startswith("event=") and query[6:].isidentifier():
        return {"event": query[6:]}  # what on() writes, nearly every time
    form = _parse_pairs(query, limits)
    if repeated := [name for name, values in form.items() if len(values) > 1]:
        raise Invalid({repeated[0]: ["This was sent more than once."]})
    return {name: values[0] for name, values in form.items()}


def _as_form(query: dict[str, str]) -> Form:
    return Form({name: [value] for name, value in query.items()})


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{key!r} is not an object")
    return value


def _event_id(text: str | None) -> str | None:
    """The id of an event, which a record remembers: it may not be used to fill a store."""
    if text is not None and len(text) > _LONGEST_EVENT_ID:
        raise Malformed(f"the event's id has {len(text)} characters")
    return text


def _text(data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{key!r} is not text")
    return value or None


def public_params(spec: Spec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Params that a visitor may choose, typed; raises Invalid for any other."""
    if private := params.keys() - spec.public:
        raise Invalid({name: ["This cannot be chosen here."] for name in sorted(private)})
    return spec.fit_params(params) if params else {}
