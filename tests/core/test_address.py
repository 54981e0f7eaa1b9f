"""Whose address counts."""

import pytest

from component_framework.core.address import client_address, networks

PROXIES = networks(["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "192.0.2.66, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("10.0.0.1", "192.0.2.66, nonsense", "nonsense"),
        ("::1", " 203.0.113.9 ,", "203.0.113.9"),
        ("", "203.0.113.9", ""),
    ],
)
def test_a_forwarded_address_counts_only_when_a_trusted_proxy_says_it(peer: str, forwarded: str, expected: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == expected
