"""What is decided by a request's headers, before its body is read: whether it may bring files, which, and how much."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import IO, Any, Protocol

import msgspec

from .component import Context
from .engine import Engine
from .errors import Invalid, Malformed, RequestError, TooLarge, Unavailable, Unsupported
from .event_stream import log_refusal
from .fitting import UNKNOWN, Form
from .host import Offload
from .limits import Limits
from .multipart import MultipartReader
from .origin import require_same_origin
from .pieces import NEW, Announced, purpose_of, read_step
from .request import HttpRequest
from .shutdown import listen
from .spec import Handler, spec_of
from .uploads import Budget, Limit, Rejected, Upload, examined, shown_name, within_count
from .wire import Call, Reply, json_headers, refusal

BATCH = 256 * 1024
"""Bytes that are gathered before they are written: a trip to a worker thread for each would cost more than the file."""

Take = Callable[[str, str, Limit], Upload | Rejected | None]
"""`take(text, field, limit)` gives the file that came in pieces, and for which `text` stands in the form."""

_EVENT = re.compile(r"(?:^|&)event=([a-z][a-z0-9_]*)(?:&|$)")


class Intake:
    """Takes in the body of one event that may bring files."""

    def __init__(
        self,
        content_type: str,
        limits: Limits,
        files: Mapping[str, Limit],
        budget: Budget,
        take: Take | None = None,
    ) -> None:
        self.files = files
        self._take = take
        self.most = most_of(files, limits)
        self.limits = limits
        self._reader = MultipartReader(content_type, limits, files, self.most)
        self._budget = budget
        self._taken = 0

    def read(self, chunks: Iterable[bytes]) -> Form:
        """The form in `chunks`, read in this thread."""
        reader = self._reader
        try:
            for chunk in chunks:
                self._feed(reader, chunk)
            return self._complete(reader.close())
        finally:
            self._budget.give(self._taken)
            if not reader.done:
                reader.discard()

    async def read_async(self, chunks: AsyncIterator[bytes], offload: Callable[..., Any]) -> Form:
        """The form in `chunks`, written by worker threads; a client that is slower than BATCH per `body_time` is cut off."""
        reader = self._reader
        try:
            while batch := await self._batch(chunks):
                await offload(self._feed, reader, batch)
            form = reader.close()
            return self._complete(form) if self.files.keys().isdisjoint(form) else await offload(self._complete, form)
        finally:
            self._budget.give(self._taken)
            if not reader.done:
                reader.discard()

    def adopt(self, items: Iterable[tuple[str, Any]]) -> Form:
        """A form that a framework has parsed: text, and objects with `filename`, `content_type` and `file`."""
        form: dict[str, list[Any]] = {}
        for name, value in items:
            if isinstance(value, str):
                form.setdefault(name, []).append(value)
            elif value.filename:
                form.setdefault(name, []).append(
                    self._adopt(name, value.filename, value.content_type or "", value.file)
                )
        return self._complete(Form(form))

    def _complete(self, form: Form) -> Form:
        """`form` with the files that came before it, in pieces, in the places of their tokens."""
        for name, limit in self.files.items():
            if name in form:
                values = [self._in_place_of(name, value, limit) for value in form[name]]
                form[name] = within_count(values, limit)
        return form

    def _in_place_of(self, name: str, value: Any, limit: Limit) -> Any:
        found = self._take(value, name, limit) if isinstance(value, str) and self._take is not None else None
        return value if found is None else found

    def _adopt(self, name: str, filename: str, claimed: str, file: IO[bytes]) -> Upload | Rejected:
        limit = self.files.get(name)
        if limit is None:
            raise Invalid({name: [UNKNOWN]})
        size = file.seek(0, 2)
        if size > limit.size:
            file.close()
            return Rejected(limit.too_large)
        return examined(Upload(shown_name(filename), file, size, ""), claimed, limit)

    def _feed(self, reader: MultipartReader, data: bytes) -> None:
        self._budget.take(len(data))
        self._taken += len(data)
        try:
            reader.feed(data)
        except OSError as exc:
            raise Unavailable(f"an upload could not be written: {exc}") from exc

    async def _batch(self, chunks: AsyncIterator[bytes]) -> bytes:
        gathered = bytearray()
        try:
            async with asyncio.timeout(self.limits.body_time):
                async for chunk in chunks:
                    gathered += chunk
                    if len(gathered) >= BATCH:
                        break
        except TimeoutError:
            raise Malformed("the body came too slowly") from None
        except EOFError:
            raise Malformed("the body ended before it was complete") from None
        return bytes(gathered)


class Head(Protocol):
    """A request whose body has not been read."""

    @property
    def component(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def query(self) -> str: ...
    @property
    def context(self) -> Context: ...


def intake_for(engine: Engine, head: Head) -> Intake | None:
    """The Intake of a request that may bring files; None for any other.

    Raises RequestError for one that is refused whatever its body says: another site's, one with a forged token, a
    visitor who may not, a body that is too long by its own account.
    """
    kind = head.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "multipart/form-data":
        return None
    handler = _handler(engine, head)
    if handler is None or not handler.uploads:
        return None
    require_same_origin(head.headers, engine.trusted_origins)
    _require_good_token(engine, head)
    length = head.headers.get("content-length", "")
    identity, purpose = head.context.identity, purpose_of(head.component, handler.event)

    def take(token: str, field: str, limit: Limit) -> Upload | Rejected | None:
        return engine.pieces.take(token, purpose, identity, field, limit)

    intake = Intake(kind, engine.limits, handler.uploads, engine.uploads, take)
    if length.isdecimal() and int(length) > intake.most:
        raise TooLarge(f"the body has {length[:20]} bytes")
    return intake


async def answer_piece(engine: Engine, request: HttpRequest, offload: Offload | None) -> Reply:
    """The reply to a request with the header X-Component-Upload: a file is announced, goes on, or is given up."""
    listen()  # here, where it may be the main thread: the work is done in another
    try:
        work = partial(_take_step, engine, request)
        said = work() if offload is None else await offload(work)
    except RequestError as exc:
        call = Call(component=request.component, context=request.context)
        return refusal(exc, log_refusal(call, exc), "html" if "hx-request" in request.headers else "json", None)
    return Reply(200, json_headers(), msgspec.json.encode(said))


def _take_step(engine: Engine, request: HttpRequest) -> dict[str, Any]:
    if request.refused is not None:
        raise request.refused
    require_same_origin(request.headers, engine.trusted_origins)
    step = read_step(request.headers["x-component-upload"])
    handler = _handler(engine, request)
    if handler is None or not handler.uploads:
        raise Invalid({"": [UNKNOWN]})
    if len(request.body) > engine.limits.body:
        raise TooLarge(f"the piece has {len(request.body)} bytes")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unsupported(f"the piece is encoded as {request.headers['content-encoding']!r}")
    _require_good_token(engine, request)
    pieces, purpose, context = engine.pieces, purpose_of(request.component, handler.event), request.context
    if step.token == NEW:
        announced = _announced(request.body)
        limit = handler.uploads.get(announced.field)
        if limit is None:
            raise Invalid({announced.field: [UNKNOWN]})
        token = pieces.begin(announced, limit, purpose, context.identity, context.address)
        arrived = announced.size if announced.size > limit.size else 0  # then no byte of it is wanted
        return {"upload": token, "offset": arrived, "most": engine.limits.body}
    if step.aborts:
        pieces.drop(step.token, purpose, context.identity)
        return {}
    if step.offset is None:
        return {"offset": pieces.offset(step.token, purpose, context.identity)}
    return {"offset": pieces.append(step.token, purpose, context.identity, step.offset, request.body, handler.uploads)}


def _announced(body: bytes) -> Announced:
    try:
        return msgspec.json.decode(body, type=Announced)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise Malformed(f"no file is announced: {exc}") from None


def _handler(engine: Engine, head: Head) -> Handler | None:
    """The handler that the address names: the event of a form that brings files has to be there, not in the form."""
    event = _EVENT.search(head.query)
    call = Call(component=head.component, event=event[1] if event is not None else None, context=head.context)
    handlers = spec_of(engine.class_of(call)).handlers
    return handlers[event[1]] if event is not None else None


def _require_good_token(engine: Engine, head: Head) -> None:
    token = head.headers.get("x-component-state")
    if token:
        id = head.headers.get("x-component-id")
        call = Call(component=head.component, state=token, component_id=id, context=head.context)
        cls = engine.registry.find(head.component)
        engine.home(cls).rebuild(call, cls)


def most_of(files: Mapping[str, Limit], limits: Limits) -> int:
    """The longest body that is accepted: every file at its largest, and the other fields."""
    return limits.body + sum(limit.size * limit.count for limit in files.values())
