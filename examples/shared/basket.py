"""What the customers of both order desks buy."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

GOODS = tuple(
    (name, Decimal(price))
    for name, price in (
        ("Postcard", "1.80"),
        ("Ball of twine", "3.95"),
        ("Notebook, ruled", "8.50"),
        ("Enamel mug", "12.90"),
        ("Linen tea towel", "16.00"),
        ("Desk lamp bulb", "19.90"),
        ("Wool blanket", "89.00"),
        ("Cast iron pan", "64.50"),
        ("Reading lamp", "119.00"),
        ("Oak stool", "149.00"),
        ("Espresso pot", "38.75"),
        ("Garden shears", "44.20"),
    )
)


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of an order: how many of a product, at which price each."""

    product: str
    quantity: int
    price: Decimal

    @property
    def cost(self) -> Decimal:
        return self.quantity * self.price


def fill(budget: Decimal, chance: random.Random) -> list[Purchase]:
    """One to four purchases that cost no more than `budget`, which has to be enough for the first of GOODS."""
    purchases: list[Purchase] = []
    for product, price in chance.sample(GOODS, 4):
        quantity = min(chance.randint(1, 3), int(budget // price))
        if quantity:
            purchases.append(Purchase(product, quantity, price))
            budget -= quantity * price
    return purchases or [Purchase(GOODS[0][0], 1, GOODS[0][1])]
