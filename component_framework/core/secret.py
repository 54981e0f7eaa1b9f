"""Fields that never reach the browser in a readable form, nor a template that did not ask for them."""

from __future__ import annotations

from typing import Annotated, Any, Protocol, TypeVar, get_args, get_origin

T = TypeVar("T")


class _ServerOnly:
    def __repr__(self) -> str:
        return "ServerOnly"


SERVER_ONLY = _ServerOnly()

ServerOnly = Annotated[T, SERVER_ONLY]
"""`key: ServerOnly[str] = ""`: kept in the store, or encrypted in the token; a template gets it as `component.key` only."""


class Cipher(Protocol):
    """Encrypts what travels through the page; `bound` has to be the same when it comes back."""

    def encrypt(self, data: bytes, bound: bytes) -> str:
        """`data` as text that only this cipher can read."""
        ...

    def decrypt(self, text: str, bound: bytes) -> bytes:
        """What was encrypted; raises StateInvalid for anything else."""
        ...


def is_server_only(kind: Any) -> bool:
    """Whether a field's annotation says that it stays on the server."""
    return get_origin(kind) is Annotated and SERVER_ONLY in get_args(kind)[1:]
