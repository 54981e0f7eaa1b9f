"""The files that a page loads: what they are called, and the tags that load them."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

DIRECTORY = Path(__file__).parent.parent / "static" / "component_framework"
SCRIPTS = ("htmx.min.js", "hx-sse.min.js", "component.js")
LIVE_SCRIPTS = ("htmx.min.js", "hx-sse.min.js", "live.js", "component.js")
"""With live.js first: it makes `components`, which the scripts after it use."""
SOCKET_SCRIPTS = (*LIVE_SCRIPTS, "socket.js")
UPLOAD_SCRIPT = "upload.js"
"""For pages of an engine that has a component which takes files."""
STYLES = ("component.css",)

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": "text/plain"}
_CONFIG = {"includeIndicatorCSS": False}


class Asset(msgspec.Struct, frozen=True):
    """A file with the headers that it is served with, and its integrity hash (W3C SRI)."""

    content: bytes
    headers: Mapping[str, str]
    integrity: str
    version: str


@cache
def find(name: str) -> Asset | None:
    """The asset `name`; None where there is none (names are looked up in a list, never in a path)."""
    if name not in _names():
        return None
    content = (DIRECTORY / name).read_bytes()
    digest = hashlib.sha384(content).digest()
    return Asset(
        content=content,
        headers={
            "Content-Type": _TYPES.get(Path(name).suffix, "application/octet-stream"),
            "X-Content-Type-Options": "nosniff",
        },
        integrity=f"sha384-{base64.b64encode(digest).decode()}",
        version=digest.hex()[:12],
    )


def load() -> None:
    """Read every asset now: later would be in the middle of a request, and on an event loop."""
    for name in _names():
        find(name)


def tags(
    static_url: str,
    nonce: str | None,
    headers: tuple[tuple[str, str], ...],
    *,
    live: str | None = None,
    pushes: bool = True,
    socket: bool = False,
    uploads: bool = False,
    session: str = "",
) -> str:
    """The tags for a page's head: styles, htmx's configuration, the headers that events carry, and the scripts.

    `live` is the address below which pages connect; None is a page that has no use for a connection. Without `pushes`
    a page calls what it likes, and connects to nothing. `session` is the token of a session that waits for the page.
    """
    mark = f' nonce="{html.escape(nonce)}"' if nonce else ""
    parts = [f'<meta name="htmx-config" content="{_json(_CONFIG)}">']
    if headers:
        parts.append(f'<meta id="component-headers" name="component-headers" content="{_json(dict(headers))}">')
    if live is not None:
        more = ("" if pushes else " data-pushes=no") + (f' data-session="{html.escape(session)}"' if session else "")
        parts.append(f'<meta name="component-live" content="{html.escape(live)}"{more}>')
    scripts = SCRIPTS if live is None else SOCKET_SCRIPTS if socket else LIVE_SCRIPTS
    if uploads:
        scripts = (*scripts, UPLOAD_SCRIPT)
    parts += [
        f'<link rel="stylesheet" href="{_address(static_url, name)}" integrity="{_integrity(name)}">' for name in STYLES
    ]
    parts += [
        f'<script src="{_address(static_url, name)}" integrity="{_integrity(name)}" defer{mark}></script>'
        for name in scripts
    ]
    return "\n".join(parts)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in DIRECTORY.iterdir() if path.suffix in _TYPES)


def _address(static_url: str, name: str) -> str:
    asset = find(name)
    return html.escape(f"{static_url.rstrip('/')}/{name}?v={asset.version if asset else ''}")


def _integrity(name: str) -> str:
    asset = find(name)
    return asset.integrity if asset else ""


def _json(value: object) -> str:
    return html.escape(msgspec.json.encode(value).decode())
