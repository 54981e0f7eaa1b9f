"""The POST endpoint and the assets as plain ASGI applications, for every framework that speaks ASGI.

A plain ASGI endpoint in a framework's router skips most of what the framework does per request, and keeps its
middleware. The adapter says only how to make the framework's request object and how to reach a worker thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Mapping,
    MutableMapping,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from typing import Any

from . import assets
from .component import Context
from .engine import Engine
from .errors import Invalid, Malformed, RequestError
from .fitting import UNKNOWN, Form
from .intake import Intake, intake_for
from .limits import Limits
from .request import READ_HEADERS, HttpRequest
from .shutdown import stopping
from .streaming import PING, PING_MESSAGE, close, own_context
from .uploads import release
from .wire import HTML_HEADERS, Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

THREADS = 40
"""How many sync components may be at work at once, as in Starlette's own thread pool."""

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="component")  # starts none before the first is needed


async def offload(function: Callable[..., Any], /, *args: Any) -> Any:
    """Call `function` in a worker thread, with the context variables of this task."""
    work = partial(contextvars.copy_context().run, function, *args)
    return await asyncio.get_running_loop().run_in_executor(_threads, work)


Body = bytes | Form | RequestError
"""What came with a request: bytes, or fields where somebody has parsed them already, or why it is refused."""

Reader = Callable[..., Awaitable[Body]]
"""`await read(scope, receive, limits, intake)` gives a request's body, up to one byte over the limit.

`intake` is there where the body may bring files, else None."""

_READ = {name.encode(): name for name in READ_HEADERS}
_encoded: dict[str, bytes] = {}
_BODILESS = (204, 304)
"""Statuses whose answers have no length (RFC 9110 8.6)."""


async def read_body(scope: Scope, receive: Receive, limits: Limits, intake: Intake | None = None) -> Body:
    """The whole body, but no more of it than one byte over `limits.body`: the engine refuses that by itself."""
    if intake is not None:
        return await take(_chunks(receive(), receive), limits, intake)
    steps = receive().__await__()
    try:
        first: Awaitable[Message] = _resume(steps, next(steps))
    except StopIteration as arrived:  # at once, and mostly all of it: then no timer has to be set
        message = arrived.value
        if message["type"] == "http.request" and not message.get("more_body"):
            return bytes(message.get("body", b"")[: limits.body + 1])
        first = _given(message)
    return await take(_chunks(first, receive), limits)


async def take(chunks: AsyncGenerator[bytes, None], limits: Limits, intake: Intake | None = None) -> Body:
    """`chunks` as a body; Malformed for one that takes longer than `limits.body_time` to arrive, or breaks off (EOFError)."""
    if intake is not None:
        return await _take_files(chunks, intake)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_time), aclosing(chunks):
            async for chunk in chunks:
                body += chunk
                if len(body) > limits.body:
                    break
    except TimeoutError:
        return Malformed(f"the body did not arrive within {limits.body_time} s")
    except EOFError:
        return Malformed("the body ended before it was complete")
    return bytes(body[: limits.body + 1])


async def _take_files(chunks: AsyncGenerator[bytes, None], intake: Intake) -> Body:
    try:
        async with aclosing(chunks):
            return await intake.read_async(chunks, offload)
    except RequestError as exc:
        return exc


async def _chunks(first: Awaitable[Message], receive: Receive) -> AsyncGenerator[bytes, None]:
    message = await first
    while message["type"] != "http.disconnect":
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
        message = await receive()
    raise EOFError  # the client has left, or the body is not framed as it says: a server tells both alike


@types.coroutine
def _resume(steps: Generator[Any, Any, Message], waiting: Any) -> Generator[Any, Any, Message]:
    """Go on with an awaitable that has taken its first step, and waits for `waiting`."""
    while True:
        try:
            yield waiting
        except BaseException as exc:  # it may be meant for the awaitable, which ends a wait of its own by cancelling it
            try:
                waiting = steps.throw(exc)
            except StopIteration as arrived:
                message: Message = arrived.value
                return message
        else:
            return (yield from steps)


async def _given(message: Message) -> Message:
    return message


