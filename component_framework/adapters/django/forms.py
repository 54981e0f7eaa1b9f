"""Django forms as the schemas of components; `core.schema` finds this module when a component names one.

def on_submit(self, form: ContactForm) -> None: ...        the form, bound and valid
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, cast

from django import forms
from django.forms.utils import pretty_name
from django.utils.datastructures import MultiValueDict
from msgspec.structs import replace

from ...core.errors import ConfigurationError, Invalid
from ...core.fitting import UNKNOWN
from ...core.form_data import as_form
from ...core.schema import Choice, FormField, Kind

_FIELDS: tuple[tuple[type[forms.Field], Kind], ...] = (
    (forms.DateTimeField, "datetime-local"),
    (forms.DateField, "date"),
    (forms.TimeField, "time"),
)
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


def schema_of(kind: type) -> DjangoSchema | None:
    """The schema of a form class; None for any other class."""
    return DjangoSchema(kind) if issubclass(kind, forms.BaseForm) else None


class DjangoSchema:
    """A form class: its fields, labels and messages, in the language of the request."""

    blocking = True
    """A form may ask the database: for the options of a choice, or whether a value is taken."""

    def __init__(self, form: type[forms.BaseForm]) -> None:
        self._form = form
        self.title = form.__qualname__

    @property
    def fields(self) -> Mapping[str, FormField]:
        fields = self._described
        for name, initial in self._callables.items():  # `initial=timezone.now` is of the moment
            fields = {**fields, name: replace(fields[name], initial=tuple(_texts(initial())))}
        return fields

    @cached_property
    def _described(self) -> Mapping[str, FormField]:
        return {name: _describe(self.title, name, field) for name, field in self._form().fields.items()}

    @cached_property
    def _callables(self) -> Mapping[str, Any]:
        return {name: field.initial for name, field in self._form().fields.items() if callable(field.initial)}

    def validate(self, data: Mapping[str, Any]) -> Any:
        sent = as_form(data)
        form = self._form(data=MultiValueDict(sent))
        errors = {name: [UNKNOWN] for name in data if name not in form.fields}
        if not form.is_valid():
            errors |= {("" if name == "__all__" else name): [*map(str, texts)] for name, texts in form.errors.items()}
        if errors:
            raise Invalid(errors)
        return form


class Options:
    """The options of a field, asked for each time: they may come from the database, and in the reader's language."""

    def __init__(self, field: Any) -> None:
        self._field = field

    def __iter__(self) -> Iterator[Choice]:
        for value, label in getattr(self._field, "choices", None) or self._field.widget.choices:
            if isinstance(label, (list, tuple)):
                yield from (Choice(str(inner), str(text)) for inner, text in label)
            elif value not in ("", None):
                yield Choice(str(value), str(label))


def _describe(title: str, name: str, field: forms.Field) -> FormField:
    kind = _kind(title, name, field)
    label = field.label if field.label is not None else pretty_name(name)
    return FormField(
        name=name,
        label=cast(str, label),  # a lazy translation stays one
        kind=kind,
        required=field.required,
        help=cast(str, field.help_text),
        initial=() if callable(field.initial) else tuple(_texts(field.initial)),
        choices=Options(field) if kind in ("select", "select-multiple", "radio", "checkboxes") else (),
        attributes=tuple(_attributes(field)),
    )


def _kind(title: str, name: str, field: forms.Field) -> Kind:
    widget = field.widget
    for owner, kind in _WIDGETS:
        if isinstance(widget, owner):
            return kind
    for asked, kind in _FIELDS:
        if isinstance(field, asked) and not isinstance(widget, forms.MultiWidget):
            return kind
    found = _INPUTS.get(getattr(widget, "input_type", ""))
    if found is None:
        raise ConfigurationError(
            f"{title}.{name}: there is no input for the widget {type(widget).__name__}. Give the field one of Django's plain widgets."
        )
    return found


def _texts(initial: Any) -> list[str]:
    return as_form({"value": initial}).get("value", [])


def _attributes(field: forms.Field) -> Iterator[tuple[str, str]]:
    for name, value in field.widget.attrs.items():
        if value not in (None, False) and name not in ("id", "name", "type", "value", "required"):
            yield name, name if value is True else str(value)
