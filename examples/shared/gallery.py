"""A gallery: pictures that are dropped, seen before they are sent, sent with a progress bar, and served safely.

The class is the same on every framework; each example registers a subclass that names its template.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import msgspec

from component_framework import Component, Limit, Upload

KEPT = Path(os.environ.get("PICTURES") or Path(__file__).with_name("pictures"))
KEPT.mkdir(exist_ok=True)
MOST = 60
"""Pictures that are kept, of all visitors together; the oldest go."""

TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_NAME = re.compile(r"[0-9a-f]{32}(\.png|\.jpg|\.webp)")

Picture = Annotated[Upload, Limit(size="5 MB", types=set(TYPES.values()), count=6)]


class Shown(msgspec.Struct):
    """A picture of the gallery: the name of its file, and what its visitor calls it."""

    file: str
    title: str
    kilobytes: int


class Gallery(Component):
    """The pictures of one page."""

    pictures: list[Shown] = []

    def on_upload(self, pictures: list[Picture]) -> None:
        for picture in pictures:
            kept = picture.save_to(KEPT)
            self.pictures.append(Shown(kept.name, picture.name, -(-picture.size // 1000)))
        self.pictures = self.pictures[-12:]
        forget_oldest()


def forget_oldest() -> None:
    """Make room."""
    kept = sorted(KEPT.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for path in kept[:-MOST]:
        path.unlink(missing_ok=True)


def served(name: str) -> tuple[bytes, dict[str, str]] | None:
    """A picture with the headers that it is served with; None where there is none. No name of a visitor's reaches the disk."""
    match = _NAME.fullmatch(name)
    path = KEPT / name
    if match is None or not path.is_file():
        return None
    headers = {
        "Content-Type": TYPES[match[1]],
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
    }
    return path.read_bytes(), headers
