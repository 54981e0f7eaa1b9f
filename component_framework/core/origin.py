"""Whether a request comes from a page of this site.

A browser says so by `Sec-Fetch-Site` (W3C Fetch Metadata), an older one by `Origin` (RFC 6454); a program says
neither and is no browser that a foreign page could misuse.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from .errors import Forbidden


def require_same_origin(headers: Mapping[str, str], trusted: Collection[str]) -> None:
    """Raise Forbidden for a request that a page of another origin made, unless that origin is in `trusted`."""
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    if origin is not None and _is_trusted(origin, trusted):
        return
    if site is not None:
        if site not in ("same-origin", "none"):
            raise Forbidden(f"the request comes from another origin ({origin or site})")
        return
    if origin is not None and not _is_host(origin, headers.get("host", "")):
        raise Forbidden(f"the request comes from another origin ({origin})")


def _is_trusted(origin: str, trusted: Collection[str]) -> bool:
    """Whether `origin` is in `trusted`, itself or as "https://*.example.org", which means that domain and all below."""
    if origin in trusted:
        return True
    match = _ORIGIN.fullmatch(origin)
    if match is None or not trusted:
        return False
    labels = match[2].split(".")
    return any(f"{match[1]}*.{'.'.join(labels[n:])}" in trusted for n in range(len(labels)))


_ORIGIN = re.compile(r"(https?://)([a-z0-9.-]+(?::\d+)?)")


def _is_host(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        wanted = urlsplit(f"{parts.scheme}://{host}")
        return parts.scheme in ("http", "https") and bool(host) and _place(parts) == _place(wanted)
    except ValueError:
        return False


def _place(parts: object) -> tuple[str | None, int | None]:
    port = getattr(parts, "port", None)
    default = {"http": 80, "https": 443}.get(getattr(parts, "scheme", ""))
    return getattr(parts, "hostname", None), port or default
