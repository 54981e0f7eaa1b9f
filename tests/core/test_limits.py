"""How much of everything is accepted when nobody says otherwise."""

from typing import Any

import pytest

from component_framework import Component, Engine, Limits, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import ConfigurationError, TooLarge
from component_framework.core.lifecycle import run_sync
from component_framework.core.wire import Call, Reply
from tests.core.test_stored_state import token

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


families = Registry()


@families.register("leaf")
class Leaf(Component):
    template = "<i></i>"


@families.register("branch")
class Branch(Component):
    template = "<p>{% for n in leaves %}{{ live_component('leaf', key=n) }}{% endfor %}</p>"
    leaves: list[int] = [1, 2]


@families.register("tree")
class Tree(Component):
    template = "<div>{% for n in branches %}{{ live_component('branch', key=n) }}{% endfor %}</div>"
    branches: list[int] = []

    def on_grow(self, to: int) -> None:
        self.branches = list(range(to))


def test_one_answer_mounts_no_more_components_than_it_may_however_they_are_nested() -> None:
    served = Engine(renderer=JinjaRenderer(), secret_key="k", registry=families, limits=Limits(components=6))

    def grow(state: str, to: int) -> Reply:
        return run_sync(served.handle(Call(component="tree", event="grow", payload={"to": to}, state=state)))

    answer = grow(token(served.mount("tree")), 3)
    assert (answer.status, answer.headers["X-Component-Code"]) == (413, "too_large")
    state = token(served.mount("tree"))
    for to in (2, 4, 6):  # those that are there already are not mounted again
        answer = grow(state, to)
        assert answer.status == 200
        assert isinstance(answer.body, bytes)
        state = token(answer.body.decode())
    with pytest.raises(TooLarge, match=r"Limits\(components=…\)"):
        served.mount("tree", branches=[1, 2, 3])
