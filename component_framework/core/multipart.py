"""Multipart forms (RFC 7578), read as they arrive: text into a Form, files into a Spool, and nothing else held."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import Invalid, Malformed, RequestError, TooLarge
from .fitting import UNKNOWN, Form
from .limits import Limits
from .uploads import IN_MEMORY, Limit, Spool, release, within_count

LONGEST_HEAD = 8 * 1024
"""Bytes of the headers of one part."""

_BOUNDARY = re.compile(r"""(?i);\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))""")
_DISPOSITION = re.compile(rb"(?i)\r\ncontent-disposition:\s*form-data\s*(;[^\r\n]*)")
_TYPE = re.compile(rb"(?i)\r\ncontent-type:\s*([^\r\n;]*)")
_PARAMETER = re.compile(rb""";\s*([\w*-]+)=(?:"([^"]*)"|([^\s;"]*))""")
_NOTHING: Mapping[str, Limit] = {}


class MultipartReader:
    """Takes a body in pieces by `feed()`; `close()` gives the form.

    `files` are the limits of the fields that may be files; `most` is the length of the whole body. Raises TooLarge,
    Malformed, and Invalid for a file where none is expected; what it has spooled is closed then.
    """

    def __init__(self, content_type: str, limits: Limits, files: Mapping[str, Limit] = _NOTHING, most: int = 0) -> None:
        boundary = _BOUNDARY.search(content_type)
        if boundary is None:
            raise Malformed("the content type names no boundary")
        self._delimiter = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1", "replace")
        self._limits = limits
        self._files = files
        self._most = most or limits.body
        self._rest = bytearray(b"\r\n")
        self._step = self._skip_preamble
        self._form: dict[str, list[Any]] = {}
        self._parts = self._size = self._text_size = self._held = 0
        self._name = ""
        self._text = bytearray()
        self._spool: Spool | None = None
        self._limit = Limit()
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        self._size += len(data)
        try:
            if self._size > self._most:
                raise TooLarge(f"the form has more than {self._most} bytes")
            self._rest += data
            while self._step():
                pass
        except RequestError:
            self.discard()
            raise

    def close(self) -> Form:
        """The form, when all of the body has been fed."""
        if self._step != self._skip_epilogue:
            self.discard()
            raise Malformed("the body is not the multipart form that its content type says")
        self.done = True
        return Form(self._form)

    def discard(self) -> None:
        """Close what has been spooled."""
        release(self._form)
        if self._spool is not None:
            self._spool.file.close()

    # -- the steps: each says whether another one may follow at once -------------------------------------------------

    def _skip_preamble(self) -> bool:
        at = self._rest.find(self._delimiter)
        if (at > 0 and self._rest[:at].strip()) or (at < 0 and len(self._rest) > LONGEST_HEAD):
            raise Malformed("the form begins with something else than a part")
        return self._enter_head(at)

    def _read_head(self) -> bool:
        if self._rest.startswith(b"--"):
            self._rest.clear()
            self._step = self._skip_epilogue
            return False
        at = self._rest.find(b"\r\n\r\n")
        if at < 0 and len(self._rest) <= LONGEST_HEAD:
            return False
        if at < 0 or at > LONGEST_HEAD or self._delimiter in self._rest[:at]:
            raise Malformed("a part of the form has no end to its headers")
        head = bytes(self._rest[:at])
        del self._rest[: at + 4]
        self._open(head)
        self._step = self._read_content
        return True

    def _read_content(self) -> bool:
        at = self._rest.find(self._delimiter)
        ready = at if at >= 0 else max(0, len(self._rest) - len(self._delimiter) + 1)
        if ready:
            self._write(bytes(self._rest[:ready]))
            if at < 0:
                del self._rest[:ready]
        if at >= 0:
            self._finish()
        return self._enter_head(at)

    def _skip_epilogue(self) -> bool:
        self._rest.clear()
        return False

    def _enter_head(self, at: int) -> bool:
        if at < 0:
            return False
        del self._rest[: at + len(self._delimiter)]
        self._step = self._read_head
        return True

    # -- one part ----------------------------------------------------------------------------------------------------

    def _open(self, head: bytes) -> None:
        self._parts += 1
        if self._parts > self._limits.fields:
            raise TooLarge(f"the form has more than {self._limits.fields} fields")
        disposition = _DISPOSITION.search(head)
        named = {
            key.lower(): quoted or bare
            for key, quoted, bare in _PARAMETER.findall(disposition[1] if disposition else b"")
        }
        if b"name" not in named:
            raise Malformed("a part of the form has no name")
        self._name = _unescape(_decode(named[b"name"]))
        if b"filename" in named or b"filename*" in named:
            claimed = _TYPE.search(head)
            self._open_file(_unescape(_decode(named.get(b"filename", b"file"))), claimed[1] if claimed else b"")

    def _open_file(self, name: str, claimed: bytes) -> None:
        limit = self._files.get(self._name)
        if limit is None:
            raise Invalid({self._name: [UNKNOWN]})
        self._limit = limit
        self._spool = Spool(name, claimed.decode("latin-1"), limit, IN_MEMORY - self._held)

    def _write(self, data: bytes) -> None:
        if self._spool is None:
            self._text_size += len(data)
            if self._text_size > self._limits.body:
                raise TooLarge(f"the fields of the form have more than {self._limits.body} bytes")
            self._text += data
            return
        self._spool.write(data)

    def _finish(self) -> None:
        if self._spool is None:
            self._form.setdefault(self._name, []).append(_decode(bytes(self._text)))
            self._text.clear()
            return
        spool, self._spool = self._spool, None
        if not spool.name and not spool.size:  # what a browser sends where no file was chosen
            spool.file.close()
            return
        self._held += min(spool.size, IN_MEMORY)
        self._keep(spool)

    def _keep(self, spool: Spool) -> None:
        kept = self._form.setdefault(self._name, [])
        kept.append(spool.finish())
        self._form[self._name] = within_count(kept, self._limit)


def read_multipart(content_type: str, body: bytes, limits: Limits) -> Form:
    """The text fields of a form that is there as a whole, and has no files."""
    reader = MultipartReader(content_type, limits)
    reader.feed(body)
    return reader.close()


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise Malformed(f"a field of the form is not UTF-8: {exc.reason}") from None


def _unescape(name: str) -> str:
    """A field's name as it was before a browser wrote it (WHATWG HTML, multipart/form-data)."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
