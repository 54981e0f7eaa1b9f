"""What is decided by a request's headers, before its body is read: whether it may bring files, which, and how much."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import IO, Any, Protocol

from .component import Context
from .engine import Engine
from .errors import Invalid, Malformed, NotFound, TooLarge, Unavailable
from .fitting import UNKNOWN, Form
from .gate import require_admission
from .limits import Limits
from .multipart import MultipartReader
from .origin import require_same_origin
from .spec import Handler, spec_of
from .uploads import Budget, Limit, Rejected, Upload, examined, shown_name
from .wire import Call

BATCH = 256 * 1024
"""Bytes that are gathered before they are written: a trip to a worker thread for each would cost more than the file."""

_EVENT = re.compile(r"(?:^|&)event=([a-z][a-z0-9_]*)(?:&|$)")


class Intake:
    """Takes in the body of one event that may bring files."""

    def __init__(self, content_type: str, limits: Limits, files: Mapping[str, Limit], budget: Budget) -> None:
        self.files = files
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
            return reader.close()
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
            return reader.close()
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
        for name, values in form.items():
            if (limit := self.files.get(name)) and len(values) > limit.count:
                form[name] = [Rejected(f"Choose at most {limit.count}.")] * len(values)
        return Form(form)

    def _adopt(self, name: str, filename: str, claimed: str, file: IO[bytes]) -> Upload | Rejected:
        limit = self.files.get(name)
        if limit is None:
            raise Invalid({name: [UNKNOWN]})
        size = file.seek(0, 2)
        if size > limit.size:
            raise TooLarge(f"a file has more than {limit.size} bytes")
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
    _require_admission(engine, head, handler)
    length = head.headers.get("content-length", "")
    intake = Intake(kind, engine.limits, handler.uploads, engine.uploads)
    if length.isdecimal() and int(length) > intake.most:
        raise TooLarge(f"the body has {length[:20]} bytes")
    return intake


def _handler(engine: Engine, head: Head) -> Handler | None:
    """The handler that the address names: the event of a form that brings files has to be there, not in the form."""
    cls = engine.registry.get(head.component)
    event = _EVENT.search(head.query)
    handlers = spec_of(cls).handlers if cls is not None else {}
    if cls is None or (event is not None and event[1] not in handlers):
        raise NotFound(f"{head.component!r} has no event {event[1] if event else None!r}")
    return handlers[event[1]] if event is not None else None


def _require_admission(engine: Engine, head: Head, handler: Handler) -> None:
    cls = engine.registry.find(head.component)
    require_admission(cls, handler.event, head.context, engine)
    token = head.headers.get("x-component-state")
    if token:
        call = Call(
            component=head.component,
            state=token,
            component_id=head.headers.get("x-component-id"),
            context=head.context,
        )
        engine.home(cls).rebuild(call, cls)  # raises for one that is not good


def most_of(files: Mapping[str, Limit], limits: Limits) -> int:
    """The longest body that is accepted: every file at its largest, and the other fields."""
    return limits.body + sum(limit.size * limit.count for limit in files.values())
