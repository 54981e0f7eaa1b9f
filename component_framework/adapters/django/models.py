"""Components about one object of a Django model."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from ...core.errors import NotFound
from ...core.model import ModelMixin


class DjangoModelMixin(ModelMixin):
    """`model`, and the object that `self.params["pk"]` names; `get_queryset()` says which ones a visitor may have."""

    params: dict[str, Any]
    instance: Any

    def get_queryset(self) -> QuerySet[Any]:
        """The objects that this visitor may see and change."""
        queryset: QuerySet[Any] = self.model._default_manager.all()
        return queryset

    def get_instance(self) -> Any:
        """The object with the param `pk`, or a new one without it; raises NotFound for one outside of the queryset."""
        pk = self.params.get("pk")
        if pk is None:
            return self.model()
        try:
            return self.get_queryset().get(pk=pk)
        except (self.model.DoesNotExist, ValueError, TypeError):
            raise NotFound(f"there is no {self.model.__name__} {pk!r} for this visitor") from None

    def save_instance(self) -> None:
        """Save `self.instance`."""
        self.instance.save()
