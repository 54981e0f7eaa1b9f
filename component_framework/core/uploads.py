"""Files that a visitor sends: `def on_upload(self, photo: Annotated[Upload, Limit(size="5 MB", types={"image/png"})])`."""

from __future__ import annotations

import re
import secrets
import threading
import types
import typing
import unicodedata
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .errors import ConfigurationError, TooMany
from .file_types import agree, suffix_of, type_of

if TYPE_CHECKING:
    from .host import Offload
    from .wire import Reply

IN_MEMORY = 1024 * 1024
"""Bytes of one request's files that are kept in memory; the rest goes to temporary files."""
CHUNK = 64 * 1024
LONGEST_NAME = 255
CHOOSE = "Choose a file."

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|KiB|MiB|GiB)")
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class Limit:
    """What a handler accepts as one of its files.

    `size` is that of one file ("5 MB" is five million bytes, "5 MiB" a little more; a number is bytes), `types` the
    media types ("image/png", "image/*"; none given: any), `count` how many files a list may have.
    """

    __slots__ = ("count", "size", "types")

    def __init__(self, size: int | str = "10 MB", types: Collection[str] = (), count: int = 20) -> None:
        self.size = _bytes(size)
        self.types = frozenset([types] if isinstance(types, str) else types)
        self.count = count
        if wrong := [name for name in self.types if "/" not in name]:
            raise ConfigurationError(f'Limit(types=…): {wrong[0]!r} is no media type, such as "image/png".')
        if count < 1:
            raise ConfigurationError(f"Limit(count={count}) would let no file in.")

    def allows(self, kind: str) -> bool:
        """Whether a file of the media type `kind` may come."""
        return not self.types or kind in self.types or f"{kind.partition('/')[0]}/*" in self.types

    @property
    def too_large(self) -> str:
        """What a visitor reads whose file has more bytes."""
        unit = next((unit for unit in ("GB", "MB", "KB") if self.size >= _UNITS[unit]), "B")
        return f"This file is larger than {self.size / _UNITS[unit]:.4g} {unit if unit != 'B' else 'bytes'}."

    def __repr__(self) -> str:
        return f"Limit(size={self.size}, types={sorted(self.types)}, count={self.count})"


def _bytes(size: int | str) -> int:
    if isinstance(size, int):
        return size
    match = _SIZE.fullmatch(size.strip())
    if match is None:
        raise ConfigurationError(f'Limit(size={size!r}) is no size. Write a number of bytes, or text such as "5 MB".')
    return int(float(match[1]) * _UNITS[match[2]])


class Upload:
    """A file that came with an event. It is gone when the event has been answered: `save_to()` keeps it.

    `name` is what the visitor calls it, fit to be shown and never a path; `type` is what its bytes are.
    """

    def __init__(self, name: str, file: IO[bytes], size: int, type: str) -> None:
        self.name = name
        self.file = file
        self.size = size
        self.type = type
        self.kept: Path | None = None
        """Where a file that came in pieces waits until its event has been handled."""
        self._close = weakref.finalize(self, file.close)

    @classmethod
    def from_bytes(cls, name: str, content: bytes) -> Upload:
        """An upload that no browser sent; for tests."""
        return cls(shown_name(name), BytesIO(content), len(content), type_of(content))

    @property
    def new_name(self) -> str:
        """A name for the file on the server: new at each call, with the suffix of what it is."""
        return f"{secrets.token_hex(16)}{suffix_of(self.type)}"

    def read(self) -> bytes:
        """All of it; as much memory as the file is long."""
        self.file.seek(0)
        return self.file.read()

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """It in pieces of `size` bytes."""
        self.file.seek(0)
        while piece := self.file.read(size):
            yield piece

    def save_to(self, directory: str | Path) -> Path:
        """Copy it to a new file in `directory`, under a name of the server's making; gives its path."""
        target = Path(directory) / self.new_name
        try:
            with target.open("xb") as kept:
                for piece in self.chunks():
                    kept.write(piece)
        except OSError:
            target.unlink(missing_ok=True)
            raise
        return target

    def close(self) -> None:
        """Let go of it; the framework does so by itself."""
        self._close()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> dict[str, Any]:
        """For Pydantic, whose models may have files: an instance is one, and nothing else is."""
        return {"type": "is-instance", "cls": cls}

    def __repr__(self) -> str:
        return f"Upload({self.name!r}, {self.size} bytes, {self.type})"


