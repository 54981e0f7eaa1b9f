"""Components about one object of a Django model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, models, router, transaction
from django.db.models import QuerySet

from ...core import model as core
from ...core.errors import Invalid, NotFound
from ...core.model import ModelField, ModelMixin, Stale, next_version
from ...core.running import run_sync
from .columns import model_field, plain_type


class DjangoRepository:
    """Objects of the Django ORM; `get_queryset()` of the component says which ones a visitor may have."""

    keeps_rows = True

    def fields(self, model: Any) -> Mapping[str, ModelField]:
        found = {field.name: model_field(field) for field in model._meta.concrete_fields if not field.primary_key}
        return {**found, "pk": ModelField(plain_type(model._meta.pk) | None, Any)}

    def get(self, component: core.ModelComponent) -> Any:
        assert isinstance(component, ModelComponent)
        queryset = component.get_queryset()
        if component.select_related:
            queryset = queryset.select_related(*component.select_related)
        if component.prefetch_related:
            queryset = queryset.prefetch_related(*component.prefetch_related)
        try:
            return queryset.get(pk=component.__dict__["pk"])
        except (ObjectDoesNotExist, ValueError, TypeError, ValidationError, OverflowError):
            return None

    def read(self, component: core.ModelComponent, name: str) -> Any:
        field = _field(component, name)
        value = getattr(component.instance, field.attname)
        return value.value if isinstance(value, (models.TextChoices, models.IntegerChoices)) else value

    def save(self, component: core.ModelComponent, changed: Mapping[str, Any]) -> None:
        assert isinstance(component, ModelComponent)
        instance, version = component.instance, component.row_version
        for name, value in changed.items():
            setattr(instance, _field(component, name).attname, value)
        using = router.db_for_write(component.model, instance=instance)
        with _contradictions(), transaction.atomic(using=using):
            _validate(component, changed)
            if component.__dict__["pk"] is None:
                instance.save(using=using)
            else:
                _save_changes(component, changed, version, using)
            component.__dict__["pk"] = instance.pk
            transaction.on_commit(component._announce_sync, using=using)

    def choices(self, component: core.ModelComponent, name: str) -> list[tuple[Any, str]]:
        assert isinstance(component, ModelComponent)
        field = _field(component, name)
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
        """The objects that this visitor may choose for the foreign key `name`."""
        field = _field(self, name)
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


def _field(component: core.ModelComponent, name: str) -> Any:
    return component.model._meta.pk if name == "pk" else component.model._meta.get_field(name)


@contextmanager
def _contradictions() -> Iterator[None]:
    """What only the database can find, in a race say, is the visitor's to hear of."""
    try:
        yield
    except IntegrityError as exc:
        raise Invalid({"": ["This cannot be saved: it contradicts other data."]}) from exc


def _validate(component: ModelComponent, changed: Mapping[str, Any]) -> None:
    """`full_clean()` of what changed; a foreign key has to be one that the visitor may choose. Raises Invalid."""
    model, new = component.model, component.__dict__["pk"] is None
    related = {name for name in changed if _field(component, name).remote_field is not None}
    errors: dict[str, list[str]] = {}
    for name in related:
        value = changed[name]
        if value is not None and not component.get_related(name).filter(pk=value).exists():
            errors[name] = ["This cannot be chosen here."]
    checked = {field.name for field in model._meta.fields} if new else set(changed)
    skipped = {field.name for field in model._meta.fields} - checked | related
    try:
        component.instance.full_clean(exclude=skipped)
    except ValidationError as exc:
        errors |= {"" if name == NON_FIELD_ERRORS else name: texts for name, texts in exc.message_dict.items()}
    if errors:
        raise Invalid(errors)


def _save_changes(component: ModelComponent, changed: Mapping[str, Any], version: Any, using: str) -> None:
    """Django's one UPDATE of what changed, with the version among its conditions; raises Stale where there is no such row."""
    instance, name = component.instance, component.version_field
    update, same = instance._do_update, {}
    if name is not None:
        setattr(instance, name, next_version(version))
        same = {name: version}

    def update_this_version(rows: Any, *rest: Any) -> Any:
        updated = update(rows.filter(**same), *rest)
        if not updated:
            raise Stale
        return updated

    instance._do_update = update_this_version
    try:
        instance.save(using=using, update_fields=[*changed, *same])
    finally:
        del instance._do_update


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
