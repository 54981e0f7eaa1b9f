"""The row that the benchmarks of forms save on Django."""

from __future__ import annotations

from django.db import models


class Order(models.Model):
    """One order."""

    id = models.BigAutoField(primary_key=True)
    number = models.CharField(max_length=10)
    status = models.CharField(max_length=10, choices=[("new", "New"), ("paid", "Paid")], default="new")
    note = models.CharField(max_length=40, blank=True)
    total = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    version = models.PositiveIntegerField(default=1)
    objects: models.Manager[Order] = models.Manager()
