"""How much of everything is accepted when nobody says otherwise."""

from typing import Any

import pytest

from component_framework import Limits
from component_framework.core.errors import ConfigurationError

KIB = 1024


def test_the_documented_bounds_hold_by_default() -> None:
    limits = Limits()
    assert (limits.body, limits.state, limits.state_warning) == (1024 * KIB, 512 * KIB, 64 * KIB)
    assert (limits.token_age, limits.clock_skew) == (24 * 3600, 600)
    assert limits.body_time == 30
    assert (limits.payload, limits.arguments, limits.fields, limits.components) == (256 * KIB, 50, 200, 200)
    assert (limits.depth, limits.handler) == (8, None)


@pytest.mark.parametrize(
    "wrong", [{"body": -1}, {"state": "1 MiB"}, {"attempts": 0}, {"handler": "soon"}, {"failed_tokens": "often"}]
)
def test_a_limit_that_is_none_is_told_at_once(wrong: dict[str, Any]) -> None:
    [name] = wrong
    with pytest.raises(ConfigurationError, match=f"Limits.{name} is"):
        Limits(**wrong)
