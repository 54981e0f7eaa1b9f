"""Publish what a transaction has saved or deleted, once it is committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from ...core.publishing import Publisher, announce, require_row_topic, row_topic
from .conf import get_engine

_TOLD = "_component_framework_told"


def publish_on_save(model: type[Model], topic: str, *, engine: Publisher | None = None) -> Callable[[], None]:
    """Publish `topic`, such as `"order:{pk}"`, for each row of `model` that is saved or deleted; in `AppConfig.ready()`.

    It is published after the commit, once for each row, and not at all when the transaction is rolled back. Queries that
    send no signals (`update()`, `bulk_create()`) are not seen: publish after them yourself. `engine` is that of the
    settings if left out. Gives a function that ends it. Raises ConfigurationError for a field that is not there.
    """
    require_row_topic(topic, model)

    def changed(*, instance: Model, using: str, **kwargs: Any) -> None:
        _publish_on_commit(engine, row_topic(topic, instance), using)

    for signal in (post_save, post_delete):
        signal.connect(changed, sender=model, weak=False)

    def stop() -> None:
        for signal in (post_save, post_delete):
            signal.disconnect(changed, sender=model)

    return stop


def _publish_on_commit(engine: Publisher | None, topic: str, using: str) -> None:
    """Registered for each save, and not once, because a savepoint that is rolled back forgets what was registered in it."""
    connection: Any = transaction.get_connection(using)
    told: set[tuple[int, str]] = connection.__dict__.setdefault(_TOLD, set())

    def tell() -> None:
        connection.__dict__.pop(_TOLD, None)  # the next transaction tells anew
        publisher = engine or get_engine()
        if (id(publisher), topic) not in told:
            told.add((id(publisher), topic))
            announce(publisher, [topic])

    transaction.on_commit(tell, using=using, robust=True)
