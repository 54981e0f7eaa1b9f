"""Bases of a component class that are no components: their methods are welcome, fields of theirs would be lost."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, ClassVar

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .component import Component


def require_no_lost_fields(cls: type[Component], base: type[Component]) -> None:
    """Raise ConfigurationError for a field that a base declares which is no Component: it would be silently no state."""
    declared = {name for owner in cls.__mro__ if issubclass(owner, base) for name in inspect.get_annotations(owner)}
    for owner in cls.__mro__:
        if issubclass(owner, base):
            continue
        for name, kind in inspect.get_annotations(owner).items():
            if name.startswith("_") or name in declared or hasattr(base, name) or is_class_variable(kind):
                continue
            raise ConfigurationError(
                f"{cls.__qualname__}: {owner.__qualname__} declares {name!r}, but it is no Component, so that {name!r} would be no "
                f"state. Write class {owner.__name__}(Component), or mark what is no state: {name}: ClassVar[…]."
            )


def is_class_variable(kind: object) -> bool:
    """Whether an annotation, resolved or as text, is a ClassVar."""
    if isinstance(kind, str):
        return kind.partition("[")[0].rpartition(".")[2] == "ClassVar"
    return kind is ClassVar or typing.get_origin(kind) is ClassVar
