"""Django's formsets as the rows of a form: numbered by Django, named by a key that stays with its row here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.utils.datastructures import MultiValueDict

from ...core.fitting import UNKNOWN, Form
from ...core.form_data import MOST_ROWS, put_rows, removed_name, row_name, take_rows
from ...core.messages import explain
from ...core.schema import FormField
from .form_fields import describe, spell


class Sent(NamedTuple):
    """What came of a formset: its rows by their keys, and the stored objects of those that were removed."""

    rows: Mapping[str, Form]
    removed: list[str]


class Rows:
    """One formset class below a form; `name` is that of its rows."""

    def __init__(self, name: str, formset: Any) -> None:
        self.name = name
        self._formset = formset
        self._key = formset.model._meta.pk.name if hasattr(formset, "model") else ""
        self._most = min(formset.max_num, MOST_ROWS)

    @property
    def described(self) -> FormField:
        """The rows as the class declares them."""
        return self._field(
            RowSchema(self._formset.form.__qualname__, self._formset.form, self._formset.form.base_fields)
        )

    def describe(self, form: Any) -> FormField:
        """The rows as they are below `form`."""
        empty = self._make(form).empty_form
        fields = {name: field for name, field in empty.fields.items() if name not in self._set_by_django()}
        return self._field(RowSchema(type(empty).__qualname__, empty, fields))

    def begin(self, form: Any, begun: Form) -> None:
        """Write the rows of an untouched form into `begun`."""
        rows = {
            str(number): Form({name: texts for name in _shown(row, self) if (texts := spell(row[name]))})
            for number, row in enumerate(self._make(form).forms)
        }
        put_rows(begun, self.name, rows)

    def take(self, sent: Form) -> Sent:
        """Take what came of the rows out of `sent`."""
        removed = sent.pop(removed_name(self.name), [])
        return Sent(take_rows(sent, self.name), removed)

    def check(self, form: Any, sent: Sent, errors: dict[str, list[str]]) -> Any:
        """The formset with what was sent, checked; what is wrong with it goes to `errors`."""
        if len(sent.rows) > self._most:
            errors[self.name] = [explain(f"Expected `array` of length <= {self._most}")]
            return None
        stored = [key for key, row in sent.rows.items() if any(row.get(self._key, ()))]
        keys = [*stored, *(key for key in sent.rows if key not in stored)]
        formset = self._make(form, data=self._numbered(sent, stored, keys))
        formset.is_valid()
        if sent.removed and not formset.can_delete:
            errors[self.name] = [UNKNOWN]
        places = dict(enumerate([*stored, *[""] * len(sent.removed), *keys[len(stored) :]]))
        for number, row in enumerate(formset.forms):
            key = places[number]
            if key:
                errors |= {self._error_name(key, name): [*map(str, texts)] for name, texts in row.errors.items()}
                errors |= {
                    row_name(self.name, key, name): [UNKNOWN] for name in sent.rows[key] if name not in row.fields
                }
        if whole := [*map(str, formset.non_form_errors())]:
            errors[self.name] = whole
        return formset

    def _numbered(self, sent: Sent, stored: list[str], keys: list[str]) -> MultiValueDict[str, str]:
        """What Django's own page would have sent."""
        rows = [sent.rows[key] for key in stored]
        rows += [Form({self._key: [value], "DELETE": ["on"]}) for value in sent.removed]
        rows += [sent.rows[key] for key in keys[len(stored) :]]
        order = {key: str(number) for number, key in enumerate(sent.rows, 1)}
        data: dict[str, list[str]] = {
            f"{self.name}-TOTAL_FORMS": [str(len(rows))],
            f"{self.name}-INITIAL_FORMS": [str(len(stored) + len(sent.removed))],
        }
        for number, row in enumerate(rows):
            data.update((f"{self.name}-{number}-{field}", values) for field, values in row.items())
        if self._formset.can_order:
            places = [*stored, *[""] * len(sent.removed), *keys[len(stored) :]]
            data |= {f"{self.name}-{number}-ORDER": [order[key]] for number, key in enumerate(places) if key}
        return MultiValueDict(data)

    def _make(self, form: Any, **more: Any) -> Any:
        owner = {"instance": form.instance} if issubclass(self._formset, forms.BaseInlineFormSet) else {}
        return self._formset(prefix=self.name, **owner, **more)

    def _field(self, rows: RowSchema) -> FormField:
        fewest = self._formset.min_num if self._formset.validate_min else 0
        return FormField(
            name=self.name, label=self.name.replace("_", " ").capitalize(), kind="rows", rows=rows, fewest=fewest, most=self._most,
            row_key=self._key,
        )  # fmt: skip

    def _set_by_django(self) -> frozenset[str]:
        foreign = getattr(self._formset, "fk", None)
        return frozenset({"DELETE", "ORDER", *([foreign.name] if foreign is not None else [])})

    def _error_name(self, key: str, name: str) -> str:
        return self.name if name == "__all__" else row_name(self.name, key, name)


def _shown(row: Any, rows: Rows) -> list[str]:
    return [name for name in row.fields if name not in rows._set_by_django()]


class RowSchema:
    """The sub-form of each row."""

    def __init__(self, title: str, empty: Any, fields: Mapping[str, Any]) -> None:
        self.title = title
        self._empty = empty
        self._names = list(fields)
        self.fields = {name: describe(title, name, field) for name, field in fields.items()}

    def begin(self, values: Any) -> Form:
        if isinstance(values, Form) and values:
            return values
        return Form({name: texts for name in self._names if (texts := spell(self._empty[name]))})

    def validate(self, data: Any) -> Any:
        raise NotImplementedError("a formset validates its rows together")
