"""`manage.py seed`: three users and a thousand orders, the same every time."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from desk.models import Order

USERS = {"ada": False, "ben": False, "sam": True}
PASSWORD = "components"  # of an example's database
NOTES = ("", "", "", "Ring twice", "Gift wrapping", "Deliver to the neighbour")


class Command(BaseCommand):
    """Fills an empty database; a second run changes nothing."""

    help = "Create the users ada, ben and sam (staff) and a thousand orders."

    def handle(self, *args: Any, **options: Any) -> None:
        """Called by Django."""
        users = [self._user(name, staff=staff) for name, staff in USERS.items()]
        if not Order.objects.exists():
            Order.objects.bulk_create(_orders(users[:2]))
        names = ", ".join(f"{name} (staff)" if staff else name for name, staff in USERS.items())
        self.stdout.write(f"{Order.objects.count()} orders. Log in as {names}; the password is {PASSWORD!r}.")

    def _user(self, name: str, *, staff: bool) -> Any:
        user, new = get_user_model().objects.get_or_create(username=name, defaults={"is_staff": staff})
        if new:
            user.set_password(PASSWORD)
            user.save()
        return user


def _orders(owners: list[Any]) -> list[Order]:
    chance = random.Random(4)
    firsts, lasts = ("Cora", "Dev", "Elif", "Finn", "Grete", "Hugo"), ("Berg", "Costa", "Diaz", "Evans", "Fox")
    return [
        Order(
            owner=chance.choice(owners),
            number=f"B-{10000 + index}",
            customer=f"{chance.choice(firsts)} {chance.choice(lasts)}",
            placed=datetime.date(2026, 1, 1) + datetime.timedelta(days=chance.randrange(320)),
            status=chance.choice(Order.Status.values),
            total=Decimal(chance.randrange(500, 90000)) / 100,
            note=chance.choice(NOTES),
        )
        for index in range(1000)
    ]
