"""What crosses the network, as plain data.

Call    what the browser asked for, whatever carried it
Frame   one rendering of a component together with its effects
Reply   frames encoded for HTTP; an adapter copies it into a native response
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from .component import NOBODY, NOTHING, Context
from .effects import Effect, Emit, Navigate
from .errors import PayloadError, RequestError
from .limits import Limits

logger = logging.getLogger("component_framework")

Envelope = Literal["html", "json"]

HTML = "text/html; charset=utf-8"
JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
HTML_HEADERS: Mapping[str, str] = {**_HEADERS, "Content-Type": HTML}
"""What an answer has in its head that is neither a refusal nor brings effects: this very object, so that it can be known again."""
_NAVIGATE_HEADERS = {"push": "HX-Push-Url", "replace": "HX-Replace-Url", "redirect": "HX-Redirect"}
_LINE_BREAK = re.compile(r"\r\n?")
_IN_SELECTOR = re.compile(r"([.:])")
_ESCAPED = r"\\\1"
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What one request asks of one component.

    `payload` is a JSON object, or a `fitting.Form`; `state` the token; `params` unsigned ones, which only a first
    contact may bring and only those that the class makes public.
    """

    component: str
    event: str | None = None
    payload: Mapping[str, Any] = NOTHING
    state: str | None = None
    component_id: str | None = None
    event_id: str | None = None
    params: Mapping[str, Any] = NOTHING
    envelope: Envelope = "html"
    stream: bool = False
    accepts_stream: bool = False
    context: Context = NOBODY


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One rendering of a component, with what else the browser is to do.

    `html` is the component's root element, stamped; `others` are components elsewhere on the page; `errors` maps a
    field to its messages; `last` ends the answer.
    """

    html: str
    component_id: str
    token: str | None = None
    version: int = 0
    effects: tuple[Effect, ...] = ()
    others: tuple[Frame, ...] = ()
    errors: Mapping[str, Any] = NOTHING
    status: int = 200
    last: bool = False
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    """What a `@call` gives, as JSON."""

    def markup(self) -> str:
        """The root, and every other component as a partial of its own (htmx 4)."""
        if not self.others:
            return self.html
        return self.html + "".join(partial(f"#{other.component_id}", "outerMorph", other.html) for other in self.others)


def partial(selector: str, swap: str, markup: str) -> str:
    """`markup` for another place of the page (htmx 4); the "." and ":" of an element id are escaped."""
    selector = _IN_SELECTOR.sub(_ESCAPED, selector) if selector.startswith("#") else html.escape(selector)
    return f'<hx-partial hx-target="{selector}" hx-swap="{swap}">{markup}</hx-partial>'


class Reply(msgspec.Struct, frozen=True):
    """An answer for HTTP: `body` is bytes, or an async iterator of them that has to be closed when the client leaves."""

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncIterator[bytes]


_CODES = {422: "invalid", 409: "conflict"}
"""What a component that shows its own errors is answered with."""


def reply(frame: Frame, envelope: Envelope) -> Reply:
    """One frame as an answer."""
    if frame.value is not msgspec.UNSET and envelope == "json":
        body = {"value": frame.value} | (_as_json(frame) if frame.html else {})
        return Reply(200, _HEADERS | {"Content-Type": JSON}, msgspec.json.encode(body))
    if frame.status == 204:  # which has no body, in either envelope
        return Reply(204, _HEADERS | _effect_headers(frame.effects), b"")
    if envelope == "json":
        code = _CODES.get(frame.status)
        body = _as_json(frame) | ({"code": code} if code else {})
        return Reply(
            frame.status,
            _HEADERS | ({"X-Component-Code": code} if code else {}) | {"Content-Type": JSON},
            msgspec.json.encode(body),
        )
    headers = HTML_HEADERS
    if frame.effects:
        headers = {**headers, **_effect_headers(frame.effects)}
    if frame.status != 200:
        headers = {**headers, "X-Component-Code": _CODES[frame.status]}
    return Reply(frame.status, headers, frame.markup().encode())


def refusal(error: RequestError, error_id: str, envelope: Envelope, fresh: Frame | None) -> Reply:
    """A refused call: its code, an id for the log, and a fresh render where one helps."""
    headers = error_headers(error)
    notice = {"code": error.code, "status": error.status, "id": error_id, "message": error.public}
    if envelope == "json":
        body = notice | {"errors": getattr(error, "errors", {})} | (_as_json(fresh) if fresh else {})
        return Reply(error.status, headers | {"Content-Type": JSON}, msgspec.json.encode(body))
    if fresh is not None:
        headers |= _effect_headers((Emit("component:reset", notice),))
        return Reply(error.status, headers | {"Content-Type": HTML}, fresh.markup().encode())
    headers |= {"HX-Reswap": "none"} | _effect_headers((Emit("component:error", notice),))
    body_html = f"<p>{error.public} <small>{error_id}</small></p>"
    return Reply(error.status, headers | {"Content-Type": HTML}, body_html.encode())


def error_headers(error: RequestError) -> dict[str, str]:
    """What every refusal has in its head."""
    return _HEADERS | error.headers() | {"X-Component-Code": error.code}


def json_headers() -> dict[str, str]:
    """Headers of an answer for a script."""
    return _HEADERS | {"Content-Type": JSON}


def stream_headers() -> dict[str, str]:
    """Headers of an event stream: no cache and no proxy may hold frames back."""
    return _HEADERS | {"Content-Type": EVENT_STREAM, "X-Accel-Buffering": "no"}


def sse_frame(frame: Frame, envelope: Envelope) -> bytes:
    """One frame as SSE messages: its effects by name, then its HTML unnamed (or both in one JSON message)."""
    if envelope == "json":
        return sse_message(_text(_as_json(frame) | {"stream_done": frame.last}), id=str(frame.version))
    named = b"".join(
        sse_message(_text(effect.detail), event=effect.name)
        if isinstance(effect, Emit)
        else sse_message(_text(_effect(effect)), event="component:navigate")
        for effect in frame.effects
    )
    page = sse_message(frame.markup(), id=str(frame.version)) if frame.status != 204 else b""
    if not frame.last:
        return page + named
    return page + named + sse_message(_text({"version": frame.version}), event="component:done")


def sse_error(error: RequestError, error_id: str, envelope: Envelope) -> bytes:
    """A failure after the status line has gone out: the page keeps what it shows."""
    notice = {"code": error.code, "status": error.status, "id": error_id, "message": error.public}
    if envelope == "json":
        return sse_message(_text(notice | {"stream_done": True}), event="component:error")
    return sse_message(_text(notice), event="component:error") + sse_message(_text({}), event="component:done")


def sse_message(data: str, *, event: str | None = None, id: str | None = None) -> bytes:
    """One message of an event stream (WHATWG HTML 9.2); `event` and `id` are ours, `data` may be any text."""
    head = (f"event: {event}\n" if event else "") + (f"id: {id}\n" if id else "")
    if "\r" in data:
        data = _LINE_BREAK.sub("\n", data)
    lines = data.replace("\n", "\ndata: ")
    return f"{head}data: {lines}\n\n".encode()


def _as_json(frame: Frame) -> dict[str, Any]:
    return {
        "html": frame.html,
        "state": frame.token,
        "component_id": frame.component_id,
        "errors": dict(frame.errors),
        "effects": [*map(_effect, frame.effects), *({"update": other.component_id, "html": other.html} for other in frame.others)],
    }  # fmt: skip


def _effect(effect: Effect) -> dict[str, Any]:
    if isinstance(effect, Emit):
        return {"emit": effect.name, "detail": effect.detail}
    assert isinstance(effect, Navigate)  # an Update has become a frame of its own
    return {effect.how: effect.url}


def _effect_headers(effects: Sequence[Effect]) -> dict[str, str]:
    """Effects as htmx response headers; a header names an event once, so that further ones go under component:emit."""
    headers: dict[str, str] = {}
    triggers: dict[str, Any] = {}
    for effect in effects:
        if isinstance(effect, Emit) and effect.name in triggers:
            triggers.setdefault("component:emit", []).append([effect.name, effect.detail])
        elif isinstance(effect, Emit):
            triggers[effect.name] = effect.detail
        elif isinstance(effect, Navigate):
            headers[_NAVIGATE_HEADERS[effect.how]] = effect.url
    if triggers:
        headers["HX-Trigger"] = _ascii(_text(triggers))
    return headers


def require_room(effects: Sequence[Effect], limits: Limits, title: str) -> None:
    """Raise PayloadError when `effects` are over what a header may have; log what a proxy may refuse already."""
    size = len(_effect_headers(effects).get("HX-Trigger", "")) if effects else 0
    if size > limits.trigger:
        raise PayloadError("$", f"the events that {title} emits have {size} bytes, the limit is {limits.trigger}")
    if size > limits.trigger_warning:
        logger.warning(
            "The events that %s emits have %d bytes, and travel in a header: many proxies refuse one of this size. "
            "Emit an id, and let the listener ask for the rest.", title, size,
        )  # fmt: skip


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _ascii(text: str) -> str:
    """JSON with every character outside of printable ASCII escaped, so that no header can be split (RFC 9110 5.5)."""
    return _NOT_ASCII.sub(lambda match: "".join(f"\\u{unit:04x}" for unit in _utf16(match[0])), text)


def _utf16(char: str) -> list[int]:
    data = char.encode("utf-16-be")
    return [int.from_bytes(data[index : index + 2], "big") for index in range(0, len(data), 2)]
