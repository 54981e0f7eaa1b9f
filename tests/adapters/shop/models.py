"""A small shop, for the tests of components about one row."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


class Customer(models.Model):
    """Belongs to a seller, who sees no customers of others."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=40)
    seller = models.CharField(max_length=20)
    objects: models.Manager[Customer] = models.Manager()

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """Has a column of every kind."""

    class Status(models.TextChoices):
        NEW = "new", "New"
        PAID = "paid", "Paid"

    id = models.BigAutoField(primary_key=True)
    number = models.CharField(max_length=10, unique=True)
    customer: Any = models.ForeignKey(Customer, models.CASCADE)
    seller = models.CharField(max_length=20, default="ada")
    status = models.CharField(max_length=10, choices=Status, default=Status.NEW)
    note = models.CharField(max_length=20, blank=True)
    placed = models.DateField(null=True, blank=True)
    total = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    gift = models.BooleanField(default=False)
    secret = models.CharField(max_length=20, default="margin 40%")
    version = models.PositiveIntegerField(default=1)
    customer_id: int
    objects: models.Manager[Order] = models.Manager()

    def clean(self) -> None:
        if self.note == "refuse":
            raise ValidationError("Such a note contradicts the order.")


class Leaflet(models.Model):
    """Is versioned by the time of its last change."""

    id = models.BigAutoField(primary_key=True)
    text = models.CharField(max_length=40)
    changed = models.DateTimeField(auto_now=True)
    objects: models.Manager[Leaflet] = models.Manager()
