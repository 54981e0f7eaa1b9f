"""The seam between a component and an object-relational mapper."""

from __future__ import annotations

from typing import Any, ClassVar

from .errors import ConfigurationError


class ModelMixin:
    """A component that shows one object of `model`; an adapter's mixin says how it is found and saved."""

    model: ClassVar[Any] = None

    def get_instance(self) -> Any:
        """The object that this component is about; a new one where the params name none."""
        raise ConfigurationError(f"{_who(self)}.get_instance() is not written. {_FIX}")

    def save_instance(self) -> Any:
        """Save the object."""
        raise ConfigurationError(f"{_who(self)}.save_instance() is not written. {_FIX}")


_FIX = "Use the mixin of your ORM, adapters.django.models.DjangoModelMixin or adapters.sqlalchemy.SqlAlchemyModelMixin, or write it."


def _who(mixin: ModelMixin) -> str:
    return type(mixin).__qualname__
