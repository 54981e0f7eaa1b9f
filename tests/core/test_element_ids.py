"""Ids of elements: those that a page gives are kept, and none of them is markup."""

import pytest

from component_framework import Engine, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.component import Component
from component_framework.core.errors import ConfigurationError

registry = Registry()


@registry.register("box")
class Box(Component):
    template = "<div></div>"


engine = Engine(renderer=JinjaRenderer(), secret_key="key", registry=registry)


def test_a_page_may_name_the_element() -> None:
    assert engine.mount("box", component_id="mine").startswith('<div id="mine" ')


@pytest.mark.parametrize("id", ['"><b>', "1", "a b", "", "é"])
def test_an_id_that_is_none_raises(id: str) -> None:
    with pytest.raises(ConfigurationError, match="is no element id"):
        engine.mount("box", component_id=id)
