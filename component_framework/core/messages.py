"""What a visitor reads when a value does not fit."""

from __future__ import annotations

import re

OPTIONS = "Choose one of the options."
_EXPECTED = {
    "int": "Enter a whole number.",
    "float": "Enter a number.",
    "decimal": "Enter a number.",
    "bool": "Choose yes or no.",
    "str": "Enter text.",
    "date": "Enter a date.",
    "datetime": "Enter a date and a time.",
    "time": "Enter a time.",
    "duration": "Enter a length of time.",
    "uuid": "This is not a valid identifier.",
    "array": "Enter a list of values.",
    "object": "This is not filled in as expected.",
    "Upload": "Choose a file.",
}
_INVALID = {
    "enum": OPTIONS,
    "date": _EXPECTED["date"],
    "RFC3339": _EXPECTED["date"],
    "RFC3339 encoded datetime": _EXPECTED["datetime"],
    "RFC3339 encoded date": _EXPECTED["date"],
    "RFC3339 encoded time": _EXPECTED["time"],
    "decimal string": _EXPECTED["decimal"],
    "UUID": _EXPECTED["uuid"],
}
_BOUND = re.compile(r"Expected `(\w+)`( of length)? (>=|<=|>|<) (\S+?)(?: - at|$)")
_PHRASE = {
    (False, ">="): "Must be at least {}.",
    (False, "<="): "Must be at most {}.",
    (False, ">"): "Must be more than {}.",
    (False, "<"): "Must be less than {}.",
    (True, ">="): "Must be at least {} long.",
    (True, "<="): "Must be at most {} long.",
}

MISMATCH = "This does not have the expected form."


def explain(reason: str) -> str:
    """A sentence for the visitor from the reason that msgspec gives to a developer."""
    if bound := _BOUND.match(reason):
        _, length, comparison, limit = bound.groups()
        if length and comparison == ">=" and limit == "1":
            return "This field is required."
        return _PHRASE.get((bool(length), comparison), "Must be within its limits.").format(limit)
    if reason.startswith("Number out of range"):
        return "This number is too large."
    if reason.startswith("Expected `str` matching"):
        return MISMATCH
    if expected := re.match(r"Expected `([\w]+)", reason):
        return _EXPECTED.get(expected[1], "This value is not valid.")
    if invalid := re.match(r"Invalid ([\w ]+?)(?: value| '|$| - at)", reason):
        return _INVALID.get(invalid[1], "This value is not valid.")
    return "This value is not valid."
