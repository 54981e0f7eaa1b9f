"""Django forms as the schemas of components; `core.schema` finds this module when a component names one.

def on_submit(self, form: ContactForm) -> None: ...        the form, bound and valid

A form class with `formsets = {"lines": LineFormSet}` has rows below it, and `form.formsets["lines"]` is the formset, valid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from ...core.errors import ConfigurationError, Invalid
from ...core.fitting import UNKNOWN, Form
from ...core.form_data import as_form
from ...core.schema import FormField
from .files import limits_of, split
from .form_fields import clears_of, describe, spell, with_stored
from .formsets import Rows


def schema_of(kind: type) -> DjangoSchema | None:
    """The schema of a form class; None for any other class. Raises ConfigurationError for a formset by itself."""
    if issubclass(kind, forms.BaseFormSet):
        raise ConfigurationError(
            f"{kind.__qualname__} is a formset. Give it to the form that its rows belong to: class …(forms.Form): formsets = "
            f'{{"lines": {kind.__qualname__}}}.'
        )
    return DjangoSchema(kind) if issubclass(kind, forms.BaseForm) else None


class DjangoSchema:
    """A form class: its fields, labels and messages, in the language of the request."""

    blocking = True
    """A form may ask the database: for the options of a choice, or whether a value is taken."""

    def __init__(self, form: Any) -> None:
        self.title = form.__qualname__
        self.dynamic = "__init__" in vars(form) or any("__init__" in vars(base) for base in _own_bases(form))
        self._form = form

    def made_with(self, arguments: Callable[[], Mapping[str, Any]]) -> OneForm:
        """The schema of one event; `arguments` gives what the form takes besides its data."""
        return OneForm(self.title, self._form, arguments)

    @cached_property
    def fields(self) -> Mapping[str, FormField]:
        """The fields that the class declares; those of a form that is made anew may be others."""
        limits = limits_of(self._form)
        found = {name: describe(self.title, name, field, limits) for name, field in self._form.base_fields.items()}
        return found | {name: Rows(name, kind).described for name, kind in formsets_of(self._form).items()}

    def begin(self, values: Any) -> Form:
        return self.made_with(dict).begin(values)

    def validate(self, data: Mapping[str, Any]) -> Any:
        return self.made_with(dict).validate(data)


class OneForm:
    """A form as it is made for one event: with the instance, the user and what else it takes."""

    blocking = True

    def __init__(self, title: str, form: Any, arguments: Callable[[], Mapping[str, Any]]) -> None:
        self.title = title
        self._form = form
        self._find_arguments = arguments
        self._made: Any = None
        self._rows = {name: Rows(name, kind) for name, kind in formsets_of(form).items()}
        self._limits = limits_of(form)

    @cached_property
    def fields(self) -> Mapping[str, FormField]:
        form = self._made if self._made is not None else self._make()
        found = {name: describe(self.title, name, field, self._limits) for name, field in form.fields.items()}
        found |= {name: with_stored(form[name], found[name]) for name in self._limits if name in found}
        return found | {name: rows.describe(form) for name, rows in self._rows.items()}

    def begin(self, values: Any) -> Form:
        if isinstance(values, Form):
            return values
        form = self._make(**({"initial": {**self._arguments.get("initial", {}), **values}} if values else {}))
        begun = Form({name: texts for name in form.fields if (texts := spell(form[name]))})
        for rows in self._rows.values():
            rows.begin(form, begun)
        return begun

    def validate(self, data: Mapping[str, Any]) -> Any:
        sent = Form(as_form(data))
        taken = {name: rows.take(sent) for name, rows in self._rows.items()}
        wrong: dict[str, list[str]] = {}
        files = split(sent, self._form.base_fields, self._limits.keys(), wrong)
        form = self._make(data=MultiValueDict(sent), **({"files": files} if self._limits else {}))
        clears = {clears_of(name, form.fields[name]) for name in self._limits if name in form.fields} - {""}
        errors = {name: [UNKNOWN] for name in (*sent, *files) if name not in form.fields and name not in clears}
        if not form.is_valid():
            errors |= {("" if name == "__all__" else name): [*map(str, texts)] for name, texts in form.errors.items()}
        errors |= wrong
        form.formsets = {name: self._rows[name].check(form, rows, errors) for name, rows in taken.items()}
        if errors:
            raise Invalid(errors)
        return form

    @cached_property
    def _arguments(self) -> Mapping[str, Any]:
        return self._find_arguments()

    def _make(self, **more: Any) -> Any:
        self._made = self._form(**{**self._arguments, **more})
        self._made.prefix = None  # the component is a namespace of its own
        self.__dict__.pop("fields", None)
        return self._made


def formsets_of(form: Any) -> Mapping[str, Any]:
    """The formset classes below a form class, by the names of their rows."""
    found: Mapping[str, Any] = getattr(form, "formsets", {})
    return found


def _own_bases(form: Any) -> list[type]:
    return [base for base in form.__mro__ if not base.__module__.startswith("django.forms.") and base is not object]
