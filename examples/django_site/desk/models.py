"""Orders that belong to the user who placed them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet


class OrderQuerySet(QuerySet["Order"]):
    """Orders, by who may see them and by what they contain."""

    def visible_to(self, user: Any) -> OrderQuerySet:
        """All of them for staff, their own for everybody else, none for strangers."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_staff else self.filter(owner=user)

    def matching(self, words: str) -> OrderQuerySet:
        """Those whose number, customer or note contains `words`."""
        if not words:
            return self
        return self.filter(Q(number__icontains=words) | Q(customer__icontains=words) | Q(note__icontains=words))


class Order(models.Model):
    """An order; `version` counts its changes, so that none overwrites another unseen."""

    class Status(models.TextChoices):
        NEW = "new"
        PAID = "paid"
        SHIPPED = "shipped"
        CANCELLED = "cancelled"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="orders")
    number = models.CharField(max_length=20, unique=True)
    customer = models.CharField(max_length=80)
    placed = models.DateField()
    status = models.CharField(max_length=10, choices=Status, default=Status.NEW)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    note = models.CharField(max_length=120, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """How many of a product an order is for, at which price each."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.CharField(max_length=80)
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"
