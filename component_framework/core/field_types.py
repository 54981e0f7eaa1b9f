"""From the type of a field to the input that asks for it."""

from __future__ import annotations

import datetime
import decimal
import enum
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from .errors import ConfigurationError
from .field_checks import Check
from .fitting import Field, members
from .form_data import MOST_ROWS, as_form
from .schema import Choice, FormField, FormSchema, Input, Kind, schema_of
from .uploads import Limit

_KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, "checkbox"),
    (int, "number"),
    (float, "number"),
    (decimal.Decimal, "number"),
    (datetime.datetime, "datetime-local"),
    (datetime.date, "date"),
    (datetime.time, "time"),
)
_LISTS = (list, set, frozenset, tuple)


def describe(title: str, field: Field) -> FormField:
    """The description of a field of `title`; raises ConfigurationError for a type that no input can ask for."""
    notes = list(notes_of(field.type))
    note = input_of(field.type)
    metas = [note for note in notes if isinstance(note, msgspec.Meta)]
    plain = [member for member in members(field.type) if member is not type(None)]
    row = row_schema(plain)
    if row is not None:
        require_no_files(f"a row of {title}.{field.name}", row)
    choices = choices_of(plain, note)
    if note.type == "file" and field.file is None:
        raise ConfigurationError(
            f"{title}.{field.name}: a file is an Upload: {field.name}: Annotated[Upload, Limit(…)]."
        )
    kind = (
        "file"
        if field.file
        else note.type or ("rows" if row else "text" if note.comma else _kind(title, field, plain, choices))
    )
    return FormField(
        name=field.name,
        label=note.label or next((meta.title for meta in metas if meta.title), "") or label_of(field.name),
        kind=kind,
        required=note.required or (field.required and not field.optional and kind not in ("checkbox", "rows")),
        help=note.help or next((meta.description for meta in metas if meta.description), ""),
        initial=_initial(field),
        choices=choices,
        attributes=tuple(_attributes(kind, plain, metas, note).items())
        if field.file is None
        else file_attributes(field.file, many=field.is_list),
        widget=note.widget,
        mismatch=note.mismatch,
        zone=note.zone or ("UTC" if any(meta.tz for meta in metas) else ""),
        limit=field.file,
        rows=row,
        fewest=max((meta.min_length or 0 for meta in metas), default=0) if row else 0,
        most=min((meta.max_length or MOST_ROWS for meta in metas), default=MOST_ROWS) if row else MOST_ROWS,
    )


def file_attributes(limit: Limit, *, many: bool) -> tuple[tuple[str, str], ...]:
    """The attributes of the input for files."""
    accept = (("accept", ",".join(sorted(limit.types))),) if limit.types else ()
    return (*accept, ("multiple", "multiple")) if many else accept


def require_no_files(owner: str, schema: FormSchema) -> None:
    """Raise ConfigurationError for a schema with files, where none can be."""
    for field in schema.fields.values():
        if field.limit is not None:
            raise ConfigurationError(
                f"{owner} cannot have the file {field.name!r}: no page keeps it between two events. "
                "Take it in a field of a form that is sent as a whole: list[Annotated[Upload, Limit(…)]] for several."
            )


def input_of(kind: Any) -> Input:
    """All that a type says of its input, the outermost having the last word."""
    return merge_inputs(note for note in notes_of(kind) if isinstance(note, Input))


def merge_inputs(notes: Iterable[Input]) -> Input:
    """What all of `notes` say, the first having the last word."""
    said: dict[str, Any] = {}
    for note in notes:
        said = {name: value for name, value in msgspec.structs.asdict(note).items() if value != _SILENT[name]} | said
    return Input(**said)


_SILENT = msgspec.structs.asdict(Input())


def check_of(title: str, field: Field) -> Check:
    """What an Input demands of the values of `field`."""
    plain = [member for member in members(field.type) if member is not type(None)]
    options = any(True for member in plain for _ in _options(member))
    return Check(f"{title}.{field.name}", input_of(field.type), plain, has_options=options, optional=not field.required)


def label_of(name: str) -> str:
    """`postal_code` as a visitor reads it."""
    return name.replace("_", " ").strip().capitalize()


