"""What a dispatch in the same process gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .errors import ConfigurationError


class Result(Mapping[str, Any]):
    """What `dispatch()` gives: `html`, `state`, `component_id`, `errors`, `effects`."""

    def __init__(self, values: Mapping[str, Any], trouble: ConfigurationError | None = None) -> None:
        self._values = values
        self._trouble = trouble

    def __getitem__(self, key: str) -> Any:
        if key == "html" and self._trouble is not None:
            raise self._trouble
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
