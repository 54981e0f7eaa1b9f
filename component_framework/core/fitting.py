"""Fit untrusted values to declared types, and say what is wrong with every one of them.

A `Shape` is made once per signature. `fit()` takes a JSON object as it is, or a form's fields (`Form`), whose values
are all text: only then "1" is a whole number, "on" a ticked box and "" nothing at all.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import inspect
import math
import re
import types
import typing
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from .errors import ConfigurationError, Invalid, Malformed
from .generics import Bindings, bound
from .messages import explain
from .plain import MAX_DEPTH, decode_json
from .providing import Need, key_of, need_of
from .uploads import Limit, limit_of, read_files

REQUIRED = "This field is required."
UNKNOWN = "This field is not expected here."
REPEATED = "This field was sent more than once."

_INT64 = 2**63
_NO_SECONDS = re.compile(r"(\d{4}-\d\d-\d\dT)?\d\d:\d\d")
_TICKED = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}
_SCALARS = (
    str,
    bool,
    int,
    float,
    decimal.Decimal,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    uuid.UUID,
    enum.Enum,
)


class Form(dict[str, list[str]]):
    """A form's fields as they were sent: each name with its values, in order."""


def only(payload: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    """Some of a payload; a form's fields stay a form."""
    wanted = set(names)
    kept = {name: payload[name] for name in payload if name in wanted}
    return Form(kept) if isinstance(payload, Form) else kept


class Field:
    """One declared value: its type, and how a form spells it."""

    __slots__ = (
        "default", "file", "holds_numbers", "is_bool", "is_list", "is_nested", "is_number", "is_time", "name", "optional", "type",
    )  # fmt: skip

    def __init__(self, name: str, kind: Any, default: Any = msgspec.NODEFAULT) -> None:
        self.name = name
        self.type = kind
        self.default = default
        self.file = limit_of(kind)
        plain = members(kind)
        self.optional = type(None) in plain
        self.is_bool = bool in plain
        self.is_time = datetime.datetime in plain or datetime.time in plain
        self.is_number = any(_is_number(member) for member in plain)
        self.holds_numbers = _holds_numbers(kind)
        self.is_list = any(_is_list(member) for member in plain)
        self.is_nested = not self.is_list and not any(_is_scalar(member) for member in plain)

    @property
    def required(self) -> bool:
        return self.default is msgspec.NODEFAULT

    @property
    def is_constant(self) -> bool:
        """True for a default that no instance can change; any other is copied for each."""
        return self.default is None or self.default is msgspec.UNSET or isinstance(self.default, _SCALARS)

    def definition(self) -> tuple[Any, ...]:
        """What `msgspec.defstruct` wants to hear about this field."""
        if self.required:
            return (self.name, self.type)
        if self.is_constant:
            return (self.name, self.type, self.default)
        return (self.name, self.type, msgspec.field(default_factory=partial(copy.deepcopy, self.default)))

    def read(self, values: Sequence[str]) -> Any:
        """The value that a form means by `values`; raises ValueError with the message for the visitor."""
        if self.file is not None:
            return read_files(values, many=self.is_list)
        if self.is_list:
            return self._read_list(values)
        if len(values) > 1 and not self.is_bool:
            raise ValueError(REPEATED)
        text = values[-1]
        if self.is_bool and text.lower() in _TICKED:
            return _TICKED[text.lower()]
        if text.strip() == "" and not self.accepts_empty:
            if self.optional:
                return None
            if self.is_bool:
                return False
            raise ValueError(REQUIRED)
        if self.is_time and _NO_SECONDS.fullmatch(text):
            return f"{text}:00"  # what <input type="time"> and "datetime-local" send
        if self.is_time and text.replace(".", "").isdigit():
            raise ValueError(explain("Expected `datetime`"))  # and not so many seconds since 1970
        if self.is_number and text.lstrip("-").startswith("."):
            return text.replace(".", "0.", 1)  # ".5" is a number in HTML, but none in JSON
        return _json_or(text, text) if self.is_nested else text

    def _read_list(self, values: Sequence[str]) -> Any:
        if len(values) > 1:
            return list(values)
        return None if self.optional and not values[0] else _json_or(values[0], list(values))

    def check(self, value: Any) -> None:
        """Raise msgspec.ValidationError for a number that no state, template or database could take."""
        if self.holds_numbers:
            _require_numbers(value)

    @property
    def accepts_empty(self) -> bool:
        """Whether an empty text is a value of this field."""
        return not self.optional and str in members(self.type)


class Shape:
    """The values that a signature, or a class, declares.

    `open` also lets undeclared ones through, as they are, but for the names in `taken`. `needs` are the parameters
    that are provided, and no part of the values.
    """

    __slots__ = (
        "_constants", "_factories", "_numbers", "fields", "name", "names", "needs", "open", "required", "struct", "taken",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        fields: Sequence[Field],
        *,
        open: bool = False,
        taken: frozenset[str] = frozenset(),
        needs: Sequence[Need] = (),
    ) -> None:
        self.name = name
        self.needs = tuple(needs)
        self.fields = {field.name: field for field in fields}
        self.names = frozenset(self.fields)
        self.required = frozenset(field.name for field in fields if field.required)
        self.open = open
        self.taken = taken.union(need.name for need in needs)
        self._constants = {field.name: field.default for field in fields if field.is_constant}
        self._factories = {field.name: field.default for field in fields if not (field.is_constant or field.required)}
        self._numbers = [field for field in fields if field.holds_numbers]
        ordered = sorted(fields, key=lambda field: not field.required)
        try:
            self.struct: Any = msgspec.defstruct(name, [field.definition() for field in ordered])
        except TypeError as exc:
            raise ConfigurationError(f"{name}: {exc}") from exc

    def require_readable(self, where: str) -> None:
        """Raise ConfigurationError for a type whose values cannot be told apart in JSON: else the first event would find out."""
        for name, field in self.fields.items():
            try:
                msgspec.json.Decoder(field.type)
            except TypeError as exc:
                raise ConfigurationError(f"{where}: {name} cannot be filled from a payload. {exc}") from exc

    @property
    def uploads(self) -> dict[str, Limit]:
        """The fields that are files, with what they let in."""
        return {name: field.file for name, field in self.fields.items() if field.file is not None}

    def among(self, keys: Collection[Any]) -> list[Field]:
        """The fields whose types an engine provides, `keys` being what it provides."""
        return [field for field in self.fields.values() if key_of(field.type) in keys]

    def without(self, fields: Sequence[Field]) -> Shape:
        """This shape with `fields`, which turned out to be provided, among its needs."""
        needs = [Need(field.name, field.type, field.default) for field in fields]
        kept = [field for field in self.fields.values() if field not in fields]
        return Shape(self.name, kept, open=self.open, taken=self.taken, needs=[*self.needs, *needs])

    def defaults(self) -> dict[str, Any]:
        """A fresh value for every field that has a default."""
        if not self._factories:
            return self._constants
        return {**self._constants, **{name: copy.deepcopy(value) for name, value in self._factories.items()}}

    def fit(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` with their declared types and defaults; raises Invalid with a message for every wrong field."""
        if not values and not self.required:
            return {} if not self.fields else self._asdict(self.struct())
        errors: dict[str, list[str]] = {}
        lax = isinstance(values, Form)
        given = self._read(values, errors) if isinstance(values, Form) else dict(values)
        extra = {} if given.keys() <= self.names else self._take_extra(given, errors)
        if not errors:
            try:
                return self._typed(given, strict=not lax) | extra
            except msgspec.ValidationError:
                pass  # it names one field only: every field is asked below
        self._explain(given, errors, strict=not lax)
        raise Invalid(errors)

    def _take_extra(self, given: dict[str, Any], errors: dict[str, list[str]]) -> dict[str, Any]:
        """Take out of `given` what is not declared; what may not come through is put into `errors`."""
        extra = {name: given.pop(name) for name in given.keys() - self.names}
        refused = extra.keys() & self.taken if self.open else extra.keys()
        errors.update((name, [UNKNOWN]) for name in sorted(refused))
        return extra

    def _read(self, form: Form, errors: dict[str, list[str]]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, values in form.items():
            if (field := self.fields.get(name)) is None:
                given[name] = values[-1] if len(values) == 1 else values
                continue
            try:
                given[name] = field.read(values)
            except ValueError as exc:
                errors[name] = [str(exc)]
        for name in self.required:
            if name not in given and self.fields[name].is_bool:
                given[name] = False  # a browser does not send a box that is not ticked
        return given

    def _explain(self, given: Mapping[str, Any], errors: dict[str, list[str]], *, strict: bool) -> None:
        for name, field in self.fields.items():
            if name in errors:
                continue
            if name in given:
                try:
                    field.check(msgspec.convert(given[name], field.type, strict=strict))
                except msgspec.ValidationError as exc:
                    errors[name] = [explain(str(exc))]
            elif field.required:
                errors[name] = [REQUIRED]

    def _typed(self, given: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        values = self._asdict(msgspec.convert(given, self.struct, strict=strict))
        for field in self._numbers:
            field.check(values[field.name])
        return values

    def _asdict(self, struct: Any) -> dict[str, Any]:
        return {name: getattr(struct, name) for name in self.struct.__struct_fields__}


def shape_of(owner: str, function: Any, *, skip: int = 1, stand_for: Bindings = MappingProxyType({})) -> Shape:
    """The Shape of a function's parameters after the first `skip`; `**rest` opens it. `stand_for` are its type parameters.

    Raises ConfigurationError for positional-only parameters, `*args` and annotations that cannot be resolved.
    """
    hints = resolve_hints(owner, function)
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) < skip:
        raise ConfigurationError(f"{owner}.{function.__name__}() has no self. Write def {function.__name__}(self).")
    taken = frozenset(first.name for first in parameters[:skip] if first.kind is not first.POSITIONAL_ONLY)
    fields, needs = [], []
    is_open = False
    for parameter in parameters[skip:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            is_open = True
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise ConfigurationError(
                f"{owner}.{function.__name__}: {parameter} cannot be filled by name. Write a plain parameter."
            )
        default = msgspec.NODEFAULT if parameter.default is parameter.empty else parameter.default
        kind = bound(hints.get(parameter.name, Any), stand_for)
        if (need := need_of(parameter.name, kind, default)) is not None:
            needs.append(need)
        else:
            fields.append(Field(parameter.name, kind, default))
    return Shape(f"{owner.replace('.', '_')}_{function.__name__}", fields, open=is_open, taken=taken, needs=needs)


def class_hints(cls: type) -> dict[str, Any]:
    """The annotations in the body of `cls` alone, resolved."""
    alone = type(cls.__name__, (), {"__annotations__": inspect.get_annotations(cls), "__module__": cls.__module__})
    return resolve_hints(cls.__qualname__, alone)


def resolve_hints(owner: str, thing: Any) -> dict[str, Any]:
    """`typing.get_type_hints`, with an error that says what to do."""
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except NameError as exc:
        raise ConfigurationError(
            f"{owner}: an annotation of {getattr(thing, '__name__', thing)} names {exc.name!r}, which cannot be "
            "found in its module. Import it at module level, outside `if TYPE_CHECKING:`."
        ) from exc


def members(kind: Any) -> tuple[Any, ...]:
    """The members of a possibly annotated, possibly optional type."""
    if typing.get_origin(kind) is typing.Annotated:
        return members(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(member for part in typing.get_args(kind) for member in members(part))
    if isinstance(kind, typing.NewType):
        return members(kind.__supertype__)
    if (alias := getattr(kind, "__value__", None)) is not None and not isinstance(kind, type):
        return members(alias)  # `type Amount = int | None` of Python 3.12
    return (kind,)


def _is_list(kind: Any) -> bool:
    return (typing.get_origin(kind) or kind) in (list, set, tuple, frozenset)


def _is_number(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, (float, decimal.Decimal))


def _holds_numbers(kind: Any) -> bool:
    """Whether a value of this type is, or may have in it, a number."""
    if isinstance(kind, type) and issubclass(kind, (int, float, decimal.Decimal)):
        return not issubclass(kind, (bool, enum.Enum))
    if arguments := typing.get_args(kind):
        return any(_holds_numbers(argument) for argument in arguments)
    return isinstance(kind, typing.NewType) or (
        isinstance(kind, type) and not _is_scalar(kind) and kind is not type(None)
    )


def _require_numbers(value: Any) -> None:
    """JSON cannot say NaN, but a form's text can; and nothing behind a handler takes an int of 4,000 digits."""
    if isinstance(value, (float, decimal.Decimal)):
        if (isinstance(value, decimal.Decimal) and value.is_nan()) or not math.isfinite(value):
            raise msgspec.ValidationError("Expected `float`, got a number that is not finite")
    elif isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            raise msgspec.ValidationError(
                f"Expected `int` {'<' if value > 0 else '>='} {'-' if value < 0 else ''}{_INT64}"
            )
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _require_numbers(getattr(value, name))
    elif isinstance(value, (list, tuple, set, frozenset, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            _require_numbers(item)


def _is_scalar(kind: Any) -> bool:
    if kind is Any or typing.get_origin(kind) is typing.Literal:
        return True
    return isinstance(kind, type) and issubclass(kind, _SCALARS)


def _json_or(text: str, otherwise: Any) -> Any:
    """What `on("pick", ids=[1, 2])` sends through a form: lists and objects as JSON text."""
    if not text.startswith(("[", "{")):
        return otherwise
    try:
        return decode_json(text.encode(), max_depth=MAX_DEPTH)
    except Malformed:
        return otherwise
