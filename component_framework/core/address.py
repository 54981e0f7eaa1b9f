"""Where a request really comes from: a forwarded address counts only when a trusted proxy says it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .errors import ConfigurationError


def client_address(peer: str, forwarded: str, trusted: Collection[Any]) -> str:
    """The first address, from the nearest to the farthest, that is not in the networks `trusted`.

    `forwarded` is the value of X-Forwarded-For; what stands left of the first stranger in it could be anybody's claim.
    """
    address = peer
    for claimed in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        if not _within(address, trusted):
            break
        address = claimed
    return address


def networks(names: Collection[str]) -> tuple[Any, ...]:
    """`names` ("10.0.0.0/8", "::1") as networks; raises ConfigurationError for one that is none."""
    from ipaddress import ip_network  # only where there are proxies to trust

    if isinstance(names, str):
        raise ConfigurationError(f"trusted_proxies is a str. Write a list: trusted_proxies=[{names!r}].")
    try:
        return tuple(ip_network(name) for name in names)
    except ValueError as exc:
        raise ConfigurationError(
            f'trusted_proxies: {exc}. Write addresses or networks: ["127.0.0.1", "10.0.0.0/8"].'
        ) from None


def _within(address: str, trusted: Collection[Any]) -> bool:
    from ipaddress import ip_address

    try:
        place = ip_address(address)
    except ValueError:
        return False
    return any(place in network for network in trusted)
