"""What surrounds a save on the Django ORM: the model's own validation, one UPDATE, and what the database refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError

from ...core.errors import Invalid
from ...core.fitting import REQUIRED
from ...core.model import Stale, next_version
from .columns import field_of

ModelComponent = Any
"""That of `models`, which imports this module."""


@contextmanager
def contradictions(component: ModelComponent) -> Iterator[None]:
    """What only the database can find, in a race say, is the visitor's to hear of."""
    try:
        yield
    except IntegrityError as exc:
        raise Invalid(_found_by_the_model(component) or CONTRADICTION) from exc


CONTRADICTION = {"": ["This cannot be saved: it contradicts other data."]}


def _found_by_the_model(component: ModelComponent) -> dict[str, list[str]]:
    """What the model finds wrong now that somebody else was faster, a value that is taken say."""
    try:
        component.instance.validate_unique()
    except ValidationError as exc:
        return _told(exc)
    return {}


def _told(error: ValidationError) -> dict[str, list[str]]:
    return {"" if name == NON_FIELD_ERRORS else name: texts for name, texts in error.message_dict.items()}


def validate(component: ModelComponent, changed: Mapping[str, Any]) -> None:
    """`full_clean()` of what changed; a foreign key has to be one that the visitor may choose. Raises Invalid."""
    model, new = component.model, component.__dict__["pk"] is None
    related = {name for name in changed if field_of(component, name).remote_field is not None}
    errors: dict[str, list[str]] = {}
    for name in related:
        value = changed[name]
        if _is_beyond(component, name, value):
            errors[name] = ["This cannot be chosen here."]
        elif value == [] and not field_of(component, name).blank:
            errors[name] = [REQUIRED]
    checked = {field.name for field in model._meta.fields} if new else set(changed)
    skipped = {field.name for field in model._meta.fields} - checked | related
    try:
        component.instance.full_clean(exclude=skipped)
    except ValidationError as exc:
        errors |= _told(exc)
    if errors:
        raise Invalid(errors)


def _is_beyond(component: ModelComponent, name: str, value: Any) -> bool:
    """Whether a key, or one of several, is none that this visitor may choose."""
    if isinstance(value, list):
        return component.get_related(name).filter(pk__in=value).count() < len(set(value)) if value else False
    return value is not None and not component.get_related(name).filter(pk=value).exists()


def save_changes(component: ModelComponent, changed: Mapping[str, Any], version: Any, using: str) -> None:
    """Django's one UPDATE of what changed, with the version among its conditions; raises Stale where there is no such row."""
    instance, name = component.instance, component.version_field
    update, same = instance._do_update, {}
    if name is not None:
        setattr(instance, name, next_version(version))
        same = {name: version}

    def update_this_version(rows: Any, *rest: Any) -> Any:
        if name is not None and name not in {field.name for field in rows.model._meta.local_concrete_fields}:
            return update(rows, *rest)  # another table of a model that inherits from one
        updated = update(rows.filter(**same), *rest)
        if not updated:
            raise Stale
        return updated

    instance._do_update = update_this_version
    try:
        instance.save(using=using, update_fields=[*changed, *same])
    finally:
        del instance._do_update
