"""Plain data: what may cross the wire as JSON, and nothing that only looks like it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from .errors import Malformed, PayloadError, TooLarge

MAX_DEPTH = 32
"""Nesting that our own encoder accepts; also what ends a cycle."""


def require_json(value: Any, path: str = "$", depth: int = MAX_DEPTH) -> None:
    """Raise PayloadError, naming the path, unless `value` is JSON without loss.

    msgspec would write NaN as null and 1 as the key "1"; both come back as something else, so both are refused.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise PayloadError(path, f"{value} has no form in JSON")
        return
    if depth == 0:
        raise PayloadError(path, f"nested more than {MAX_DEPTH} deep, or contains itself")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise PayloadError(path, f"the key {key!r} is not a str")
            require_json(item, f"{path}.{key}", depth - 1)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            require_json(item, f"{path}[{index}]", depth - 1)
    else:
        raise PayloadError(path, f"{type(value).__qualname__} is not JSON; declare a typed field for it")


def decode_json(data: bytes, *, max_depth: int) -> Any:
    """`data` as Python values; raises TooLarge for nesting over `max_depth`, Malformed for anything but JSON."""
    if data.count(b"[") + data.count(b"{") > max_depth:
        _require_depth(data, max_depth)
    try:
        return msgspec.json.decode(data)
    except UnicodeDecodeError as exc:
        raise Malformed(f"the body is not UTF-8: {exc}") from None
    except msgspec.DecodeError as exc:
        raise Malformed(f"the body is not JSON: {exc}") from None


def _require_depth(data: bytes, max_depth: int) -> None:
    depth = 0
    quoted = escaped = False
    for byte in data:
        if quoted:
            quoted = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            depth += 1
            if depth > max_depth:
                raise TooLarge(f"the JSON is nested more than {max_depth} deep")
        elif byte in b"]}":
            depth -= 1
