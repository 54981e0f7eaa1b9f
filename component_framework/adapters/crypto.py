"""Encrypt server-only fields that live in tokens.

engine = Engine(cipher=AesGcmCipher(SECRET), secret_key=SECRET, …)
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hmac import digest

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError as exc:
    raise ImportError("cryptography is not installed. Run: pip install 'live-component-framework[crypto]'") from exc

from ..core.errors import ConfigurationError, StateInvalid

_NONCE = 12  # bytes, NIST SP 800-38D


class AesGcmCipher:
    """AES-256-GCM with a random nonce per message; `keys` run from newest to oldest, the first encrypts."""

    def __init__(self, *keys: str | bytes) -> None:
        if not keys or not all(keys):
            raise ConfigurationError("A cipher needs a key: AesGcmCipher(secret_key).")
        self._ciphers = [AESGCM(_derive(key)) for key in keys]

    def encrypt(self, data: bytes, bound: bytes) -> str:
        """`data` as text that only this cipher can read."""
        nonce = os.urandom(_NONCE)
        return urlsafe_b64encode(nonce + self._ciphers[0].encrypt(nonce, data, bound)).decode()

    def decrypt(self, text: str, bound: bytes) -> bytes:
        """What was encrypted; raises StateInvalid for anything else."""
        try:
            packed = urlsafe_b64decode(text)
        except ValueError as exc:
            raise StateInvalid(f"the encrypted fields cannot be read: {exc}") from None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(packed[:_NONCE], packed[_NONCE:], bound)
            except (InvalidTag, ValueError):
                continue
        raise StateInvalid("the encrypted fields were not encrypted with a key of this application")


def _derive(key: str | bytes) -> bytes:
    return digest(key.encode() if isinstance(key, str) else key, b"component_framework.cipher", "sha256")
