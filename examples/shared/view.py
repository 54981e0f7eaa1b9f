"""Which part of a long list somebody looks at: the state of a component, and the query of its page's address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec

Sort = Literal["number", "customer", "placed", "total"]
Words = Annotated[str, msgspec.Meta(max_length=60)]
PageNumber = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class View(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is searched for, by what it is sorted, and which page is shown."""

    words: Words = ""
    sort: Sort = "number"
    descending: bool = False
    page: PageNumber = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> View:
        """The view that an address asks for; the first page of everything where it makes no sense."""
        try:
            return msgspec.convert(dict(query), cls, strict=False)
        except msgspec.ValidationError:
            return cls()

    def search(self, words: str) -> View:
        """The first page of what contains `words`."""
        return msgspec.structs.replace(self, words=words, page=1)

    def sort_by(self, column: Sort) -> View:
        """The first page, sorted by `column`; the other way round where it is already."""
        descending = column == self.sort and not self.descending
        return msgspec.structs.replace(self, sort=column, descending=descending, page=1)

    def turn(self, page: int) -> View:
        """Another page of the same."""
        return msgspec.structs.replace(self, page=page)

    def address(self, path: str) -> str:
        """Where a reload, a bookmark and the back button find this view."""
        query = urlencode(msgspec.to_builtins(self))
        return f"{path}?{query}" if query else path
