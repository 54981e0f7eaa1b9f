"""The fields of Django forms as `core.schema` describes fields, and their values as text."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, cast

from django import forms
from django.forms.utils import pretty_name
from msgspec.structs import replace

from ...core.errors import ConfigurationError
from ...core.field_types import file_attributes
from ...core.schema import Choice, FormField, Kind, Stored
from ...core.uploads import Limit

_NO_FILES: Mapping[str, Limit] = {}
_MOMENTS: tuple[tuple[type[forms.Field], Kind, frozenset[str]], ...] = (
    (forms.DateTimeField, "datetime-local", frozenset()),
    (forms.DateField, "date", frozenset({"%Y-%m-%d"})),
    (forms.TimeField, "time", frozenset({"%H:%M", "%H:%M:%S"})),
)
"""Fields with an input of their own, where they read what browsers send from it."""
_WIDGETS: tuple[tuple[type[forms.Widget], Kind], ...] = (
    (forms.HiddenInput, "hidden"),
    (forms.FileInput, "file"),
    (forms.Textarea, "textarea"),
    (forms.CheckboxInput, "checkbox"),
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.RadioSelect, "radio"),
    (forms.SelectMultiple, "select-multiple"),
    (forms.Select, "select"),
    (forms.PasswordInput, "password"),
)
_INPUTS: Mapping[str, Kind] = {
    "text": "text", "email": "email", "number": "number", "url": "url", "tel": "tel", "search": "search", "color": "color",
}  # fmt: skip
_CHOOSING = frozenset({"select", "select-multiple", "radio", "checkboxes"})


def describe(title: str, name: str, field: Any, limits: Mapping[str, Limit] = _NO_FILES) -> FormField:
    """The description of a field; raises ConfigurationError for a widget that is no plain one, and a file that cannot come."""
    kind = _kind(title, name, field)
    if kind == "file" and not field.disabled:
        _require_file(title, name, field, limits)
    label = field.label if field.label is not None else pretty_name(name)
    return FormField(
        name=name,
        label=cast(str, label),  # a lazy translation stays one
        kind=kind,
        required=field.required and not field.disabled,
        help=cast(str, field.help_text),
        initial=() if field.initial is None or callable(field.initial) else (str(field.initial),),
        choices=Options(field) if kind in _CHOOSING else (),
        attributes=tuple(_attributes(field)) + (_accept(field, limits[name]) if name in limits else ()),
        limit=limits.get(name),
        clears=clears_of(name, field),
    )


def clears_of(name: str, field: Any) -> str:
    """The name of the box that takes a stored file away; none, where there is no such box."""
    clearable = isinstance(field.widget, forms.ClearableFileInput) and not (field.required or field.disabled)
    return str(field.widget.clear_checkbox_name(name)) if clearable else ""


def with_stored(bound: Any, described: FormField) -> FormField:
    """`described` with the file that `bound`, Django's BoundField, has from before: then no other is required."""
    file, widget = bound.initial, bound.field.widget
    if not (file and hasattr(file, "name")):
        return described
    try:
        url = str(getattr(file, "url", ""))
    except (ValueError, NotImplementedError):  # a storage without addresses
        url = ""
    labels = (
        {"label": str(widget.initial_text), "clear_label": str(widget.clear_checkbox_label)} if described.clears else {}
    )
    return replace(described, required=False, stored=Stored(name=str(file.name), url=url, **labels))


def _require_file(title: str, name: str, field: Any, limits: Mapping[str, Limit]) -> None:
    if name not in limits:
        raise ConfigurationError(
            f"{title}.{name}: a file is a field of the form class itself, so that it is known before the form is made, and of "
            "no formset. Write it into the class, and take it out of self.fields where it is not wanted."
        )
    if isinstance(field, forms.ImageField) and find_spec("PIL") is None:
        raise ConfigurationError(f"{title}.{name}: Django checks pictures with Pillow. Run: pip install pillow")


def _accept(field: Any, limit: Limit) -> tuple[tuple[str, str], ...]:
    return () if "accept" in field.widget.attrs else file_attributes(limit, many=False)


def spell(bound: Any) -> list[str]:
    """What an untouched form has in a field (Django's BoundField), as text."""
    field, widget = bound.field, bound.field.widget
    value = field.prepare_value(bound.initial)
    kind = _kind(type(bound.form).__qualname__, bound.name, field)
    if value is None or kind == "file":
        return []
    if kind == "checkbox":
        return ["on"] if widget.check_test(value) else []
    if isinstance(value, datetime.datetime):
        value = value.replace(tzinfo=None) if kind == "datetime-local" else value
    if kind in ("datetime-local", "date", "time"):
        return [value if isinstance(value, str) else _iso(value)]
    text = widget.format_value(value)
    return [str(one) for one in text if one != ""] if isinstance(text, (list, tuple)) else [str(text)] if text else []


def _iso(value: Any) -> str:
    if isinstance(value, (datetime.datetime, datetime.time)):
        return str(value.isoformat(timespec="milliseconds" if value.microsecond else "seconds"))
    return str(value.isoformat())


class Options:
    """The options of a field, asked for when they are shown: they may come from the database, and in the reader's language."""

    def __init__(self, field: Any) -> None:
        self._field = field

    def __iter__(self) -> Iterator[Choice]:
        for value, label in getattr(self._field, "choices", None) or self._field.widget.choices:
            if isinstance(label, (list, tuple)):
                yield from (Choice(str(inner), str(text), group=str(value)) for inner, text in label)
            else:
                yield Choice("" if value is None else str(value), str(label))


def _kind(title: str, name: str, field: Any) -> Kind:
    widget = field.widget
    for owner, kind in _WIDGETS:
        if isinstance(widget, owner):
            return kind
    for asked, kind, formats in _MOMENTS:
        if isinstance(field, asked) and not isinstance(widget, forms.MultiWidget):
            return kind if formats <= {*cast(Any, field).input_formats} else "text"
    found = _INPUTS.get(getattr(widget, "input_type", ""))
    if found is None:
        raise ConfigurationError(
            f"{title}.{name}: there is no input for the widget {type(widget).__name__}. Give the field one of Django's plain widgets."
        )
    return found


def _attributes(field: Any) -> Iterator[tuple[str, str]]:
    for name, value in field.widget.attrs.items():
        if value not in (None, False) and name not in ("id", "name", "type", "value", "required"):
            yield name, name if value is True else str(value)
    if field.disabled:
        yield "disabled", "disabled"
