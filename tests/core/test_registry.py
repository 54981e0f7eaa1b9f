"""Names: one class for each, and help where there is none."""

from __future__ import annotations

import pytest

from component_framework import Component, Registry, register, registry
from component_framework.core.errors import ConfigurationError

from .served import engine_of


class Counter(Component): ...


class Other(Component): ...


@pytest.mark.parametrize("name", ["counter", "a", "shop.cart-2_b", "c" * 200])
def test_a_class_is_found_under_its_name(name: str) -> None:
    names = Registry()
    assert names.register(name)(Counter) is Counter
    assert names[name] is names.find(name) is Counter
    assert (list(names), len(names)) == ([name], 1)


@pytest.mark.parametrize(
    "name", ["", "Counter", "1a", "_a", "a b", "a/b", "..", "é", "a\n", "a?b", '"', "live", "ws", "static"]
)
def test_a_name_that_no_address_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        Registry().register(name)(Counter)


def test_a_second_class_of_one_name_names_both() -> None:
    names = Registry()
    names.register("counter")(Counter)
    with pytest.raises(
        ConfigurationError, match=r"test_registry\.Counter already; .*test_registry\.Other needs another name"
    ):
        names.register("counter")(Other)
    names.register("counter")(Counter)  # a module that is read again


def test_a_second_name_of_one_class_needs_a_subclass() -> None:
    class Twice(Component): ...

    names = Registry()
    names.register("first")(Twice)
    with pytest.raises(ConfigurationError, match="is registered as 'first' already. Subclass it for 'second'"):
        names.register("second")(Twice)


@pytest.mark.parametrize("thing", [Component, object, int, lambda: None, "Counter", Counter()], ids=str)
def test_only_a_subclass_of_component_is_registered(thing: object) -> None:
    with pytest.raises(ConfigurationError, match="is not a Component subclass"):
        Registry().register("counter")(thing)  # type: ignore[type-var]  # the mistake


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(
        ConfigurationError, match=r"No component is registered as 'countr' \(did you mean 'counter'\?\)"
    ):
        engine_of(Counter).mount("countr")
    with pytest.raises(ConfigurationError, match="there is none"):
        Registry().find("counter")


def test_register_is_the_default_registrys() -> None:
    assert register == registry.register
