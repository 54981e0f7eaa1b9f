"""A small shop, for the tests of components about one row."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy


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


class Card(models.Model):
    """Has files: a picture that it cannot be without, and a letter."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=10)
    picture = models.ImageField(upload_to="pictures", max_length=60)
    letter = models.FileField(upload_to="letters", blank=True)
    objects: models.Manager[Card] = models.Manager()


class Tag(models.Model):
    """Is put on articles."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=20)
    seller = models.CharField(max_length=20, default="ada")
    objects: models.Manager[Tag] = models.Manager()

    def __str__(self) -> str:
        return self.name


class Article(models.Model):
    """Has what a form asks for in many ways."""

    class Kind(models.IntegerChoices):
        SHORT = 1, "A short one"
        LONG = 2, "A long one"

    id = models.BigAutoField(primary_key=True)
    slug = models.SlugField(max_length=20, unique=True)
    title = models.CharField(gettext_lazy("Email address"), max_length=40, help_text="As it is printed.")
    contact = models.EmailField(blank=True)
    body = models.TextField(blank=True)
    kind = models.IntegerField(choices=Kind, default=Kind.SHORT)
    pages = models.IntegerField(null=True, blank=True)
    published = models.DateTimeField(null=True, blank=True)
    editor: Any = models.ForeignKey(Customer, models.SET_NULL, null=True, blank=True)
    tags: Any = models.ManyToManyField(Tag, blank=True)
    version = models.PositiveIntegerField(default=1)
    objects: models.Manager[Article] = models.Manager()


class Review(Article):
    """Has a table of its own besides that of its articles."""

    stars = models.IntegerField(default=3)
