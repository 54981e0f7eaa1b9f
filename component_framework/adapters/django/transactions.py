"""What ATOMIC_REQUESTS promises: a request that fails has written nothing."""

from __future__ import annotations

from contextlib import ExitStack

from django.db import connections, transaction


def atomic_aliases() -> list[str]:
    """The databases of which every request is one transaction."""
    return [alias for alias, options in connections.settings.items() if options["ATOMIC_REQUESTS"]]


def roll_back() -> None:
    """Undo what a failed request wrote: Django sees only an answer, not the exception."""
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            transaction.set_rollback(True, using=connection.alias)


class Savepoint:
    """Around a handler: one that raises undoes what it wrote, and no more.

    A form that is refused by its handler is still a good answer, and the state that it shows is kept.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> None:
        for alias in atomic_aliases():
            if connections[alias].in_atomic_block:  # and not on the road of a stream, which outlives its request
                self._stack.enter_context(transaction.atomic(using=alias))

    def __exit__(self, *exc_info: object) -> bool | None:
        return self._stack.__exit__(*exc_info)  # type: ignore[arg-type]  # typed one by one there
