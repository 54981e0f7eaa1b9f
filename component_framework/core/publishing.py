"""Topics of rows, published when what was written to them is there for everybody to see."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, Protocol

from .errors import ConfigurationError, Unavailable, nearest
from .topics import PLACE, fill

logger = logging.getLogger("component_framework")


class Publisher(Protocol):
    """An Engine, to those who only tell it what has changed."""

    async def publish(self, *topics: str) -> None: ...

    def publish_sync(self, *topics: str) -> None: ...


def require_row_topic(topic: str, model: type) -> str:
    """`topic`, if `model` has all that it names; raises ConfigurationError."""
    for name in PLACE.findall(topic):
        if not hasattr(model, name):
            known = nearest(name, [name for name in dir(model) if not name.startswith("_")])
            raise ConfigurationError(f"{topic!r} names {name!r}, which {model.__name__} does not have ({known}).")
    return topic


def row_topic(topic: str, row: object) -> str:
    """`topic` with the values of `row` in its places."""
    return fill(topic, {name: getattr(row, name) for name in PLACE.findall(topic)})


def announce(publisher: Publisher, topics: Collection[str]) -> None:
    """Publish; the commit stands, whether or not anybody can be told of it."""
    try:
        publisher.publish_sync(*topics)
    except Unavailable:
        _untold(topics)


async def async_announce(publisher: Publisher, topics: Collection[str]) -> None:
    """`announce()` on an event loop."""
    try:
        await publisher.publish(*topics)
    except Unavailable:
        _untold(topics)


def _untold(topics: Any) -> None:
    logger.warning("%s changed, but nobody could be told of it", ", ".join(topics), exc_info=True)
