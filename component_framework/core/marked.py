"""Text that is markup already."""

from __future__ import annotations

import html


class Markup(str):
    """Text that template engines do not escape again (the `__html__` protocol).

    What is added to it is markup, too: other markup as it is, any other text escaped.
    """

    __slots__ = ()

    def __html__(self) -> str:
        return self

    def __add__(self, other: str) -> Markup:
        return Markup(str.__add__(self, _escaped(other))) if isinstance(other, str) else NotImplemented

    def __radd__(self, other: str) -> Markup:
        return Markup(str.__add__(_escaped(other), self)) if isinstance(other, str) else NotImplemented


def _escaped(text: str) -> str:
    markup = getattr(text, "__html__", None)
    return html.escape(text) if markup is None else str(markup())
