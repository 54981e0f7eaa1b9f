"""The fields of Django forms as `core.schema` describes fields, and their values as text."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, cast

from django import forms
from django.forms.utils import pretty_name

from ...core.errors import ConfigurationError
from ...core.schema import Choice, FormField, Kind

_MOMENTS: tuple[tuple[type[forms.Field], Kind, frozenset[str]], ...] = (
    (forms.DateTimeField, "datetime-local", frozenset()),
    (forms.DateField, "date", frozenset({"%Y-%m-%d"})),
    (forms.TimeField, "time", frozenset({"%H:%M", "%H:%M:%S"})),
)
"""Fields with an input of their own, where they read what browsers send from it."""
_WIDGETS: tuple[tuple[type[forms.Widget], Kind], ...] = (
    (forms.HiddenInput, "hidden"),
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


def describe(title: str, name: str, field: Any) -> FormField:
    """The description of a field; raises ConfigurationError for a widget that is no plain one."""
    kind = _kind(title, name, field)
    label = field.label if field.label is not None else pretty_name(name)
    return FormField(
        name=name,
        label=cast(str, label),  # a lazy translation stays one
        kind=kind,
        required=field.required and not field.disabled,
        help=cast(str, field.help_text),
        initial=() if field.initial is None or callable(field.initial) else (str(field.initial),),
        choices=Options(field) if kind in _CHOOSING else (),
        attributes=tuple(_attributes(field)),
    )


def spell(bound: Any) -> list[str]:
    """What an untouched form has in a field (Django's BoundField), as text."""
    field, widget = bound.field, bound.field.widget
    value = field.prepare_value(bound.initial)
    kind = _kind(type(bound.form).__qualname__, bound.name, field)
    if value is None:
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
