"""Pydantic models as the schemas of forms; `core.schema` finds this module when a component names one."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

try:
    import pydantic
except ImportError as exc:
    raise ImportError("Pydantic is not installed. Run: pip install 'live-component-framework[fastapi]'") from exc

import msgspec
from pydantic.fields import FieldInfo

from ..core.errors import Invalid
from ..core.field_checks import wrong_values
from ..core.fitting import REQUIRED, UNKNOWN, Field, Form, members
from ..core.form_data import as_form
from ..core.messages import OPTIONS
from ..core.schema import Input
from ..core.typed_schema import TypedSchema
from ..core.uploads import CHOOSE, Limit, Upload

_INPUTS: tuple[tuple[Any, Input], ...] = (
    (pydantic.EmailStr, Input(type="email")),
    (pydantic.SecretStr, Input(type="password")),
    (pydantic.AnyUrl, Input(type="url")),
    (pydantic.AwareDatetime, Input(type="datetime-local", zone="UTC")),
    (pydantic.NaiveDatetime, Input(type="datetime-local")),
    (pydantic.PastDatetime, Input(type="datetime-local")),
    (pydantic.FutureDatetime, Input(type="datetime-local")),
    (pydantic.PastDate, Input(type="date")),
    (pydantic.FutureDate, Input(type="date")),
)
_BOUNDS = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern")
_MESSAGES = {
    "missing": REQUIRED,
    "int_parsing": "Enter a whole number.",
    "int_type": "Enter a whole number.",
    "int_from_float": "Enter a whole number.",
    "float_parsing": "Enter a number.",
    "float_type": "Enter a number.",
    "decimal_parsing": "Enter a number.",
    "decimal_type": "Enter a number.",
    "bool_parsing": "Choose yes or no.",
    "bool_type": "Choose yes or no.",
    "string_type": "Enter text.",
    "list_type": "Enter a list of values.",
    "is_instance_of": CHOOSE,
    "needs_python_object": CHOOSE,
    "enum": OPTIONS,
    "literal_error": OPTIONS,
    "date_from_datetime_parsing": "Enter a date.",
    "datetime_from_date_parsing": "Enter a date and a time.",
    "time_parsing": "Enter a time.",
    "string_pattern_mismatch": "This does not have the expected form.",
}


def schema_of(kind: type) -> PydanticSchema | None:
    """The schema of a model; None for any other class."""
    return PydanticSchema(kind) if issubclass(kind, pydantic.BaseModel) else None


class PydanticSchema(TypedSchema):
    """A model: its validators run, and its errors are told per field."""

    def __init__(self, model: type[pydantic.BaseModel]) -> None:
        self._model = model
        self._aliases = {name: _alias(name, info) for name, info in model.model_fields.items()}
        self._names = {alias: name for name, alias in self._aliases.items()}
        self._spelled = {
            name: found for name, info in model.model_fields.items() if (found := _spelled(info.annotation))
        }
        fields = [_field(name, info) for name, info in model.model_fields.items()]
        super().__init__(model.__qualname__, fields, model)

    def validate(self, data: Mapping[str, Any]) -> Any:
        errors: dict[str, list[str]] = {}
        if self._files and any(isinstance(data.get(name), (Upload, list)) for name in self._files):
            data = as_form(data)  # no JSON has a file in it
        if isinstance(data, Form):
            given = self._validate_form(Form(data), errors)
        else:
            errors |= {str(name): [UNKNOWN] for name in data if name not in self.fields}
            given = {name: data[name] for name in data if name in self.fields}
            self._require_ticks(given, errors)
        aliased = {self._aliases[name]: value for name, value in given.items() if name not in errors}
        value: Any = None
        try:
            if isinstance(data, Form):
                value = self._model.model_validate(aliased)
            else:
                value = self._model.model_validate_json(msgspec.json.encode(aliased), strict=True)
        except pydantic.ValidationError as exc:
            for name, text in self._told(exc):
                if name not in errors:
                    errors[name] = [text]
        if value is not None:
            errors |= {name: texts for name, texts in wrong_values(self._checks, vars(value)) if name not in errors}
        if errors:
            raise Invalid(errors)
        return value

    def _fit(self, given: Mapping[str, Any], errors: dict[str, list[str]]) -> dict[str, Any]:
        """The model itself fits what a form has in it, once a Literal's numbers are no text any more."""
        self._require_ticks(given, errors)
        return {
            name: _meant(value, self._spelled[name]) if name in self._spelled else value
            for name, value in given.items()
        }

    def _told(self, exc: pydantic.ValidationError) -> Iterator[tuple[str, str]]:
        for error in exc.errors(include_url=False, include_input=False, include_context=False):
            place = [str(part) for part in error["loc"]]
            place[:1] = [self._names.get(name, name) for name in place[:1]]
            name = "-".join(place) if place and self._has_rows(place[0]) else "".join(place[:1])
            yield name, _MESSAGES.get(error["type"], _without_prefix(error["msg"]))

    def _has_rows(self, name: str) -> bool:
        return name in self.fields and self.fields[name].rows is not None


def _field(name: str, info: FieldInfo) -> Field:
    default = msgspec.NODEFAULT if info.is_required() else info.get_default(call_default_factory=True)
    kind, shown = _plain(info.annotation)
    notes = [
        msgspec.Meta(title=info.title, description=info.description),
        *(msgspec.Meta(**{bound: value}) for bound, value in _bounds(info)),
        *([shown] if shown else []),
        *(note for note in info.metadata if isinstance(note, (Input, Limit, msgspec.Meta))),
    ]
    return Field(name, Annotated[kind, *notes], _revealed(default))


def _plain(kind: Any) -> tuple[Any, Input | None]:
    """A type as it is written into a form, and the input for it: an address and a secret are text."""
    for member in members(kind):
        for special, shown in _INPUTS:
            if member is special or (isinstance(member, type) and issubclass(member, special)):
                return (str | None if type(None) in members(kind) else str), shown
    return kind, None


def _spelled(kind: Any) -> dict[str, Any]:
    """The values of a Literal, or of a list of it, that are no text, by what a form has for them."""
    found: dict[str, Any] = {}
    for member in members(kind):
        if typing.get_origin(member) is typing.Literal:
            found |= {str(value): value for value in typing.get_args(member) if isinstance(value, (int, bytes))}
        else:
            for inner in typing.get_args(member):
                found |= _spelled(inner)
    return found


def _meant(value: Any, spelled: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [spelled.get(item, item) for item in value]
    return spelled.get(value, value)


def _without_prefix(text: str) -> str:
    """The message of a validator without Pydantic's name for what it raised."""
    return text.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def _bounds(info: FieldInfo) -> Iterator[tuple[str, Any]]:
    for note in info.metadata:
        for bound in _BOUNDS:
            value = getattr(note, bound, None)
            if isinstance(value, (int, float, str)) and not isinstance(note, msgspec.Meta):
                yield bound, value


def _alias(name: str, info: FieldInfo) -> str:
    alias = info.validation_alias or info.alias
    if isinstance(alias, pydantic.AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else name


def _revealed(default: Any) -> Any:
    return default.get_secret_value() if isinstance(default, pydantic.SecretStr) else default
