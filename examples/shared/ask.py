"""Ask the docs: a handler that shows each step of a search while it goes on.

The class is the same on every framework; each example registers a subclass that names its template.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from component_framework import StreamingComponent

from .docsearch import search


class Found(msgspec.Struct):
    """A passage, as the page shows it."""

    path: str
    heading: str
    excerpt: str
    score: float


class AskDocs(StreamingComponent):
    """Reads this repository's documentation for a question and streams what it finds."""

    question: str = ""
    reading: str = ""
    done: int = 0
    total: int = 0
    finished: bool = False
    passages: list[Found] = []

    def on_ask(self, question: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]) -> Iterator[None]:
        self.question, self.finished, self.passages = question, False, []
        for step in search(question):
            self.reading, self.done, self.total = step.path, step.done, step.total
            self.passages = [Found(found.path, found.heading, found.excerpt, found.score) for found in step.passages]
            yield
        self.finished = True
