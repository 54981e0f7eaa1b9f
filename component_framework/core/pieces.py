"""Files that come in pieces, a request for each, so that an upload that was cut off goes on where it was.

This is the HTTP working group's resumable upload (draft-ietf-httpbis-resumable-upload) in small, with POST alone. A page
asks for a token, sends the pieces under it, and puts the token into the form in the place of the file.

All that is known of a file is in its token, which the engine signs for one event of one component, one field and one
visitor. On the disk there is as much of the file as has come, in a folder that the processes of an application share.
Each of them holds a lock on the folder; the last one to leave takes the folder along.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from .errors import Conflict, Invalid, Malformed, NotFound, RequestError, TooLarge, TooMany, Unavailable
from .limits import Limits
from .signing import Token, TokenSigner, raw
from .uploads import Limit, Rejected, Upload, examined, shown_name

try:
    import fcntl
except ImportError:  # Windows: each process has a folder of its own then
    fcntl = None  # type: ignore[assignment]

FOLDER = "component-uploads-"
MOST_FILES = 1000
"""Unfinished files of one application; a visitor may have a tenth of them, and half of the bytes."""
LOOKED_AT = 4096
"""Bytes that tell what a file is."""

NEW = "new"
"""Stands in the place of a token where there is none yet."""

_NOTHING = msgspec.Raw(b"{}")
_KEPT_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{32})-(\d+)")


class Announced(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page says of a file before it sends it: the form's field, what the visitor calls it, media type, bytes."""

    field: str
    name: str
    size: int
    type: str = ""


class Pieces:
    """The unfinished files of one engine. `purpose` below is the component and the event, as `purpose_of()` writes them."""

    def __init__(self, signer: TokenSigner, limits: Limits, clock: Callable[[], float]) -> None:
        self._signer = signer
        self._limits = limits
        self._clock = clock
        self._folder: Path | None = None
        self._leave: weakref.finalize[..., Any] | None = None
        self._pid = 0

    def begin(self, announced: Announced, limit: Limit, purpose: str, identity: str, visitor: str) -> str:
        """The token of a new file; raises Invalid, and TooMany where too much is under way already.

        One for a file that is too large is good for nothing but its place in the form, where the visitor is told.
        """
        if announced.size < 1 or len(announced.name) > 1000 or len(announced.type) > 200:
            raise Invalid({announced.field: ["This value is not valid."]})
        owner = hashlib.sha256((identity or visitor).encode()).hexdigest()[:16]
        id = secrets.token_hex(16)
        if announced.size <= limit.size:
            folder = self._enter(make=True)
            self._require_room(folder, owner, announced.size)
            (folder / f"{owner}-{id}-{announced.size}").touch(0o600, exist_ok=False)
        token = Token(
            issued=int(self._clock()), id=f"{owner}-{id}", schema="", version=0, children={}, state=_NOTHING,
            params=raw(announced),
        )  # fmt: skip
        return self._signer.seal(token, purpose, identity)

    def offset(self, token: str, purpose: str, identity: str) -> int:
        """How many bytes have come; raises NotFound for a file that is not here any more."""
        return self._find(token, purpose, identity)[0].stat().st_size

    def append(
        self, token: str, purpose: str, identity: str, offset: int, data: bytes, limits: Mapping[str, Limit]
    ) -> int:
        """Take the piece that begins at `offset`; gives the next offset. Raises Conflict for any other offset."""
        path, announced = self._find(token, purpose, identity)
        with path.open("r+b", buffering=0) as file:
            _lock(file.fileno())
            size = file.seek(0, os.SEEK_END)
            if size != offset:
                raise Conflict(f"the piece begins at {offset}, and {size} bytes have come")
            if size + len(data) > announced.size:
                raise TooLarge(f"the file has more than the {announced.size} bytes that were announced")
            try:
                written = file.write(data)
            except OSError as exc:
                file.truncate(size)
                raise Unavailable(f"a piece of an upload could not be written: {exc}") from exc
            size += written or 0
            if offset == 0 and size >= min(LOOKED_AT, announced.size):
                self._look_at(path, announced, limits[announced.field])
        return size

    def drop(self, token: str, purpose: str, identity: str) -> None:
        """Forget a file that the visitor does not want to send any more."""
        self._find(token, purpose, identity)[0].unlink(missing_ok=True)

    def take(self, token: str, purpose: str, identity: str, field: str, limit: Limit) -> Upload | Rejected | None:
        """The file of a token that stands in a form, or why it is not taken; None for what is no such token."""
        try:
            if self._open(token, purpose, identity)[1].size > limit.size:
                return Rejected(limit.too_large)
            path, announced = self._find(token, purpose, identity)
            file = path.open("rb")
        except (NotFound, FileNotFoundError):
            return Rejected("This file has been waiting for too long. Choose it again.")
        except RequestError:
            return None
        if announced.field != field:
            file.close()
            return None
        size = os.fstat(file.fileno()).st_size
        found = examined(Upload(shown_name(announced.name), file, size, ""), announced.type, limit)
        if isinstance(found, Upload) and size != announced.size:
            found.close()
            return Rejected("This file has not arrived as a whole. Send it again.")
        if isinstance(found, Rejected):
            path.unlink(missing_ok=True)
        else:
            found.kept = path
        return found

    # -- the folder ------------------------------------------------------------------------------------------------

    def _look_at(self, path: Path, announced: Announced, limit: Limit) -> None:
        """Refuse, after its first piece, what would be refused after its last."""
        with path.open("rb") as file:
            found = examined(Upload(shown_name(announced.name), file, 0, ""), announced.type, limit)
        if isinstance(found, Rejected):
            raise Invalid({announced.field: [found.reason]})

    def _find(self, token: str, purpose: str, identity: str) -> tuple[Path, Announced]:
        id, announced = self._open(token, purpose, identity)
        path = self._enter(make=False) / f"{id}-{announced.size}"
        try:
            if time.time() - path.stat().st_mtime > self._limits.upload_age:
                path.unlink(missing_ok=True)
        except OSError:
            pass
        if not path.exists():
            raise NotFound(f"the unfinished upload {id} is not here")
        return path, announced

    def _open(self, token: str, purpose: str, identity: str) -> tuple[str, Announced]:
        known = self._signer.open(token, purpose, identity, self._clock())
        return known.id, msgspec.json.decode(known.params, type=Announced)

    def _require_room(self, folder: Path, owner: str, size: int) -> None:
        sizes = [(whose, int(bytes)) for whose, bytes in self._unfinished(folder)]
        mine = [bytes for whose, bytes in sizes if whose == owner]
        most = self._limits.uploads
        if sum(bytes for _, bytes in sizes) + size > most or len(sizes) >= MOST_FILES:
            raise TooMany("too many unfinished uploads", retry_after=60)
        if sum(mine) + size > most // 2 or len(mine) >= MOST_FILES // 10:
            raise TooMany("too many unfinished uploads of one visitor", retry_after=60)

    def _unfinished(self, folder: Path) -> Iterator[tuple[str, str]]:
        """Whose files there are, and of how many bytes they will be; those that nobody has gone on with are removed."""
        oldest = time.time() - self._limits.upload_age
        for entry in os.scandir(folder):
            match = _KEPT_NAME.fullmatch(entry.name)
            try:
                if entry.stat().st_mtime < oldest:
                    os.unlink(entry.path)
                elif match is not None:
                    yield match[1], match[3]
            except FileNotFoundError:
                pass  # another process was faster

    def _enter(self, *, make: bool) -> Path:
        """The folder, with this process's lock on it; raises NotFound when there is none and none is to be made."""
        if self._folder is not None and self._pid == os.getpid() and self._leave is not None and self._leave.alive:
            return self._folder
        try:
            self._folder, lock = _enter(self._signer.name, make=make)
        except FileNotFoundError:
            raise NotFound("there are no unfinished uploads") from None
        except OSError as exc:
            raise Unavailable(f"there is no folder for unfinished uploads: {exc}") from exc
        self._pid = os.getpid()
        self._leave = weakref.finalize(self, _leave, self._folder, lock, self._pid)
        from .shutdown import at_stop  # it imports asyncio

        at_stop(self._leave)
        return self._folder


