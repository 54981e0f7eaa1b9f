"""What a newcomer writes, and the message that says what to write instead, before any visitor comes."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any, ClassVar, Final

import msgspec
import pytest

from component_framework import Component, Engine, Registry, limit_rate, requires
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import ConfigurationError
from component_framework.core.spec import spec_of


class Node(msgspec.Struct):
    inner: list[Node] = []


class Order:
    """As a row of a database is: nothing that JSON could say."""


class Circle(msgspec.Struct):
    radius: int = 0


class Square(msgspec.Struct):
    side: int = 0


def declare(annotations: dict[str, Any] | None = None, **body: Any) -> type[Component]:
    cls = type("Sheet", (Component,), {"__annotations__": annotations or {}, "__module__": __name__, **body})
    spec_of(cls)
    return cls


def no_self() -> None: ...


def takes(kind: Any) -> Callable[..., None]:
    def handler(self: Component, value: Any) -> None: ...

    handler.__annotations__["value"] = kind
    return handler


def without_params(self: Component) -> None: ...


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: declare(items=[]), r"Sheet\.items has no annotation.*all visitors share it.*items: list = "),
        (lambda: declare({"_cache": dict}, _cache={}), r"Sheet\._cache has a private name.*ClassVar\[dict\]"),
        (lambda: declare({"order": Order}), r"Sheet\.order cannot be state: no JSON is a Order\. Keep its id.*Provided"),
        (lambda: declare({"orders": list[Order]}), r"Sheet\.orders cannot be state"),
        (lambda: declare({"shape": Circle | Square | None}), r"Sheet\.shape cannot be state: .*tagged"),
        (lambda: declare({"day": datetime.date | str}), r"Sheet\.day cannot be state"),
        (lambda: declare({"count": int}, count=None), r"Sheet\.count = None does not fit .*count: … \| None = None"),
        (lambda: declare({"items": list}, items=list), r"Sheet\.items = .*Write the value itself, such as \[\]"),
        (lambda: declare({"items": list}, items=dataclasses.field(default_factory=list)), "Write the value itself"),
        (lambda: spec_of(dataclasses.dataclass(type("D", (Component,), {"__annotations__": {"x": int}, "x": 1}))), "Take @dataclass away"),
        (lambda: declare(__init__=without_params), r"Take __init__\(\) away, and fill its state in mount\(\)"),
        (lambda: declare(on_save=no_self), r"has no self\. Write def no_self\(self\)"),
        (lambda: declare(mount=no_self), "has no self"),
        (lambda: declare(on_save=takes(datetime.date | str)), r"Sheet\.on_save: value cannot be filled from a payload"),
        (lambda: declare(mount=takes(datetime.date | str)), r"Sheet\.mount: value cannot be filled"),
        (lambda: declare(on_save=takes(Node)), r"Node has rows of Node, which no form can show"),
        (lambda: declare(permissions="authenticated"), r"Write a tuple: permissions = \('authenticated',\)"),
        (lambda: declare(permissions=(5,)), r"Sheet\.permissions has 5"),
        (lambda: declare(public_params="pk"), "Write a tuple: public_params"),
        (lambda: declare(topics="orders"), "Write a tuple: topics"),
        (lambda: declare(lives_in="redis"), r"Sheet\.lives_in is 'redis'\. Write 'token' or 'store' or None"),
        (lambda: declare(replay="deny"), r"Sheet\.replay is 'deny'\. Write 'allow' or 'refuse'"),
        (lambda: declare(rate_limit="often"), r"Sheet\.rate_limit is 'often'.*10/minute"),
        (lambda: limit_rate("often"), "@limit_rate is 'often'"),
        (lambda: requires(), "@requires says what a handler needs"),
        (lambda: requires("orders.change")(declare()), r"In the class Sheet write permissions = \('orders\.change',\)"),
        (lambda: requires(5), "@requires has 5"),  # type: ignore[arg-type]
        (lambda: Registry().register(declare()), r'Write a name: @register\("sheet"\)'),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_declaration_that_would_go_wrong_later_is_refused_with_the_fix(make: Callable[[], Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        make()


def test_requires_without_its_parentheses_does_not_leave_a_handler_open() -> None:
    def on_delete(self: Component) -> None: ...

    with pytest.raises(ConfigurationError, match=r'@requires\("orders\.change_order"\)'):
        requires(on_delete)  # type: ignore[arg-type]


def test_what_says_that_it_is_a_constant_is_no_state() -> None:
    class Pages(Component):
        template = "<p></p>"
        SIZES = [10, 20]  # as a newcomer writes it
        sizes: ClassVar[list[int]] = [10]
        most: Final = 5
        least: Final[int] = 1
        page: int = 1

    assert Pages().dispatch()["state"] == {"page": 1}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"renderer": JinjaRenderer}, "An Engine needs a renderer"),
        ({"renderer": "templates"}, r'Engine\(renderer=JinjaRenderer\("templates"\)\)'),
        ({"state": "stored"}, r'"token" or in "store"'),
        ({"state": "store"}, r'state="store" needs a store'),
        ({"store": {}}, "is no StateStore"),
        ({"trusted_origins": "https://example.org"}, "trusted_origins is a str"),
        ({"trusted_origins": ["example.org"]}, "An origin is a scheme and a host"),
        ({"trusted_proxies": "10.0.0.0/8"}, "trusted_proxies is a str"),
        ({"trusted_proxies": ["nginx"]}, "trusted_proxies: 'nginx'"),
    ],
)
def test_an_engine_that_would_go_wrong_later_is_refused_with_the_fix(options: dict[str, Any], says: str) -> None:
    arguments: dict[str, Any] = {"renderer": JinjaRenderer(), "secret_key": "k"} | options
    with pytest.raises(ConfigurationError, match=says):
        Engine(**arguments)


def test_a_context_that_is_none_is_told() -> None:
    class Bare(Component):
        template = "<p></p>"

        def get_context(self) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Bare\.get_context\(\) gave None"):
        Bare().dispatch()


def test_a_state_that_does_not_fit_is_told_in_a_unit_test_as_on_a_page() -> None:
    class Tally(Component):
        template = "<p></p>"
        count: int = 0

        def on_add(self) -> None:
            self.count = "one"  # type: ignore[assignment]

    with pytest.raises(ConfigurationError, match=r"Tally\.count does not fit its annotation"):
        Tally().dispatch("add")


def test_what_asks_for_the_event_loop_where_there_is_none_is_told_how_to_be_called() -> None:
    import asyncio

    class Patient(Component):
        template = "<p></p>"

        async def on_wait(self) -> None:
            await asyncio.sleep(0.01)

    with pytest.raises(ConfigurationError, match="async_dispatch"):
        Patient().dispatch("wait")


def test_a_param_of_the_wrong_type_is_not_taken_for_a_misspelt_one() -> None:
    names = Registry()

    @names.register("tally")
    class Tally(Component):
        template = "<p></p>"
        count: int = 0

    served = Engine(renderer=JinjaRenderer(), secret_key="k", registry=names)
    with pytest.raises(ConfigurationError, match=r"Enter a whole number\.$"):
        served.mount("tally", count="three")
    with pytest.raises(ConfigurationError, match="did you mean 'count'"):
        served.mount("tally", cuont=3)
