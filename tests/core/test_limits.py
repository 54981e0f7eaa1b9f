"""How much of everything is accepted when nobody says otherwise."""

from component_framework import Limits

KIB = 1024


def test_the_documented_bounds_hold_by_default() -> None:
    limits = Limits()
    assert (limits.body, limits.state, limits.state_warning) == (1024 * KIB, 512 * KIB, 64 * KIB)
    assert (limits.token_age, limits.clock_skew) == (24 * 3600, 600)
    assert limits.body_time == 30
    assert limits.depth <= 32