def purpose_of(component: str, event: str) -> str:
    """What a token is good for; no component has a name with a colon."""
    return f"upload:{component}:{event}"


def _enter(name: str, *, make: bool) -> tuple[Path, int | None]:
    import tempfile  # only where a file comes: it takes long to import

    root = Path(tempfile.gettempdir())
    if fcntl is None:
        if not make:
            raise FileNotFoundError
        return Path(tempfile.mkdtemp(prefix=FOLDER)), None
    path = root / f"{FOLDER}{name}"
    for other in root.glob(f"{FOLDER}*"):
        _remove_if_left(other)  # by a process that was killed
    while True:
        if make:
            path.mkdir(0o700, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(lock, fcntl.LOCK_SH)
        held, there = os.fstat(lock), path.stat() if path.exists() else None
        if there is not None and held.st_ino == there.st_ino:  # else somebody has removed it meanwhile
            break
        os.close(lock)
    if held.st_uid != os.getuid() or held.st_mode & 0o077:
        os.close(lock)
        raise PermissionError(f"{path} belongs to somebody else")
    return path, lock


def _remove_if_left(path: Path) -> None:
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return  # another user's, or gone
    _leave(path, lock, os.getpid())


def _leave(path: Path, lock: int | None, pid: int) -> None:
    """Let go of the folder, and remove it if nobody else is in it."""
    import shutil  # it imports every kind of compression

    if os.getpid() != pid:  # a fork of the process that entered
        return
    if lock is None or fcntl is None:
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_UN)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        pass  # others are in it
    finally:
        os.close(lock)


def _lock(file: int) -> None:
    """Keep a second request for the same piece out, until the file is closed."""
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict("another request is writing this upload") from None


class Step(msgspec.Struct, frozen=True):
    """What the header X-Component-Upload asks for; without an offset: how much has come."""

    token: str
    offset: int | None = None
    aborts: bool = False


_STEP = re.compile(r"([\w.-]+)(?:;\s*(?:offset=(\d{1,15})|(abort)))?", re.ASCII)


def read_step(header: str) -> Step:
    """`new`, `<token>`, `<token>; offset=<n>` or `<token>; abort`; raises Malformed."""
    match = _STEP.fullmatch(header.strip())
    if match is None:
        raise Malformed("the header X-Component-Upload is not one of ours")
    return Step(match[1], int(match[2]) if match[2] else None, bool(match[3]))
