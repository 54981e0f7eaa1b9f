"""How a public name leaves: it works for a while, and says what to write instead."""

from __future__ import annotations

import warnings


def deprecated(name: str, replacement: str, removed_in: str, *, stacklevel: int = 2) -> None:
    """Warn, once, the caller of the function that calls this that `name` goes in version `removed_in`.

    `stacklevel` grows by one for each function between that caller and the call of this.
    """
    warnings.warn(
        f"{name} is deprecated and goes in {removed_in}. Use {replacement}.",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )
