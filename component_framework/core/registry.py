"""Component classes by name: the only way from a name on the wire to a class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from .component import Component
from .errors import ConfigurationError, nearest
from .spec import NAME, RESERVED, spec_of

C = TypeVar("C", bound=type[Component])


class Registry(Mapping[str, type[Component]]):
    """Component classes under the names by which pages know them."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Component]] = {}

    def register(self, name: str) -> Callable[[C], C]:
        """Compile the decorated class and register it as `name`: a small letter, then those, digits and _ . -

        Raises ConfigurationError for a bad or a taken name, and for whatever is declared wrongly in the class.
        """
        if isinstance(name, type):
            raise ConfigurationError(f'Write a name: @register("{name.__name__.lower()}").')
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name!r} is no component name: a small letter, then small letters, digits, _ . -"
            )
        if name in RESERVED:
            raise ConfigurationError(f"{name!r} is an address of the framework's own. Choose another name.")

        def decorate(cls: C) -> C:
            taken = self._classes.get(name)
            if taken is not None and taken is not cls:
                raise ConfigurationError(f"{name!r} names {_path(taken)} already; {_path(cls)} needs another name.")
            if not (isinstance(cls, type) and issubclass(cls, Component)) or cls is Component:
                raise ConfigurationError(f"{cls!r} is not a Component subclass.")
            spec = spec_of(cls)
            if any(known is cls for known in self._classes.values()) and spec.name != name:
                raise ConfigurationError(
                    f"{_path(cls)} is registered as {spec.name!r} already. Subclass it for {name!r}."
                )
            spec.name = name
            self._classes[name] = cls
            return cls

        return decorate

    def find(self, name: str) -> type[Component]:
        """The class registered as `name`; raises ConfigurationError naming near ones, for use on the server's side."""
        try:
            return self._classes[name]
        except KeyError:
            raise ConfigurationError(
                f"No component is registered as {name!r} ({nearest(name, self._classes)}). "
                "Is the module that registers it imported?"
            ) from None

    def __getitem__(self, name: str) -> type[Component]:
        return self._classes[name]

    def lookup(self, name: str) -> type[Component] | None:
        """The class registered as `name`, or None; `get()` without the exception that Mapping's raises for itself."""
        return self._classes.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


def _path(cls: type[Component]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


registry = Registry()
"""The registry that an Engine uses when it is given none."""

register = registry.register
