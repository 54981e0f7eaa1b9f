"""The types of Django's model fields, and the inputs that ask for them."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.text import capfirst

from ...core.model import ModelComponent
from ...core.model_spec import ModelField
from ...core.schema import Input, Kind

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
_INPUTS: tuple[tuple[type[Any], Kind], ...] = (
    (models.EmailField, "email"),
    (models.URLField, "url"),
    (models.TextField, "textarea"),
    (models.ForeignKey, "select"),
    (models.ManyToManyField, "select-multiple"),
)


def model_field(field: Any) -> ModelField:
    """What a model field holds, and what a visitor may send for it: one of its choices, no longer text than fits."""
    kind = plain_type(field)
    if isinstance(field, models.FileField):
        return ModelField(kind, kind, is_file=True)
    if field.many_to_many:
        return ModelField(list[kind], Annotated[list[kind], input_for(field)], many=True)  # type: ignore[valid-type]
    accepted: Any = kind
    if field.choices and field.remote_field is None:
        values = tuple(value for value, _ in field.flatchoices if value is not None)
        accepted = Literal[values]
        if kind is str and field.blank:
            accepted = Literal[(*values, "")]
    elif kind is str and field.max_length:
        accepted = Annotated[str, msgspec.Meta(max_length=field.max_length)]
    if field.null:
        stored, accepted = (kind | None, accepted | None) if kind is not Any else (Any, Any)
    else:
        stored = kind | None  # a new object may not have a value yet
    return ModelField(stored, Annotated[accepted, input_for(field)])


def input_for(field: Any) -> Input:
    """How a form asks for the values of a model field."""
    labels = dict(field.flatchoices) if field.choices and field.remote_field is None else {}
    return Input(
        type=next((shown for known, shown in _INPUTS if isinstance(field, known)), None),
        label=capfirst(field.verbose_name),  # a lazy translation stays one
        help=field.help_text,
        choices={str(value): label for value, label in labels.items() if value is not None} or None,
        required=not (field.blank or field.null or isinstance(field, models.BooleanField)),
        step=decimal.Decimal(1).scaleb(-field.decimal_places) if isinstance(field, models.DecimalField) else None,
        zone=_CURRENT if isinstance(field, models.DateTimeField) and settings.USE_TZ else "",
    )


class _CurrentZone(datetime.tzinfo):
    """The time zone that Django has activated for this visitor."""

    def utcoffset(self, moment: datetime.datetime | None) -> datetime.timedelta | None:
        return timezone.get_current_timezone().utcoffset(moment)

    def dst(self, moment: datetime.datetime | None) -> datetime.timedelta | None:
        return timezone.get_current_timezone().dst(moment)

    def tzname(self, moment: datetime.datetime | None) -> str | None:
        return timezone.get_current_timezone().tzname(moment)

    def fromutc(self, moment: datetime.datetime) -> datetime.datetime:
        zone = timezone.get_current_timezone()
        return zone.fromutc(moment.replace(tzinfo=zone)).replace(tzinfo=self)


_CURRENT = _CurrentZone()


def plain_type(field: Any) -> Any:
    """The Python type of a field's values; of a foreign key, that of the key."""
    if field.many_to_many:
        return plain_type(field.remote_field.model._meta.pk)
    if field.remote_field is not None:
        return plain_type(field.target_field)
    return next((kind for known, kind in _TYPES if isinstance(field, known)), str)


def field_of(component: ModelComponent, name: str) -> Any:
    """The field of the component's model that is called `name`, `pk` being its key."""
    return component.model._meta.pk if name == "pk" else component.model._meta.get_field(name)
