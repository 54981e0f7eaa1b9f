"""What a handler takes that is not a list of arguments: a whole form, validated or as it was sent."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from .errors import ConfigurationError, Malformed, TooLarge
from .fitting import Field, Form, Shape, resolve_hints, shape_of
from .generics import Bindings, bindings_of, bound
from .plain import MAX_DEPTH, decode_json
from .providing import Need
from .schema import FormSchema, schema_of
from .typed_schema import signature_schema
from .uploads import Limit


class Fit(Protocol):
    """What makes the arguments of a handler out of a payload."""

    @property
    def names(self) -> frozenset[str]:
        """The names that may come in a payload."""
        ...

    def fit(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the handler; raises Invalid."""
        ...


class Payload(Fit, Protocol):
    """How a handler's payload becomes its arguments; a Shape, or one of the classes below."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """The arguments that it takes one by one."""
        ...

    @property
    def required(self) -> frozenset[str]:
        """The names that must."""
        ...

    @property
    def open(self) -> bool:
        """Whether other names may come, too."""
        ...

    @property
    def needs(self) -> Sequence[Need]:
        """The arguments that an engine provides."""
        ...

    @property
    def uploads(self) -> Mapping[str, Limit]:
        """The names under which files may come, and which."""
        ...

    def among(self, keys: Collection[Any]) -> list[Field]:
        """The arguments whose types are in `keys`."""
        ...

    def without(self, fields: Sequence[Field]) -> Payload:
        """The same with `fields`, which turned out to be provided, among its needs."""
        ...


class FormPayload:
    """The whole payload is one form, given to the handler as the value of its schema."""

    __slots__ = ("_as_argument", "_parameter", "fields", "names", "needs", "open", "required", "schema", "uploads")

    def __init__(self, parameter: str, schema: FormSchema, as_argument: Shape) -> None:
        self._parameter = parameter
        self._as_argument = as_argument
        self.needs = _needs_beside(parameter, as_argument)
        self.schema = schema
        self.fields: Mapping[str, Field] = {}
        fields = schema.fields.values()
        self.names = frozenset(schema.fields) | {parameter, *(field.clears for field in fields if field.clears)}
        self.uploads = {field.name: field.limit for field in fields if field.limit is not None}
        self.open = getattr(schema, "dynamic", False) or any(field.rows is not None for field in fields)
        self.required = frozenset(
            name for name, field in schema.fields.items() if field.required and field.kind not in _UNSENT
        )

    def fit(self, values: Mapping[str, Any]) -> dict[str, Any]:
        inner = None
        if values.keys() == {self._parameter} and self._parameter not in self.schema.fields:
            inner = _object(values)  # on("save", item={…}): one argument, which is an object
        return {self._parameter: self.schema.validate(values if inner is None else inner)}

    def of(self, schema: FormSchema) -> FormPayload:
        """The same with the schema as it is for one event."""
        if schema is self.schema:
            return self
        found = copy.copy(self)
        found.schema = schema
        return found

    def among(self, keys: Collection[Any]) -> list[Field]:
        return self._as_argument.among(keys)

    def without(self, fields: Sequence[Field]) -> Payload:
        return self._as_argument.without(fields)  # the schema itself is what an engine provides


class Arguments:
    """The fields of a form as the arguments of its handler, read as a form is and not as those of any event."""

    __slots__ = ("names", "schema")

    def __init__(self, shape: Payload, schema: FormSchema) -> None:
        self.names = shape.names
        self.schema = schema

    def fit(self, values: Mapping[str, Any]) -> dict[str, Any]:
        fitted: dict[str, Any] = self.schema.validate(values)
        return fitted


def form_payload(payload: Payload, schema: Callable[[], FormSchema]) -> Fit:
    """What fits the payload of a form's own handler, `schema` being the form as it is for this event."""
    if isinstance(payload, FormPayload):
        return payload.of(schema())
    return payload if payload.open or isinstance(payload, RawPayload) else Arguments(payload, schema())


def _object(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The one object in a payload, as JSON or, in a form, as JSON text; None for anything else."""
    [value] = values.values()
    if isinstance(values, Form):
        try:
            value = decode_json(value[-1].encode(), max_depth=MAX_DEPTH) if value[-1].startswith("{") else None
        except (Malformed, TooLarge):
            return None
    return value if isinstance(value, dict) else None


_UNSENT = ("checkbox", "checkboxes", "radio", "select-multiple", "rows")
"""Fields that a browser leaves out of a form when nothing is chosen."""


class RawPayload:
    """The whole payload as it was sent: for a handler that asks for a `Form`."""

    __slots__ = ("_parameter", "fields", "names", "needs", "open", "required", "uploads")

    def __init__(self, parameter: str, shape: Shape) -> None:
        self._parameter = parameter
        self.uploads: Mapping[str, Limit] = {}
        self.needs = _needs_beside(parameter, shape)
        self.fields: Mapping[str, Field] = {}
        self.names: frozenset[str] = frozenset()
        self.required: frozenset[str] = frozenset()
        self.open = True

    def fit(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {self._parameter: values}

    def among(self, keys: Collection[Any]) -> list[Field]:
        return []

    def without(self, fields: Sequence[Field]) -> Payload:
        return self


def _needs_beside(parameter: str, shape: Shape) -> tuple[Need, ...]:
    return tuple(need for need in shape.needs if need.name != parameter)


def payload_of(cls: type, event: str, method: Callable[..., Any]) -> Payload:
    """What the handler `method` of `cls` takes; raises ConfigurationError for what nothing could fill."""
    types = stand_for(cls, method)
    shape = shape_of(cls.__qualname__, method, stand_for=types)
    own = getattr(cls, "schema", None) if event == "submit" else None
    hints = resolve_hints(cls.__qualname__, method)
    provided = {need.name for need in shape.needs if not _is_form(need)}
    parameters = [name for name in list(inspect.signature(method).parameters)[1:] if name not in provided]
    annotation = bound(hints.get(parameters[0], Any), types) if len(parameters) == 1 else None
    if annotation is Form:
        return RawPayload(parameters[0], shape)
    schema = schema_of(own if annotation is Any else annotation)
    if own is not None and (schema is None or schema is not schema_of(own)):
        raise ConfigurationError(
            f"{cls.__qualname__}.on_submit takes the form that its schema declares: def on_submit(self, form: {own.__name__})."
        )
    if schema is not None:
        return FormPayload(parameters[0], schema, shape)
    shape.require_readable(f"{cls.__qualname__}.on_{event}")
    return shape


def stand_for(cls: type, method: Callable[..., Any]) -> Bindings:
    """What the type parameters of the class that has `method` in its body stand for in `cls`."""
    found = bindings_of(cls)
    owners = (owner for owner in cls.__mro__ if any(each is method for each in vars(owner).values()))
    return found.get(next(owners, cls), {})


def _is_form(need: Need) -> bool:
    """Whether what looks like something to be provided is a form: a schema that is no JSON, or the form as it was sent."""
    return not need.is_context and (need.type is Form or schema_of(need.type) is not None)


def may_block(payload: Payload) -> bool:
    """Whether fitting this payload may ask a database, so that it must not be done on an event loop."""
    return isinstance(payload, FormPayload) and getattr(payload.schema, "blocking", False)


def schema_for(cls: type, payload: Payload) -> FormSchema:
    """The schema behind a handler's payload: the form that it takes whole, or its arguments one by one."""
    if isinstance(payload, FormPayload):
        return payload.schema
    assert isinstance(payload, Shape)
    return signature_schema(cls.__qualname__, payload)
