"""The schema of annotated fields: a msgspec Struct, a dataclass, or the parameters of a handler."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

import msgspec

from .errors import ConfigurationError, Invalid
from .field_checks import in_zone, wall_time, wrong_values, zone_of
from .field_types import check_of, describe, input_of
from .fitting import REQUIRED, UNKNOWN, Field, Form, Shape, only, resolve_hints
from .form_data import Spelling, as_form, put_rows, read_form, row_name, take_rows, without_comma
from .messages import MISMATCH, explain
from .schema import FormField, FormSchema, form_wide
from .uploads import Upload


class TypedSchema:
    """Annotated fields as a form; `build` makes the value of them, and may refuse it by ValueError or Invalid."""

    def __init__(self, title: str, fields: Iterable[Field], build: Callable[..., Any]) -> None:
        self.title = title
        typed = {field.name: field for field in fields}
        if wrong := [name for name in typed if name.startswith("_")]:
            raise ConfigurationError(
                f"{title}.{wrong[0]}: a form's field cannot begin with an underscore. Rename the field."
            )
        self.fields: Mapping[str, FormField] = {name: describe(title, field) for name, field in typed.items()}
        self._rows = {name: field.rows for name, field in self.fields.items() if field.rows is not None}
        self._plain = {name: field for name, field in typed.items() if name not in self._rows}
        self._lists = {name: field for name, field in typed.items() if name in self._rows}
        self._shape = ReadShape(title, list(self._plain.values()))
        self._checks = {name: check for name, field in typed.items() if (check := check_of(title, field))}
        self._files = {name for name, field in self.fields.items() if field.limit is not None}
        self._zones = {
            name: zone_of(f"{title}.{name}", field.zone) for name, field in self.fields.items() if field.zone
        }
        self._moments = [name for name, field in self.fields.items() if field.kind in ("datetime-local", "time")]
        commas = [name for name, field in typed.items() if input_of(field.type).comma]
        self._spellings: dict[str, Spelling] = {name: partial(in_zone, zone=zone) for name, zone in self._zones.items()}
        self._spellings.update(dict.fromkeys(commas, without_comma))
        self._ticked = [name for name, field in self.fields.items() if field.kind == "checkbox" and field.required]
        self._build = build

    def begin(self, values: Any) -> Form:
        form = Form({name: list(field.initial) for name, field in self.fields.items() if field.initial})
        form.update(values if isinstance(values, Form) else spell(values))
        for name in self._files & form.keys():
            del form[name]  # nobody but its visitor can choose a file
        for name, schema in self._rows.items():
            if name in form:
                put_rows(form, name, {key: schema.begin(row) for key, row in take_rows(form, name).items()})
        for name in self._moments:
            if name in form:
                form[name] = [wall_time(text, self._zones.get(name)) for text in form[name]]
        return form

    def validate(self, data: Mapping[str, Any]) -> Any:
        errors: dict[str, list[str]] = {}
        values = (
            self._validate_form(Form(data), errors) if isinstance(data, Form) else self._validate_json(data, errors)
        )
        if errors:
            raise Invalid(errors)
        try:
            return self._build(**values)
        except ValueError as exc:  # what a Struct's, or a dataclass's, __post_init__ says of the form as a whole
            raise Invalid(form_wide(str(exc))) from exc

    def _validate_form(self, form: Form, errors: dict[str, list[str]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, schema in self._rows.items():
            values[name] = self._check_rows(name, schema, take_rows(form, name), errors)
        errors |= {name: [UNKNOWN] for name in form if name not in self._plain}
        given = read_form(self._plain, form, errors, spellings=self._spellings)
        return values | self._fit(Form(given), errors)

    def _validate_json(self, data: Mapping[str, Any], errors: dict[str, list[str]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, schema in self._rows.items():
            given = data.get(name, [] if not self._lists[name].required else None)
            if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
                errors[name] = [REQUIRED if name not in data else explain("Expected `array`")]
            else:
                rows = {str(index): item for index, item in enumerate(given)}
                values[name] = self._check_rows(name, schema, rows, errors)
        plain = {name: value for name, value in data.items() if name not in self._rows}
        return values | self._fit(plain, errors)

    def _fit(self, given: Mapping[str, Any], errors: dict[str, list[str]]) -> dict[str, Any]:
        """The values of the plain fields, those that are wrong already left out."""
        try:
            values = self._shape.fit(given)
        except Invalid as exc:
            values = self._shape.fit_some(only(given, self._checks.keys() & given.keys()))
            errors |= {name: self._worded(name, texts) for name, texts in exc.errors.items() if name not in errors}
        errors |= {name: texts for name, texts in wrong_values(self._checks, values) if name not in errors}
        self._require_ticks(given, errors)
        return values

    def _worded(self, name: str, texts: list[str]) -> list[str]:
        own = self.fields[name].mismatch if name in self.fields else ""
        return [own] if own and texts == [MISMATCH] else texts

    def _require_ticks(self, given: Mapping[str, Any], errors: dict[str, list[str]]) -> None:
        errors |= {name: [REQUIRED] for name in self._ticked if not given.get(name) and name not in errors}

    def _check_rows(
        self, name: str, schema: FormSchema, rows: Mapping[str, Mapping[str, Any]], errors: dict[str, list[str]]
    ) -> Any:
        field, values = self.fields[name], []
        if len(rows) > field.most:
            errors[name] = [explain(f"Expected `array` of length <= {field.most}")]
            return None
        if len(rows) < field.fewest:
            errors[name] = [explain(f"Expected `array` of length >= {field.fewest}")]
        for key, row in rows.items():
            try:
                values.append(schema.validate(row))
            except Invalid as exc:
                errors |= {row_name(name, key, sub) if sub else name: texts for sub, texts in exc.errors.items()}
        return values


class ReadShape(Shape):
    """A Shape for what `read_form()` has read: text still has to become numbers and dates, and nothing else is left."""

    __slots__ = ()

    def _read(self, form: Form, errors: dict[str, list[str]]) -> dict[str, Any]:
        return dict(form)

    def fit_some(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Those of `given` that fit, each by itself."""
        fitted = {}
        for name, value in given.items():
            with suppress(msgspec.ValidationError):
                fitted[name] = msgspec.convert(value, self.fields[name].type, strict=not isinstance(given, Form))
        return fitted


