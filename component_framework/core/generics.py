"""What the type parameters of a generic component stand for in a class that inherits from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

Bindings = Mapping[Any, Any]
"""What each type parameter stands for."""


def bindings_of(cls: type) -> dict[type, Bindings]:
    """For each generic class above `cls`, what its type parameters stand for in `cls`."""
    found: dict[type, Bindings] = {}
    _collect(cls, {}, found)
    return found


def _collect(cls: type, bindings: Bindings, found: dict[type, Bindings]) -> None:
    for base in getattr(cls, "__orig_bases__", cls.__bases__):
        origin = get_origin(base) or base
        parameters = getattr(origin, "__parameters__", ())
        arguments = (bound(argument, bindings) for argument in get_args(base))
        own = dict(zip(parameters, arguments, strict=False)) if get_args(base) else {}
        if isinstance(origin, type) and origin not in found:
            found[origin] = own
            _collect(origin, own, found)


def bound(kind: Any, bindings: Bindings) -> Any:
    """`kind` with the type parameters in it replaced."""
    if isinstance(kind, TypeVar):
        return bindings.get(kind, kind)
    parameters = getattr(kind, "__parameters__", ())
    if isinstance(kind, type) or not any(parameter in bindings for parameter in parameters):
        return kind
    return kind[tuple(bindings.get(parameter, parameter) for parameter in parameters)]
