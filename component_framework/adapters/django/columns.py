"""The types of Django's model fields."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Annotated, Any, Literal

import msgspec
from django.db import models

from ...core.model import ModelField

_TYPES: tuple[tuple[type[Any], Any], ...] = (
    (models.BooleanField, bool),
    (models.IntegerField, int),
    (models.FloatField, float),
    (models.DecimalField, decimal.Decimal),
    (models.DateTimeField, datetime.datetime),
    (models.DateField, datetime.date),
    (models.TimeField, datetime.time),
    (models.DurationField, datetime.timedelta),
    (models.UUIDField, uuid.UUID),
    (models.JSONField, Any),
)


def model_field(field: Any) -> ModelField:
    """What a model field holds, and what a visitor may send for it: one of its choices, no longer text than fits."""
    kind = plain_type(field.target_field if field.remote_field is not None else field)
    accepted: Any = kind
    if field.choices and field.remote_field is None:
        values = tuple(value for value, _ in field.flatchoices if value is not None)
        accepted = Literal[values]
        if kind is str and field.blank:
            accepted = Literal[(*values, "")]
    elif kind is str and field.max_length:
        accepted = Annotated[str, msgspec.Meta(max_length=field.max_length)]
    if field.null:
        return ModelField(kind | None if kind is not Any else Any, accepted | None if accepted is not Any else Any)
    return ModelField(kind | None, accepted)  # a new object may not have a value yet


def plain_type(field: Any) -> Any:
    """The Python type of a field's values; of a foreign key, that of the key."""
    if field.remote_field is not None:
        return plain_type(field.target_field)
    return next((kind for known, kind in _TYPES if isinstance(field, known)), str)