class Rejected:
    """Stands in a form where a file was not taken, with the message for the visitor."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Spool:
    """A file as it arrives, in memory up to `room` bytes; `finish()` looks at its content.

    What comes beyond its limit is counted and not kept: the whole body has a bound of its own.
    """

    def __init__(self, name: str, claimed: str, limit: Limit, room: int = IN_MEMORY) -> None:
        import tempfile  # only where a file comes: it takes long to import

        self.file: Any = tempfile.SpooledTemporaryFile(max_size=max(room, 1))  # noqa: SIM115  # closed by its Upload
        self.name = name
        self.size = 0
        self._claimed = claimed
        self._limit = limit

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self.size <= self._limit.size:
            self.file.write(data)
        else:
            self.file.close()

    def finish(self) -> Upload | Rejected:
        if self.size > self._limit.size:
            return Rejected(self._limit.too_large)
        self.file.seek(0)
        return examined(Upload(shown_name(self.name), self.file, self.size, ""), self._claimed, self._limit)


def examined(upload: Upload, claimed: str, limit: Limit) -> Upload | Rejected:
    """`upload` with the type that its bytes have, or why it is not taken."""
    upload.file.seek(0)
    found = agree(claimed, type_of(upload.file.read(4096)))
    reason = None
    if len(upload.name) > LONGEST_NAME:
        reason = "The name of this file is too long."
    elif found is None:
        reason = "This file is not what its name says."
    elif not limit.allows(found):
        reason = "Files of this type are not accepted here."
    if reason is not None:
        upload.close()
        return Rejected(reason)
    upload.type = found or ""
    return upload


def shown_name(name: str) -> str:
    """What a visitor calls a file, as text to be shown: no directories, no invisible characters."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(char for char in unicodedata.normalize("NFC", last) if unicodedata.category(char)[0] != "C")
    return visible.strip(" .") or "file"


def within_count(values: list[Any], limit: Limit) -> list[Any]:
    """`values`, or as many messages where there are more files than `limit` lets in."""
    if len(values) <= limit.count:
        return values
    release({"": values})
    text = f"Choose at most {limit.count} files." if limit.count > 1 else "Choose one file."
    return [Rejected(text)] * len(values)


def limit_of(kind: Any) -> Limit | None:
    """The Limit of a parameter that takes files, count included; None for any other parameter."""
    found, notes, many = _unwrap(kind, (), False)
    if found is not Upload:
        return None
    limit = next((note for note in notes if isinstance(note, Limit)), Limit())
    return limit if many else Limit(limit.size, limit.types, 1)


def _unwrap(kind: Any, notes: tuple[Any, ...], many: bool) -> tuple[Any, tuple[Any, ...], bool]:
    """A type without its annotations, its None and its list, with the notes that were met on the way."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _unwrap(arguments[0], (*notes, *arguments[1:]), many)
    if origin in (typing.Union, types.UnionType):
        rest = [member for member in arguments if member is not type(None)]
        return _unwrap(rest[0], notes, many) if len(rest) == 1 else (kind, notes, many)
    if origin is list:
        return _unwrap(arguments[0], notes, True)
    if (alias := getattr(kind, "__value__", None)) is not None and not isinstance(kind, type):
        return _unwrap(alias, notes, many)  # `type Photo = Annotated[Upload, …]` of Python 3.12
    return kind, notes, many


def read_files(values: Sequence[Any], *, many: bool) -> Any:
    """What a form has under the name of a file input; raises ValueError with the message for the visitor."""
    for value in values:
        if isinstance(value, Rejected):
            raise ValueError(value.reason)
        if not isinstance(value, Upload):
            raise ValueError(CHOOSE)
    if not many and len(values) > 1:
        raise ValueError("Choose one file.")
    return list(values) if many else values[0]


def uploads_in(form: Mapping[str, Iterable[Any]]) -> Iterator[Upload]:
    """The files in a form."""
    for values in form.values():
        if isinstance(values, list):
            yield from (value for value in values if isinstance(value, Upload))


def release(body: object) -> None:
    """Close every file in `body`, if it is a form."""
    if isinstance(body, dict):
        for upload in uploads_in(body):
            upload.close()


async def settled(form: Mapping[str, Any], answer: Reply, offload: Offload | None) -> Reply:
    """`answer`, once the files of `form` that came in pieces are forgotten; they stay where it is no success."""
    waiting = [upload.kept for upload in uploads_in(form) if upload.kept is not None]
    if waiting and answer.status < 400:
        if offload is None:
            _forget(waiting)
        else:
            await offload(_forget, waiting)
    return answer


def _forget(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


class Budget:
    """How many bytes of uploads one process takes in at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Count `size` bytes that have come; raises TooMany for those that are too many."""
        with self._lock:
            if self.taken + size > self.most:
                raise TooMany("too many uploads at once", retry_after=5)
            self.taken += size

    def give(self, size: int) -> None:
        """Forget `size` bytes of a request that has been read, or has come to nothing."""
        with self._lock:
            self.taken -= size