def typed_schema(kind: type) -> FormSchema | None:
    """The schema of a Struct or a dataclass; None for any other class."""
    if issubclass(kind, msgspec.Struct):
        fields = _struct_fields(kind)
    elif dataclasses.is_dataclass(kind):
        fields = _dataclass_fields(kind)
    else:
        return None
    for field in fields:
        _require_type(kind.__qualname__, field)
    around = _around.get()
    if kind in around:
        raise ConfigurationError(
            f"{kind.__qualname__} has rows of {kind.__qualname__}, which no form can show. "
            "Take its parts as arguments of their own."
        )
    token = _around.set(around | {kind})
    try:
        return TypedSchema(kind.__qualname__, fields, kind)
    finally:
        _around.reset(token)


_around: ContextVar[frozenset[type]] = ContextVar("_around", default=frozenset())
"""The classes whose schema is being made, with that of their rows."""


def _require_type(title: str, field: Field) -> None:
    """Raise ConfigurationError for a type that nothing can be fitted to, before a visitor finds it."""
    try:
        msgspec.json.Decoder(field.type)
    except TypeError as exc:
        raise ConfigurationError(f"{title}.{field.name}: {exc}") from exc


def signature_schema(title: str, shape: Shape) -> FormSchema:
    """The schema of a handler that takes the fields of its form one by one."""
    return TypedSchema(title, shape.fields.values(), dict)


def spell(value: Any) -> Form:
    """The values of `value`, an instance of a schema class or a mapping of its fields, as a form's text."""
    if isinstance(value, Mapping):
        return as_form(value)
    dump = getattr(value, "model_dump", None)  # a Pydantic model knows itself how to
    return as_form(msgspec.to_builtins(value, enc_hook=_leave_out) if dump is None else dump())


def _leave_out(file: Any) -> None:
    if not isinstance(file, Upload):
        raise NotImplementedError(f"a form cannot spell {file!r}")


def _struct_fields(kind: type[msgspec.Struct]) -> list[Field]:
    return [
        Field(
            field.name,
            field.type,
            field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory(),
        )
        for field in msgspec.structs.fields(kind)
    ]


def _dataclass_fields(kind: Any) -> list[Field]:
    hints = resolve_hints(kind.__qualname__, kind)
    for name in inspect.signature(kind).parameters.keys() - {field.name for field in dataclasses.fields(kind)}:
        raise ConfigurationError(f"{kind.__qualname__}.{name}: no form has an InitVar. Make it a field.")
    return [
        Field(field.name, hints[field.name], _default(field))
        for field in dataclasses.fields(kind)
        if field.init and typing.get_origin(hints[field.name]) is not typing.ClassVar
    ]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return msgspec.NODEFAULT if field.default is dataclasses.MISSING else field.default
