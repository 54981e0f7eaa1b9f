"""Tokens: what is not exactly what was signed, for this component and this visitor, is refused."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework import Limits
from component_framework.core.errors import ConfigurationError, StateExpired, StateInvalid, TooLarge
from component_framework.core.signing import Token, TokenSigner, raw

NOW = 1_800_000_000
LIMITS = Limits()


def token(state: object = None, **changes: object) -> Token:
    values = {
        "issued": NOW,
        "id": "c-1",
        "schema": "abcd1234",
        "version": 3,
        "params": raw({"pk": 7}),
        "children": {"c-2": "tr"},
    }
    return Token(**{**values, "state": raw(state or {"count": 1}), **changes})  # type: ignore[arg-type]  # a dict of all kinds


def signer(*keys: str, limits: Limits = LIMITS) -> TokenSigner:
    return TokenSigner(keys or ("key",), limits)


def plain(found: Token) -> tuple[object, ...]:
    return (
        found.issued,
        found.id,
        found.schema,
        found.version,
        bytes(found.params),
        found.children,
        bytes(found.state),
        found.record,
    )


@given(st.text(), st.text(), st.text(max_size=400), st.integers(0, 10**6))
def test_a_token_comes_back_as_it_was(component: str, identity: str, text: str, version: int) -> None:
    try:
        text.encode(), component.encode(), identity.encode()
    except UnicodeEncodeError:
        return
    sealed = token({"text": text}, version=version)
    assert plain(signer().open(signer().seal(sealed, component, identity), component, identity, NOW)) == plain(sealed)


@pytest.mark.parametrize("size", [1, 150, 5000])
def test_one_bit_flipped_anywhere_is_refused(size: int) -> None:
    text = signer().seal(token({"text": "x" * size}), "counter", "ada")
    for place in range(len(text)):
        for bit in range(7):
            forged = text[:place] + chr(ord(text[place]) ^ (1 << bit)) + text[place + 1 :]
            with pytest.raises(StateInvalid):
                signer().open(forged, "counter", "ada", NOW)


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text[:-1], lambda text: text[1:], lambda text: text + text, lambda text: text + "=", lambda text: text + ".",
        str.swapcase,
        lambda text: "", lambda text: ".", lambda text: "é" + text, lambda text: text.replace(".", ""), lambda text: f" {text}",
    ],
)  # fmt: skip
def test_another_spelling_is_refused(forge: Callable[[str], str]) -> None:
    with pytest.raises(StateInvalid):
        signer().open(forge(signer().seal(token(), "counter", "")), "counter", "", NOW)


@pytest.mark.parametrize(
    ("component", "identity"),
    [("other", "ada"), ("counter", "ben"), ("counter", ""), ("counterada", ""), ("count", "er")],
)
def test_a_token_is_good_for_its_component_and_its_visitor_only(component: str, identity: str) -> None:
    with pytest.raises(StateInvalid):
        signer().open(signer().seal(token(), "counter", "ada"), component, identity, NOW)


def test_keys_rotate_and_a_removed_key_stops_working() -> None:
    old = signer("old").seal(token(), "counter", "")
    assert signer("new", "old").open(old, "counter", "", NOW).id == "c-1"
    fresh = signer("new", "old").seal(token(), "counter", "")
    assert signer("new").open(fresh, "counter", "", NOW).id == "c-1"
    with pytest.raises(StateInvalid):
        signer("new").open(old, "counter", "", NOW)


def test_a_signer_needs_a_key() -> None:
    for keys in ((), ("",), ("new", "")):
        with pytest.raises(ConfigurationError, match="secret_key"):
            TokenSigner(keys, LIMITS)


@pytest.mark.parametrize("age", [0, -600, 24 * 3600 + 600])
def test_clocks_may_be_ten_minutes_apart(age: int) -> None:
    assert signer().open(signer().seal(token(issued=NOW - age), "c", ""), "c", "", NOW).id == "c-1"


@pytest.mark.parametrize("age", [-601, 24 * 3600 + 601, 10**8])
def test_a_token_that_is_too_old_or_from_the_future_has_expired(age: int) -> None:
    text = signer().seal(token(issued=NOW - age), "c", "")
    with pytest.raises(StateExpired):
        signer().open(text, "c", "", NOW)
    assert signer().open(text, "c", "", None).id == "c-1", "who asks for no time gets the params of an old page"


def test_a_large_state_is_compressed_and_an_oversized_token_is_not_even_read() -> None:
    text = signer().seal(token({"text": "x" * 100_000}), "c", "")
    assert len(text) < 1000
    small = Limits(state=1000, payload=1000)
    with pytest.raises(TooLarge):
        signer(limits=small).open(text, "c", "", NOW)
    with pytest.raises(TooLarge):
        signer(limits=small).open("x" * 5000, "c", "", NOW)


def test_a_state_is_never_decoded_as_anything_but_json() -> None:
    found = signer().open(signer().seal(token({"text": "cos\nsystem"}), "c", ""), "c", "", NOW)
    assert msgspec.json.decode(found.state) == {"text": "cos\nsystem"}


@given(st.binary(min_size=1, max_size=80), st.text(max_size=40), st.text(max_size=40))
def test_a_signature_is_the_hmac_of_the_standard_library(key: bytes, component: str, identity: str) -> None:
    text = TokenSigner([key], LIMITS).seal(token(), component, identity)
    body, _, signature = text.rpartition(".")
    bound = f"{component}\0{len(identity)}:{identity}\0{body}".encode()
    expected = hmac.digest(hmac.digest(key, b"component_framework.token", "sha256"), bound, "sha256")
    assert base64.urlsafe_b64decode(signature + "=") == expected
