"""What a file is, told by its first bytes (after the WHATWG's MIME Sniffing standard), not by its name."""

from __future__ import annotations

BINARY = "application/octet-stream"
TEXT = "text/plain"
ZIP = "application/zip"

_SUFFIXES = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "image/avif": ".avif",
    "image/heic": ".heic", "image/bmp": ".bmp", "image/tiff": ".tiff", "image/svg+xml": ".svg", "application/pdf": ".pdf",
    ZIP: ".zip", "application/gzip": ".gz", "video/mp4": ".mp4", "video/webm": ".webm", "audio/mpeg": ".mp3",
    "audio/wav": ".wav", "audio/ogg": ".ogg", TEXT: ".txt", "text/csv": ".csv", "text/html": ".html", "text/xml": ".xml",
    "application/json": ".json",
}  # fmt: skip

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"OggS\x00", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"BM", "image/bmp"),
)
_BRANDS = {b"avif": "image/avif", b"heic": "image/heic", b"mif1": "image/heic", b"heix": "image/heic"}
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_MARKUP = (
    (b"<?xml", "text/xml"),
    (b"<svg", "image/svg+xml"),
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<script", "text/html"),
    (b"<body", "text/html"),
)
_PLAIN_TEXTS = frozenset({TEXT, "text/csv", "text/markdown", "text/tab-separated-values", "application/json"})
_IN_ZIP = (
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/epub+zip",
)
_SPELLINGS = {
    "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png", "image/heif": "image/heic",
    "application/x-zip-compressed": ZIP, "application/x-gzip": "application/gzip", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav",
    "audio/mp3": "audio/mpeg", "video/quicktime": "video/mp4", "audio/mp4": "video/mp4", "audio/x-m4a": "video/mp4",
    "video/x-matroska": "video/webm", "audio/webm": "video/webm", "video/ogg": "audio/ogg", "application/xml": "text/xml",
    "image/x-ms-bmp": "image/bmp",
}  # fmt: skip


def type_of(head: bytes) -> str:
    """The media type of a file that begins with `head` (4 KiB of it are enough)."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], BINARY)
    return _text(head) if _is_text(head) else BINARY


def agree(claimed: str, found: str) -> str | None:
    """The type of a file whose bytes say `found` and whose sender says `claimed`; None where the two contradict."""
    claimed = claimed.partition(";")[0].strip().lower()
    claimed = _SPELLINGS.get(claimed, claimed)
    if claimed in ("", BINARY, found):
        return found
    if (found == TEXT and claimed in _PLAIN_TEXTS) or (found == ZIP and claimed.startswith(_IN_ZIP)):
        return claimed
    if found == "text/xml" and claimed == "image/svg+xml":
        return claimed
    return None


def suffix_of(kind: str) -> str:
    """The suffix of a file's name by its media type; none for a type that is not listed."""
    return _SUFFIXES.get(kind, "")


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as exc:
        return exc.start > len(head) - 4 and len(head) >= 4096  # a character that is cut in two at the end
    return True


def _text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, kind in _MARKUP:
        if start.startswith(magic):
            return kind
    return TEXT
