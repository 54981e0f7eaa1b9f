"""`manage.py seed`: three users and a thousand orders, the same every time."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction

from desk.models import Order, OrderLine
from examples.shared import basket

USERS = {"ada": False, "ben": False, "sam": True}
PASSWORD = "components"  # of an example's database
FIRST_NAMES = ("Cora", "Dev", "Elif", "Finn", "Grete", "Hugo")
LAST_NAMES = ("Berg", "Costa", "Diaz", "Evans", "Fox")
NOTES = ("", "", "", "Ring twice", "Gift wrapping", "Deliver to the neighbour")


class Command(BaseCommand):
    """Fills an empty database; a second run changes nothing."""

    help = "Create the users ada, ben and sam (staff) and a thousand orders."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Called by Django."""
        users = [self._user(name, staff=staff) for name, staff in USERS.items()]
        if not Order.objects.exists():
            _create_orders(users[:2])
        names = ", ".join(f"{name} (staff)" if staff else name for name, staff in USERS.items())
        self.stdout.write(f"{Order.objects.count()} orders. Log in as {names}; the password is {PASSWORD!r}.")

    def _user(self, name: str, *, staff: bool) -> Any:
        user, new = get_user_model().objects.get_or_create(username=name, defaults={"is_staff": staff})
        if new:
            user.set_password(PASSWORD)
            user.save()
        return user


def _create_orders(owners: list[Any]) -> None:
    chance, tastes = random.Random(4), random.Random(5)
    made = [_order(f"B-{10000 + index}", owners, chance, tastes) for index in range(1000)]
    Order.objects.bulk_create(order for order, _ in made)
    OrderLine.objects.bulk_create(
        OrderLine(order=order, product=one.product, quantity=one.quantity, price=one.price)
        for order, purchases in made
        for one in purchases
    )


def _order(
    number: str, owners: list[Any], chance: random.Random, tastes: random.Random
) -> tuple[Order, list[basket.Purchase]]:
    order = Order(
        owner=chance.choice(owners),
        number=number,
        customer=f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}",
        placed=datetime.date(2026, 1, 1) + datetime.timedelta(days=chance.randrange(320)),
        status=chance.choice(Order.Status.values),
    )
    purchases = basket.fill(Decimal(chance.randrange(500, 90000)) / 100, tastes)
    order.total = sum((one.cost for one in purchases), Decimal())
    order.note = chance.choice(NOTES)
    return order, purchases