def parsed_form(items: Iterable[tuple[str, Any]], intake: Intake | None = None) -> Body:
    """The fields of a form that a framework has parsed; a file among them is refused, as it is where we parse."""
    if intake is not None:
        try:
            return intake.adopt(items)
        except RequestError as exc:
            return exc
    form = Form()
    for name, value in items:
        if not isinstance(value, str):
            return Invalid({name: [UNKNOWN]})
        form.setdefault(name, []).append(value)
    return form


class EventEndpoint:
    """`POST <name>` and, with `stream=True`, `POST <name>/stream`.

    `make_request(scope, receive)` gives what components see as `self.request`.
    """

    def __init__(
        self, engine: Engine, *, stream: bool, make_request: Callable[[Any, Any], Any], read: Reader = read_body
    ) -> None:
        self.engine = engine
        self.stream = stream
        self.make_request = make_request
        self.read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.serve(scope["path_params"]["name"], scope, receive, send)

    async def serve(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an event of the component `name`."""
        if scope["method"] != "POST":
            await _send_bytes(send, 405, {"Allow": "POST", "Content-Type": "text/plain"}, b"Method Not Allowed")
            return
        request = self.make_request(scope, receive)
        headers = read_headers(scope["headers"])
        if brings_files(headers):
            body = await self.take_in(name, scope, request, partial(self.read, scope, receive), headers)
        else:
            body = await self.read(scope, receive, self.engine.limits)
        try:
            await send_reply(await self.reply(name, scope, request, body, headers), receive, send)
        finally:
            release(body)

    async def take_in(
        self,
        name: str,
        scope: Any,
        request: Any,
        read: Callable[[Limits, Intake | None], Awaitable[Body]],
        headers: Mapping[str, str] | None = None,
    ) -> Body:
        """The body that `read` gives, unless the headers are reason enough to refuse it; `release()` what is in it."""
        headers = read_headers(scope["headers"]) if headers is None else headers
        try:
            head = self._head(name, scope, request, headers)
            intake = await offload(intake_for, self.engine, head) if brings_files(headers) else None
        except RequestError as exc:
            length = headers.get("content-length", "")
            if length.isdecimal() and int(length) <= self.engine.limits.body:
                release(await read(self.engine.limits, None))  # a client that is still sending may not hear the answer
            return exc
        return await read(self.engine.limits, intake)

    async def reply(
        self, name: str, scope: Any, request: Any, body: Body, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The reply to the request of `scope`, which components see as `request`."""
        headers = read_headers(scope["headers"]) if headers is None else headers
        reply = await self.engine.answer(self._head(name, scope, request, headers, body), offload)
        if isinstance(reply.body, bytes):
            release(body)  # and not after the answer has gone out, which may take its time
        return reply

    def _head(self, name: str, scope: Any, request: Any, headers: Mapping[str, str], body: Body = b"") -> HttpRequest:
        return HttpRequest(
            component=name,
            headers=headers,
            query=scope["query_string"].decode("latin-1"),
            body=body if isinstance(body, bytes) else b"",
            form=body if isinstance(body, Form) else None,
            stream=self.stream,
            refused=body if isinstance(body, RequestError) else None,
            context=scope_context(self.engine, scope, request, headers.get("x-forwarded-for", "")),
        )


def brings_files(headers: Mapping[str, str]) -> bool:
    """Whether a body may have files in it, so that its headers are worth a closer look."""
    return headers.get("content-type", "")[:10].lower() == "multipart/"


KEPT = "public, max-age=31536000, immutable"
"""How a file is cached whose address names its content."""


class AssetEndpoint:
    """`GET static/<file>?v=<version>`: the files of the framework, cached for good if the address names their content.

    A page of another release asks for another version: what it gets is not kept, or the browser would hold the wrong
    file, which its integrity hash refuses, for as long as the right one.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_reply(self.reply(scope), receive, send)

    def reply(self, scope: Any) -> Reply:
        """The answer to the request of `scope`."""
        asset = assets.find(scope["path_params"]["file"])
        if asset is None:
            return Reply(404, {"Content-Type": "text/plain"}, b"Not Found")
        if scope["method"] not in ("GET", "HEAD"):
            return Reply(405, {"Content-Type": "text/plain", "Allow": "GET, HEAD"}, b"Method Not Allowed")
        current = scope["query_string"] == f"v={asset.version}".encode()
        headers = {**asset.headers, "Cache-Control": KEPT if current else "no-cache", "ETag": f'"{asset.version}"'}
        known = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
        if headers["ETag"] in known or known == "*":
            return Reply(304, headers, b"")
        if scope["method"] == "HEAD":
            return Reply(200, headers | {"Content-Length": str(len(asset.content))}, b"")
        return Reply(200, headers, asset.content)


def scope_context(engine: Engine, scope: Any, request: Any, forwarded: str | None = None) -> Context:
    """Who is asking, from what was put into the scope: `user` and `session` by middleware, `state.user` by a dependency.

    The dependency's user counts more: it runs later, where middleware may have found nobody.
    """
    if forwarded is None:
        forwarded = read_headers(scope["headers"]).get("x-forwarded-for", "")
    user = (scope.get("state") or {}).get("user")
    client = scope.get("client")
    return engine.context(
        user=scope.get("user") if user is None else user,
        session=scope.get("session"),
        request=request,
        root_path=scope.get("root_path", ""),
        address=client[0] if client else "",
        forwarded=forwarded,
    )


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers that the engine reads, out of ASGI's list; the last of a repeated header counts."""
    return {_READ[name]: value.decode("latin-1") for name, value in pairs if name in _READ}


async def send_reply(reply: Reply, receive: Receive, send: Send) -> None:
    """Send `reply`; a stream ends when the client leaves or the process is told to stop."""
    if isinstance(reply.body, bytes):
        await _send_bytes(send, reply.status, reply.headers, reply.body)
    else:
        await _send_stream(reply, reply.body, receive, send)


async def _send_bytes(send: Send, status: int, headers: Any, body: bytes) -> None:
    pairs = header_pairs(headers) if headers is not HTML_HEADERS else _HTML_PAIRS.copy()
    if status not in _BODILESS and "Content-Length" not in headers:
        pairs.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def header_pairs(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI wants them; there are few names, so that each is encoded once."""
    pairs = []
    for name, value in headers.items():
        encoded = _encoded.get(name)
        if encoded is None:
            encoded = _encoded[name] = name.lower().encode("latin-1")
        pairs.append((encoded, value.encode("latin-1")))
    return pairs


_HTML_PAIRS = header_pairs(HTML_HEADERS)
"""The headers of nearly every answer."""


async def _send_stream(reply: Reply, body: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Send frames as they come, a heartbeat in every silence, and end when the client leaves or the process stops."""
    stop = stopping()
    gone = asyncio.ensure_future(_watch(receive))
    pump = _Pump(body, send)
    work: asyncio.Task[None] | None = None
    try:
        await send({"type": "http.response.start", "status": reply.status, "headers": header_pairs(reply.headers)})
        work = asyncio.get_running_loop().create_task(pump.run(), context=own_context())
        while not (await asyncio.wait((work, gone, stop), timeout=PING, return_when=asyncio.FIRST_COMPLETED))[0]:
            if pump.idle():
                await send({"type": "http.response.body", "body": PING_MESSAGE, "more_body": True})
    finally:
        stop.cancel()
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        await close(body)
        left = gone.done()
        gone.cancel()
    if not left:
        await send({"type": "http.response.body", "body": b""})


class _Pump:
    """Sends every chunk of `body`, in one task for all of them: a task for each would cost more than the frame."""

    def __init__(self, body: AsyncIterator[bytes], send: Send) -> None:
        self._body = body
        self._send = send
        self._sent = 0
        self._seen = 0

    async def run(self) -> None:
        async for chunk in self._body:
            self._sent += 1
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
            if self._sent % 8 == 0:
                await asyncio.sleep(0)  # a handler that never waits must not keep everybody else waiting

    def idle(self) -> bool:
        """Whether nothing was sent since this was last asked."""
        idle, self._seen = self._sent == self._seen, self._sent
        return idle


async def _watch(receive: Receive) -> None:
    """Wait until the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
