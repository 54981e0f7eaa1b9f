"""Components about one object of a Django model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models, router, transaction
from django.db.models import QuerySet

from ...core import model as core
from ...core.errors import NotFound
from ...core.model import ModelMixin
from ...core.model_spec import ModelField
from ...core.running import run_sync
from .columns import field_of, model_field, plain_type
from .saving import contradictions, save_changes, validate


class DjangoRepository:
    """Objects of the Django ORM; `get_queryset()` of the component says which ones a visitor may have."""

    keeps_rows = True

    def fields(self, model: Any) -> Mapping[str, ModelField]:
        options = model._meta
        every = [*options.concrete_fields, *options.many_to_many]
        found = {field.name: model_field(field) for field in every if not field.primary_key}
        return {**found, "pk": ModelField(plain_type(model._meta.pk) | None, Any)}

    def get(self, component: core.ModelComponent) -> Any:
        assert isinstance(component, ModelComponent)
        queryset = component.get_queryset()
        if component.select_related:
            queryset = queryset.select_related(*component.select_related)
        many = [name for name, column in component._columns.items() if column.many]
        if many or component.prefetch_related:
            queryset = queryset.prefetch_related(*dict.fromkeys([*many, *component.prefetch_related]))
        try:
            return queryset.get(pk=component.__dict__["pk"])
        except (ObjectDoesNotExist, ValueError, TypeError, ValidationError, OverflowError):
            return None

    def read(self, component: core.ModelComponent, name: str) -> Any:
        field = field_of(component, name)
        if field.many_to_many:
            unsaved = component.instance.pk is None
            return [] if unsaved else sorted(row.pk for row in getattr(component.instance, name).all())
        value = getattr(component.instance, field.attname)
        return value.value if isinstance(value, (models.TextChoices, models.IntegerChoices)) else value

    def save(self, component: core.ModelComponent, changed: Mapping[str, Any]) -> None:
        assert isinstance(component, ModelComponent)
        instance, version = component.instance, component.row_version
        own = {name: value for name, value in changed.items() if not field_of(component, name).many_to_many}
        for name, value in own.items():
            setattr(instance, field_of(component, name).attname, value)
        using = router.db_for_write(component.model, instance=instance)
        with contradictions(component), transaction.atomic(using=using):
            validate(component, changed)
            if component.__dict__["pk"] is None:
                instance.save(using=using)
            else:
                save_changes(component, own, version, using)
            for name in changed.keys() - own.keys():
                getattr(instance, name).set(changed[name])
            component.__dict__["pk"] = instance.pk
            transaction.on_commit(component._announce_sync, using=using)

    def choices(self, component: core.ModelComponent, name: str) -> list[tuple[Any, str]]:
        assert isinstance(component, ModelComponent)
        field = field_of(component, name)
        if field.remote_field is None:
            return [(value, str(label)) for value, label in field.flatchoices]
        return [(related.pk, str(related)) for related in component.get_related(name)]


class ModelComponent(core.ModelComponent):
    """`core.model.ModelComponent` on the Django ORM."""

    repository = DjangoRepository()

    def get_queryset(self) -> QuerySet[Any]:
        """The objects that this visitor may see and change: any other does not exist for him."""
        queryset: QuerySet[Any] = self.model._default_manager.all()
        return queryset

    def get_related(self, name: str) -> QuerySet[Any]:
        """The objects that this visitor may choose for the relation `name`."""
        field = field_of(self, name)
        queryset: QuerySet[Any] = field.remote_field.model._default_manager.complex_filter(field.get_limit_choices_to())
        return queryset

    def mount(self, pk: Any = None) -> None:
        run_sync(self._begin())

    def hydrate(self, state: dict[str, Any]) -> None:
        run_sync(self._restore(state))

    def save(self) -> list[str]:
        """Write what changed, and nothing else; the names of the fields. Raises Invalid, or EditConflict (409)."""
        return run_sync(self._write())

    async def asave(self) -> list[str]:
        """`save()` for async handlers."""
        saved: list[str] = await sync_to_async(self.save)()
        return saved


class DjangoModelMixin(ModelMixin):
    """`model`, and the object that `self.params["pk"]` names; `get_queryset()` says which ones a visitor may have."""

    params: dict[str, Any]
    if TYPE_CHECKING:  # an attribute, and no field of the state
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