def notes_of(kind: Any) -> Iterator[Any]:
    """What `Annotated` says of a type, the outermost first; of the members of an optional one, too."""
    if typing.get_origin(kind) is typing.Annotated:
        inner, *notes = typing.get_args(kind)
        yield from reversed(notes)
        yield from notes_of(inner)
    elif type(None) in typing.get_args(kind):
        for member in typing.get_args(kind):
            yield from notes_of(member)
    elif (alias := getattr(kind, "__value__", None)) is not None and not isinstance(kind, type):
        yield from notes_of(alias)


def row_schema(plain: list[Any]) -> FormSchema | None:
    """The schema of the items, where the type is a list of sub-forms."""
    for member in plain:
        items = typing.get_args(member)
        if typing.get_origin(member) is list and (found := schema_of(items[0])) is not None:
            return found
    return None


def choices_of(plain: list[Any], note: Input) -> tuple[Choice, ...]:
    """The options of a field: those of its Literal or Enum, with the labels of `note`."""
    labels: Mapping[str, str] = note.choices or {}
    found = [choice for member in plain for choice in _options(member)]
    if not found:
        return tuple(Choice(value, label) for value, label in labels.items())
    return tuple(Choice(choice.value, labels.get(choice.value, choice.label)) for choice in found)


def _options(member: Any) -> Iterator[Choice]:
    if typing.get_origin(member) is typing.Literal:
        for value in typing.get_args(member):
            yield Choice(str(value), label_of(str(value)))
    elif isinstance(member, type) and issubclass(member, enum.Enum):
        for item in member:
            yield Choice(str(item.value), str(getattr(item, "label", None) or label_of(item.name.lower())))
    elif typing.get_origin(member) in _LISTS:
        for inner in typing.get_args(member):
            for stripped in members(inner):
                yield from _options(stripped)


def _kind(title: str, field: Field, plain: list[Any], choices: tuple[Choice, ...]) -> Kind:
    if choices:
        return "checkboxes" if field.is_list else "select"
    for kind, shown in _KINDS:
        if any(isinstance(member, type) and issubclass(member, kind) for member in plain):
            return shown
    if field.is_list or field.is_nested:
        raise ConfigurationError(
            f"{title}.{field.name}: no input asks for {field.type}. Write a type with options (Literal, Enum), a list of "
            "a schema class, or say what to show: Annotated[…, Input(type=…)]."
        )
    return "text"


def _initial(field: Field) -> tuple[str, ...]:
    if field.required or field.default is None or field.default is msgspec.UNSET:
        return ()
    value = field.default if isinstance(field.default, str) else msgspec.to_builtins(field.default)
    return tuple(as_form({"value": value}).get("value", ())) if not _holds_rows(value) else ()


def _holds_rows(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _attributes(kind: Kind, plain: list[Any], metas: list[msgspec.Meta], note: Input) -> dict[str, str]:
    found: dict[str, Any] = {}
    whole = int in plain
    if kind in ("number", "range"):
        found["step"] = 1 if whole else "any"
    for meta in metas:
        found |= _bounds(meta, whole) | _lengths(meta, kind)
    own = {"min": note.min, "max": note.max, "step": note.step}
    found |= {name: value for name, value in own.items() if value is not None}
    if note.comma:
        found = {"inputmode": "decimal"}
    found |= {"autocomplete": note.autocomplete, "placeholder": note.placeholder}
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def _bounds(meta: msgspec.Meta, whole: bool) -> dict[str, Any]:
    above = meta.gt + 1 if whole and meta.gt is not None else meta.gt
    below = meta.lt - 1 if whole and meta.lt is not None else meta.lt
    bounds = {"min": meta.ge if above is None else above, "max": meta.le if below is None else below}
    bounds["step"] = meta.multiple_of
    return {name: value for name, value in bounds.items() if value is not None}


def _lengths(meta: msgspec.Meta, kind: Kind) -> dict[str, Any]:
    if kind in ("rows", "checkboxes", "select-multiple"):
        return {}
    pattern = meta.pattern
    anchored = pattern is not None and pattern.startswith("^") and pattern.endswith("$") and kind == "text"
    lengths: dict[str, Any] = {"minlength": meta.min_length, "maxlength": meta.max_length}
    lengths["pattern"] = pattern[1:-1] if pattern is not None and anchored else None
    return {name: value for name, value in lengths.items() if value is not None}
