"""State fields that an input of the same name assigns: `query: Bound[str] = ""`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from .errors import ConfigurationError, Invalid
from .fitting import Field, Shape, only
from .secret import is_server_only

if TYPE_CHECKING:
    from .component import Component
    from .spec import Handler

T = TypeVar("T")


class _Bound:
    def __repr__(self) -> str:
        return "Bound"


BOUND = _Bound()

Bound = Annotated[T, BOUND]
"""`query: Bound[str] = ""`: an input named `query` assigns it, validated, before the handler runs. Any other field is closed."""


def bound_shape(title: str, fields: Iterable[Field]) -> Shape:
    """The Shape of those of `fields` that are bound; none of them has to be sent."""
    bound = [field for field in fields if get_origin(field.type) is Annotated and BOUND in get_args(field.type)[1:]]
    for field in bound:
        if is_server_only(field.type) or field.name.startswith("_") or field.name == "event":
            raise ConfigurationError(f"{title}.{field.name} cannot be Bound: no input may send it.")
    return Shape(f"{title}Bound", [Field(field.name, field.type, msgspec.UNSET) for field in bound])


def accept(component: Component, handler: Handler, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Assign the bound fields in `payload`, and give the arguments of `handler` in the rest; raises Invalid for both at once."""
    bound, shape = component._compiled.bound, component._payload(handler)
    names = (bound.names & payload.keys()) - shape.names
    if not names:
        return shape.fit(payload)
    errors: dict[str, list[str]] = {}
    values = _fit(bound, only(payload, names), errors)
    arguments = _fit(shape, only(payload, payload.keys() - names), errors)
    if errors:
        raise Invalid(errors)
    vars(component).update((name, values[name]) for name in names)
    return arguments


def _fit(shape: Any, values: Mapping[str, Any], errors: dict[str, list[str]]) -> dict[str, Any]:
    try:
        fitted: dict[str, Any] = shape.fit(values)
    except Invalid as exc:
        errors |= exc.errors
        return {}
    return fitted
