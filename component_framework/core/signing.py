"""Signed tokens: the state of a component on its way through the browser.

A token is `<body>.<signature>`, both base64url. The body is a version byte and a JSON array, compressed when that pays.
The signature is HMAC-SHA-256 over the component's name, the visitor's identity and the body, so that a token is good
for one component of one visitor only, and neither name nor identity takes room in it.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import logging
import secrets
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from itsdangerous import Signer

from .errors import ConfigurationError, StateExpired, StateInvalid, TooLarge
from .limits import Limits

logger = logging.getLogger("component_framework")

_PURPOSE = b"component_framework.token"
_PLAIN = b"1"
_COMPRESSED = b"2"
_COMPRESS_FROM = 256


class Token(msgspec.Struct, array_like=True, frozen=True, omit_defaults=True):
    """What a page remembers of one component; `issued` is in seconds, `state` and `params` are encoded JSON."""

    issued: int
    id: str
    schema: str
    version: int
    params: msgspec.Raw
    children: dict[str, str]
    state: msgspec.Raw
    record: str = ""
    """The key of the record in the store; "" where there is none."""
    secret: str = ""
    """The server-only fields, encrypted; "" where there are none."""


class _KeptSigner(Signer):
    """HMAC-SHA-256 (RFC 2104) whose two keyed hashes are made once and copied for each signature.

    The standard library's HMAC object can be copied, too, but a copy is made in Python, and takes twice as long.
    """

    def __init__(self, key: bytes) -> None:
        super().__init__(key, key_derivation="none", digest_method=hashlib.sha256)
        padded = key.ljust(64, b"\0")  # SHA-256's block; our keys are digests of 32 bytes
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def get_signature(self, value: str | bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value if isinstance(value, bytes) else value.encode())
        outer.update(inner.digest())
        return _to_base64(outer.digest())


class TokenSigner:
    """Seals and opens tokens. `keys` run from newest to oldest: the first signs, all of them verify."""

    def __init__(self, keys: Sequence[str | bytes], limits: Limits) -> None:
        if not keys or not all(keys):
            raise ConfigurationError("An Engine needs a secret_key to sign its tokens: Engine(secret_key=…).")
        self._signers = [_KeptSigner(hmac.digest(_bytes(key), _PURPOSE, "sha256")) for key in keys]
        self.name = hmac.digest(_bytes(keys[0]), b"component_framework.name", "sha256").hex()[:16]
        """What is the same in every process that has these keys, and tells nothing of them."""
        self._limits = limits
        self._decode = msgspec.json.Decoder(Token).decode
        # base64 makes four characters of three bytes; the rest of a token is small beside its state and params
        self._longest = (limits.state + limits.payload) * 4 // 3

    def seal(self, token: Token, component: str, identity: str) -> str:
        """`token` as text, good for `component` and the visitor with `identity` only."""
        data = msgspec.json.encode(token)
        if len(data) > _COMPRESS_FROM and len(packed := zlib.compress(data)) < len(data):
            body = _to_base64(_COMPRESSED + packed)
        else:
            body = _to_base64(_PLAIN + data)
        return (body + b"." + self._signers[0].get_signature(_bound(component, identity, body))).decode()

    def open(self, text: str, component: str, identity: str, now: float | None) -> Token:
        """The Token in `text`; raises StateInvalid for one that is not ours for this component and visitor.

        Raises TooLarge for an oversized one, StateExpired for one that is too old at `now`; None asks no clock.
        """
        if len(text) > self._longest:
            raise TooLarge("the token is over the size of a state")
        try:
            body, _, signature = text.encode("ascii").rpartition(b".")
            if not self._verify(_bound(component, identity, body), signature):
                raise StateInvalid("the token was not signed for this component and visitor")
            token = self._decode(self._unpack(_from_base64(body)))
        except (binascii.Error, UnicodeEncodeError, msgspec.DecodeError, zlib.error) as exc:
            raise StateInvalid(f"the token cannot be read: {exc}") from None
        age = 0 if now is None else now - token.issued
        if age > self._limits.token_age + self._limits.clock_skew or age < -self._limits.clock_skew:
            raise StateExpired(f"the token is {age:.0f} s old")
        return token

    def _verify(self, value: bytes, signature: bytes) -> bool:
        """Compares the text of the signatures, so that a second spelling of the same bytes is refused as well."""
        for signer in self._signers:  # noqa: SIM110  # a generator costs each event more than the loop
            if hmac.compare_digest(signer.get_signature(value), signature):
                return True
        return False

    def _unpack(self, data: bytes) -> bytes:
        kind, rest = data[:1], data[1:]
        if kind == _PLAIN:
            return rest
        if kind != _COMPRESSED:
            raise StateInvalid("the token is of another version of the framework")
        inflater = zlib.decompressobj()
        plain = inflater.decompress(rest, self._longest)
        if not inflater.eof:
            raise TooLarge("the token unpacks to more than a state may have")
        return plain


def keys_of(secret_key: str | bytes | Sequence[str | bytes], debug: bool) -> Sequence[str | bytes]:
    """The keys of an engine; without any, only `debug` makes one. Raises ConfigurationError."""
    keys = [secret_key] if isinstance(secret_key, (str, bytes)) else list(secret_key)
    if keys or not debug:
        if not keys or not all(keys):
            raise ConfigurationError("An Engine needs a secret_key to sign its tokens: Engine(secret_key=…).")
        return keys
    logger.warning("No secret_key: a random one serves until this process ends. Pages that are open then will reset.")
    return [secrets.token_bytes(32)]


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def _to_base64(data: bytes) -> bytes:
    """base64url without padding (RFC 4648 5), in one step less than the standard library's."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def _from_base64(text: bytes) -> bytes:
    return binascii.a2b_base64(text.translate(_FROM_URL) + b"=" * (-len(text) % 4))


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key


def _bound(component: str, identity: str, body: bytes) -> bytes:
    return _binding(component, identity) + body


@lru_cache(maxsize=1024)
def _binding(component: str, identity: str) -> bytes:
    return f"{component}\0{len(identity)}:{identity}\0".encode()


def raw(value: Any) -> msgspec.Raw:
    """`value` as encoded JSON; bytes are taken to be that already."""
    return msgspec.Raw(value if isinstance(value, bytes) else msgspec.json.encode(value))
