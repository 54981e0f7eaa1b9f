"""The names and values of a form as they travel: rows in flat names, typed values as text.

A list of sub-forms `lines` sends `lines=0&lines=2` for its rows, in the order of the page, and `lines-2-amount=…` for
their fields. A row's key stays with it when rows are added, removed and moved: what is being typed stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec

from .fitting import REQUIRED, Field, Form
from .uploads import Upload

KEY = re.compile(r"[0-9]{1,6}")
MOST_ROWS = 200
"""Rows of a list of sub-forms whose type names no `max_length`, and those of a program's that are shown."""


def row_name(name: str, key: str, field: str) -> str:
    """The name of a field of a row."""
    return f"{name}-{key}-{field}"


def removed_name(name: str) -> str:
    """The name under which a form remembers what was stored of rows that were removed from it."""
    return f"{name}-removed"


def row_keys(form: Form, name: str) -> list[str]:
    """The keys of the rows of `name`, in order; a form that lists none has those that its fields mention."""
    listed = form.get(name)
    if listed is None:
        listed = [parts[0] for field in form if (parts := _row_parts(field, name))]
    return [key for key in dict.fromkeys(listed) if KEY.fullmatch(key)]


def take_rows(form: Form, name: str) -> dict[str, Form]:
    """Take the rows of `name` out of `form`: each row's fields by its key."""
    rows = {key: Form() for key in row_keys(form, name)}
    form.pop(name, None)
    for field in list(form):
        parts = _row_parts(field, name)
        if parts is not None and parts[0] in rows:
            rows[parts[0]][parts[1]] = form.pop(field)
    return rows


def put_rows(form: Form, name: str, rows: Mapping[str, Form]) -> None:
    """Write `rows` into `form`: the reverse of `take_rows()`."""
    form[name] = list(rows)
    for key, row in rows.items():
        form.update((row_name(name, key, field), values) for field, values in row.items())


def next_key(keys: Iterable[str]) -> str:
    """A key that no row has had since the oldest of `keys`."""
    return str(max(map(int, keys), default=-1) + 1)


def _row_parts(field: str, name: str) -> tuple[str, str] | None:
    prefix, dash, rest = field.partition("-")
    key, second, own = rest.partition("-")
    if prefix != name or not dash or not second or not own or not KEY.fullmatch(key):
        return None
    return key, own


def as_form(data: Mapping[str, Any]) -> Form:
    """Typed values as a form spells them: a program's JSON, or the values that a form begins with."""
    if isinstance(data, Form):
        return data
    form = Form()
    for name, value in data.items():
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, Mapping) for item in value):
            put_rows(form, str(name), {str(index): as_form(item) for index, item in enumerate(value[:MOST_ROWS])})
        elif (texts := _texts(value)) is not None:
            form[str(name)] = texts
    return form


def _texts(value: Any) -> list[str] | None:
    """A value's text, or texts; None for what a form does not send: nothing, and a box that is not ticked."""
    if value is None or value is False:
        return None
    if isinstance(value, Upload):
        return [cast(str, value)]  # a Form has its files among its texts
    if isinstance(value, (list, tuple, set, frozenset)):
        return [text for item in value for text in _texts(item) or ()]
    return ["on" if value is True else value if isinstance(value, str) else _text(value)]


def _text(value: Any) -> str:
    plain = msgspec.to_builtins(value)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


Spelling = Callable[[str], str]


def read_form(
    fields: Mapping[str, Field], form: Form, errors: dict[str, list[str]], *, spellings: Mapping[str, Spelling]
) -> dict[str, Any]:
    """What the fields of a complete form mean; what is wrong with them goes to `errors`.

    Unlike the arguments of an event, a form that is submitted has all its fields: a box that is missing is not ticked,
    a choice of several that is missing has none, and a field that was left empty has its default, or nothing. `spellings`
    turn what is typed into some of the fields into what their types read.
    """
    given: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in form or not form[name]:
            if field.file is not None:
                errors |= {name: [REQUIRED]} if field.required else {}
            elif field.is_list or (field.is_bool and not field.optional):
                given[name] = [] if field.is_list else False
            elif field.required:
                errors[name] = [REQUIRED]
            continue
        try:
            if field.file is not None:
                given[name] = field.read(form[name])
                continue
            _read_field(field, [_clean(text, spellings.get(name)) for text in form[name]], given)
        except ValueError as exc:
            errors[name] = [str(exc)]
    return given


def _read_field(field: Field, values: list[str], given: dict[str, Any]) -> None:
    if not (field.is_list or field.is_bool or field.optional or values[-1].strip()):
        if field.required or (field.default is msgspec.UNSET and not field.accepts_empty):
            raise ValueError(REQUIRED)
        if not field.accepts_empty:
            return  # its default
    given[field.name] = list(values) if field.is_list else field.read(values)


def _clean(text: str, spelling: Spelling | None) -> str:
    if "\0" in text:
        raise ValueError("This has a character that cannot be stored.")
    text = text.replace("\r\n", "\n")  # what browsers make of a line's end (WHATWG HTML, form submission)
    return text if spelling is None else spelling(text)


def without_comma(text: str) -> str:
    """A number with a decimal comma, as JSON would have it."""
    text = text.strip()
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
