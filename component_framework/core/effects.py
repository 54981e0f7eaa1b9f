"""What an event does in the browser besides swapping its component.

An effect is checked when the handler asks for it, so that a mistake points at the handler's line; what reaches a
header or a frame is already known to be safe there.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import msgspec

from .errors import ConfigurationError, UnsafeEffect
from .plain import require_json

ELEMENT_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,127}")
DOM_EVENT = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*")
_SAFE_IN_URL = "!#$%&'()*+,/:;=?@[]~-._"


class Emit(msgspec.Struct, frozen=True, tag=True):
    """A DOM event with a JSON `detail`, dispatched on the component's root; it bubbles to the components around it."""

    name: str
    detail: Any = None


class Navigate(msgspec.Struct, frozen=True, tag=True):
    """A new address: pushed, replaced, or gone to."""

    how: Literal["push", "replace", "redirect"]
    url: str


class Update(msgspec.Struct, frozen=True, tag=True):
    """Another component on the page, rendered anew under `target` (its element id)."""

    component: str
    target: str
    params: dict[str, Any] = {}


Effect = Emit | Navigate | Update


def emit(name: str, detail: Any) -> Emit:
    """An Emit of `detail` as it is now; raises ConfigurationError for a name that is none, PayloadError for what is not JSON."""
    if not DOM_EVENT.fullmatch(name):
        raise ConfigurationError(f"{name!r} is not a name for a DOM event: letters, digits and _ . : - only")
    if name.startswith(("component:", "htmx:")):
        raise ConfigurationError(f"{name!r}: names that begin with component: or htmx: are the framework's own")
    require_json(detail, name)
    return Emit(name, deepcopy(detail))  # the handler may go on to change what it gave


def update(component: str, target: str, params: dict[str, Any]) -> Update:
    """An Update; raises UnsafeEffect for a target that is no element id."""
    if not ELEMENT_ID.fullmatch(target):
        raise UnsafeEffect(f"{target!r} is no element id: a letter, then letters, digits and _ . : - only")
    return Update(component, target, params)


def navigate(how: Literal["push", "replace", "redirect"], url: str, *, external: bool) -> Navigate:
    """A Navigate; raises UnsafeEffect unless `url` is a path here, or http(s) where `external` allows it.

    Backslashes, control characters and `//`, however many slashes follow, are refused, because browsers read them as
    another origin (WHATWG URL); a name and password in it, because they are made to look like another host.
    """
    if any(ord(char) < 0x21 or char in "\\\x7f" for char in url):
        raise UnsafeEffect(f"{url!r}: an address has no spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        quoted = quote(url, safe=_SAFE_IN_URL)
    except ValueError as exc:
        raise UnsafeEffect(f"{url!r} is not an address: {exc}") from exc
    if url.startswith("//") and not parts.netloc:
        raise UnsafeEffect(f"{url!r}: an address begins with one slash")
    if "@" in parts.netloc:
        raise UnsafeEffect(f"{url!r}: an address has no user name and password")
    if parts.scheme and parts.scheme not in ("http", "https"):
        raise UnsafeEffect(f"{url!r}: only http and https addresses, not {parts.scheme}:")
    if parts.scheme and not parts.netloc:
        raise UnsafeEffect(f"{url!r}: an address with a scheme needs a host")
    if parts.netloc and not external:
        raise UnsafeEffect(f"{url!r} leaves this site. If that is meant, pass external=True.")
    if how != "redirect" and parts.netloc:
        raise UnsafeEffect(f"{url!r}: the browser's history takes addresses of this site only")
    return Navigate(how, quoted)


def safe_address(url: str | None) -> str | None:
    """`url` where it may become a header: what a component put into it may have come from a visitor."""
    try:
        return navigate("redirect", url, external=True).url if url else None
    except UnsafeEffect:
        return None
