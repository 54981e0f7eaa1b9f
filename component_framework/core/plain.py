"""Plain data: what may cross the wire as JSON, and nothing that only looks like it."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

import msgspec

from .errors import Malformed, PayloadError, TooLarge

MAX_DEPTH = 32
"""Nesting that our own encoder accepts; also what ends a cycle."""

_SCALARS = frozenset({str, bool, int, float, type(None)})
_LARGEST = 1023
"""Bits of the largest whole number that a double can hold."""


def require_json(value: Any, path: str = "$", depth: int = MAX_DEPTH) -> None:
    """Raise PayloadError, naming the path, unless `value` is JSON without loss.

    msgspec would write NaN as null and 1 as the key "1"; both come back as something else, so both are refused. So is
    what msgspec cannot write at all, here and not when the answer is under way.
    """
    if value is None or isinstance(value, (str, int, float)):
        _require_scalar(value, path)
        return
    if depth == 0:
        raise PayloadError(path, f"nested more than {MAX_DEPTH} deep, or contains itself")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise PayloadError(path, f"the key {key!r} is not a str")
            _require_scalar(key, path)
            require_json(item, f"{path}.{key}", depth - 1)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            require_json(item, f"{path}[{index}]", depth - 1)
    else:
        raise PayloadError(path, f"{type(value).__qualname__} is not JSON; declare a typed field for it")


def require_finite(value: Any, path: str) -> None:
    """Raise PayloadError, naming the path, for a float in `value` that JSON cannot say."""
    if isinstance(value, float):
        _require_scalar(value, path)
    elif isinstance(value, (list, tuple, set, frozenset, dict)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            require_finite(item, f"{path}[{key!r}]")


def _require_scalar(value: str | float | None, path: str) -> None:
    kind = type(value)
    if kind not in _SCALARS and not isinstance(value, Enum):
        plain = '"".join' if isinstance(value, str) else "float" if isinstance(value, float) else "int"
        raise PayloadError(path, f"{kind.__qualname__} is not JSON; write {plain}(…)")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PayloadError(path, "half of a surrogate pair has no form in UTF-8") from None
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise PayloadError(path, f"{value} has no form in JSON")
    elif value is not None and value.bit_length() > _LARGEST:
        raise PayloadError(path, "a number of this size is Infinity in a browser")


def decode_json(data: bytes, *, max_depth: int) -> Any:
    """`data` as Python values; raises TooLarge for nesting over `max_depth`, Malformed for anything but JSON."""
    require_depth(data, max_depth)
    try:
        return msgspec.json.decode(data)
    except UnicodeDecodeError as exc:
        raise Malformed(f"the body is not UTF-8: {exc}") from None
    except msgspec.DecodeError as exc:
        raise Malformed(f"the body is not JSON: {exc}") from None


def require_depth(data: bytes, max_depth: int) -> None:
    """Raise TooLarge for JSON that is nested more than `max_depth` deep."""
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return
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
