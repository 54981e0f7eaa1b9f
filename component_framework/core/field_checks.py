"""What an Input demands of a value that the value's own type cannot say, and how a moment is written into an input."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import ConfigurationError
from .form_data import as_form
from .messages import OPTIONS, explain
from .schema import Input


class Check:
    """The options and the bounds of one field."""

    __slots__ = ("_least", "_most", "_offered", "_optional")

    def __init__(self, title: str, note: Input, plain: list[Any], *, has_options: bool, optional: bool) -> None:
        self._offered = frozenset(note.choices) if note.choices and not has_options else None
        self._optional = optional
        self._least, self._most = (_bound(title, plain, bound) for bound in (note.min, note.max))

    def __bool__(self) -> bool:
        return self._offered is not None or self._least is not None or self._most is not None

    def wrong(self, value: Any) -> str | None:
        """What is wrong with a value of the field's type."""
        if value is None:
            return None
        if self._offered is not None and not self._offers(value):
            return OPTIONS
        if self._least is not None and value < self._least:
            return explain(f"Expected `number` >= {self._least}")
        if self._most is not None and value > self._most:
            return explain(f"Expected `number` <= {self._most}")
        return None

    def _offers(self, value: Any) -> bool:
        assert self._offered is not None
        texts = as_form({"value": value}).get("value", [])
        return all(text in self._offered or (not text and self._optional) for text in texts)


def wrong_values(checks: Mapping[str, Check], values: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The names and the messages of those of `values` that the checks refuse."""
    for name, check in checks.items():
        if name in values and (reason := check.wrong(values[name])) is not None:
            yield name, [reason]


def _bound(title: str, plain: list[Any], bound: Any) -> Any:
    if bound is None:
        return None
    for kind in plain:
        if kind is decimal.Decimal:
            return decimal.Decimal(str(bound))
        if isinstance(kind, type) and isinstance(bound, kind):
            return bound
    raise ConfigurationError(
        f"{title}: Input(min=…) and Input(max=…) are values of the field's type, and not {bound!r}."
    )


def zone_of(title: str, name: str | datetime.tzinfo) -> datetime.tzinfo:
    """The time zone `name`; raises ConfigurationError."""
    if isinstance(name, datetime.tzinfo):
        return name
    if name == "UTC":
        return datetime.UTC  # which is in no file
    import zoneinfo  # only where a form names one

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as exc:
        raise ConfigurationError(f"{title}: there is no time zone {name!r}, or no tzdata on this machine.") from exc


def wall_time(text: str, zone: datetime.tzinfo | None) -> str:
    """A moment, or a time of day, as <input type="datetime-local"> and "time" can show it: of no zone, and to the millisecond."""
    try:
        if "T" not in text:
            moment: Any = datetime.time.fromisoformat(text)
        else:
            moment = datetime.datetime.fromisoformat(text)
            moment = moment.astimezone(zone) if moment.tzinfo is not None and zone is not None else moment
    except ValueError:
        return text
    return str(moment.replace(tzinfo=None).isoformat(timespec="milliseconds" if moment.microsecond else "seconds"))


def in_zone(text: str, zone: datetime.tzinfo) -> str:
    """What was typed into such an input, as a moment."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if moment.tzinfo is not None else moment.replace(tzinfo=zone).isoformat()
