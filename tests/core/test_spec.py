"""What a class declares: which methods are events, what is state, and mistakes that are told when the class is registered."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import typing
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import msgspec
import pytest

from component_framework import Component, NotFound, Registry
from component_framework.core.binding import bind
from component_framework.core.errors import BindingError, ConfigurationError
from component_framework.core.spec import Spec, spec_of


class Mixin:
    def on_mixed(self) -> None: ...


class Early(Component):
    def on_early(self) -> None: ...

    def on_replaced(self) -> None: ...


class Sheet(Mixin, Early):
    on_number = 5
    on_replaced = None  # type: ignore[assignment]  # taken back on purpose

    def on_save(self) -> None: ...

    def on_save_all(self) -> None: ...

    def _on_private(self) -> None: ...

    def on__private(self) -> None: ...

    def on_(self) -> None: ...

    def on_Upper(self) -> None: ...

    def on___class__(self) -> None: ...

    def helper(self) -> None: ...

    @property
    def on_property(self) -> int:
        return 1

    @staticmethod
    def on_static() -> None: ...

    @classmethod
    def on_class(cls) -> None: ...

    class on_nested:
        def __call__(self) -> None: ...


def test_events_are_the_plain_methods_of_component_classes() -> None:
    assert set(spec_of(Sheet).handlers) == {"early", "save", "save_all"}


@pytest.mark.parametrize(
    "event",
    [
        "mixed", "replaced", "number", "_on_private", "_private", "private", "", "Upper", "upper", "__class__", "property", "static", "class", "nested",
        "helper", "on_save", "mount", "hydrate", "dehydrate", "authorize", "handle_event", "get_context", "render", "dispatch", "async_dispatch",
        "migrate", "unit_of_work", "emit", "push_url", "replace_url", "redirect", "update", "state", "request", "user", "_fields", "__init__", "__dict__",
        "save ", " save", "save\n", "SAVE", "save()", "save.__call__", "ѕave",
    ],
)  # fmt: skip
def test_nothing_else_can_be_called(event: str) -> None:
    with pytest.raises(NotFound):
        Sheet().dispatch(event)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("mixed", r"Mixin, which has on_mixed, is no Component"), ("static", r"Sheet.on_static is no plain method"),
        ("property", r"no plain method"), ("nested", r"no plain method"), ("savve", r"did you mean 'save'\?"), ("mount", r"there is early, save, save_all"),
    ],
)  # fmt: skip
def test_binding_what_is_no_event_says_why(event: str, reason: str) -> None:
    with pytest.raises(BindingError, match=reason):
        bind(spec_of(Sheet), "/components/sheet", event, None, {})


def declare(body: dict[str, Any], annotations: dict[str, Any] | None = None) -> Spec:
    return spec_of(type("Sheet", (Component,), {**body, "__annotations__": annotations or {}, "__module__": __name__}))


@pytest.mark.parametrize(
    "name",
    ["state", "user", "request", "id", "params", "errors", "context", "emit", "update", "render", "mount", "dispatch",
     "on", "live_component", "component_fields", "component_scripts", "component"],
)  # fmt: skip
def test_a_field_cannot_have_a_name_of_the_frameworks(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Sheet.{name}: .* Rename the field"):
        declare({}, {name: int})


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (int, "x"), (int, None), (str, None), (int, True), (list[int], ["x"]), (list[int], None), (Annotated[str, msgspec.Meta(min_length=1)], ""),
        (dict[str, int], {"a": "b"}), (list[int], msgspec.field(default_factory=list)), (int, object()), (int, lambda: 1),
    ],
)  # fmt: skip
def test_a_default_that_does_not_fit_its_annotation_is_told_at_once(kind: Any, default: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Sheet\.value = .* does not fit its annotation"):
        declare({"value": default}, {"value": kind})


@pytest.mark.parametrize("name", ["event", "trigger", "_id", "_state", "_event_id", "_any", "csrfmiddlewaretoken"])
def test_a_parameter_that_no_form_can_send_is_told_at_once(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def on_save(self, {name}=1): ...", namespace)
    with pytest.raises(ConfigurationError, match=f"no form can send '{name}'.* Rename the parameter"):
        declare({"on_save": namespace["on_save"]})


@pytest.mark.parametrize("name", ["component_id", "context"])
def test_a_param_that_mounting_takes_itself_is_told_at_once(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def mount(self, {name}=1): ...", namespace)
    with pytest.raises(ConfigurationError, match=f"mount\\(\\) cannot have a parameter '{name}'"):
        declare({"mount": namespace["mount"]})


def generator(self: Any) -> Any:
    yield


async def coroutine(self: Any) -> Any: ...


@pytest.mark.parametrize(
    "name", ["mount", "hydrate", "authorize", "get_context", "render", "dehydrate", "migrate", "unit_of_work"]
)
def test_a_hook_with_a_yield_in_it_would_never_run_and_is_told_at_once(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"Sheet\.{name}\(\) cannot be a generator"):
        declare({name: generator})


@pytest.mark.parametrize("name", ["dehydrate", "migrate", "unit_of_work"])
def test_a_hook_that_nobody_would_await_is_told_at_once(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"Sheet\.{name}\(\) cannot be async"):
        declare({name: coroutine})


def test_public_params_have_to_exist() -> None:
    with pytest.raises(ConfigurationError, match="public_params lists pk, which mount"):
        declare({"public_params": ("pk",)})


@pytest.mark.parametrize(
    ("kind", "is_async", "streams"),
    [("def", False, False), ("async def", True, False), ("def-yield", False, True), ("async def-yield", True, True)],
)
def test_how_a_handler_runs_is_known_before_it_does(kind: str, is_async: bool, streams: bool) -> None:
    namespace: dict[str, Any] = {}
    keyword, _, step = kind.partition("-")
    exec(f"{keyword} on_save(self):\n    {step or 'pass'}", namespace)
    spec = declare({"on_save": namespace["on_save"]})
    assert (spec.is_async, spec.handlers["save"].streams) == (is_async, streams)


class Point(msgspec.Struct):
    x: int


class Wider(msgspec.Struct):
    x: int
    y: int = 0


class Validator:
    """Its repr holds an address, as that of any object does."""


def test_the_schema_changes_with_every_name_and_type_and_with_nothing_else() -> None:
    kinds = [
        int,
        str,
        int | None,
        list[int],
        Point,
        list[Point],
        Wider,
        Annotated[int, msgspec.Meta(ge=1)],
        Annotated[int, msgspec.Meta(ge=2)],
    ]
    schemas = [declare({}, {"value": kind}).schema for kind in kinds] + [declare({}, {"other": int}).schema]
    assert len(set(schemas)) == len(schemas)
    assert (
        declare({"value": 1, "on_save": lambda self: None}, {"value": int}).schema == declare({}, {"value": int}).schema
    )
    assert (
        declare({}, {"value": Annotated[int, Validator()]}).schema
        == declare({}, {"value": Annotated[int, Validator()]}).schema
    )


def test_the_schema_changes_with_the_fields_of_every_kind_of_class() -> None:
    """A field that was renamed, with a default, would be read from an old state as its default: a value misread."""
    named: Any = typing.NamedTuple
    makers: list[Any] = [
        lambda fields: dataclasses.make_dataclass("Same", [(name, int, 0) for name in fields]),
        lambda fields: typing.TypedDict("Same", dict.fromkeys(fields, int), total=False),  # type: ignore[operator]
        lambda fields: named("Same", [(name, int) for name in fields]),
        lambda fields: msgspec.defstruct("Same", [(name, int, 0) for name in fields]),
    ]
    for make in makers:
        schemas = {declare({}, {"value": list[make(fields)]}).schema for fields in (("x", "y"), ("y", "x"), ("x", "z"))}  # type: ignore[misc]
        assert len(schemas) == 3


def test_every_worker_computes_the_same_schema() -> None:
    script = (
        "import enum, typing; from component_framework import Component\n"
        "class Color(enum.Enum): RED = 1\n"
        "class A(Component):\n    a: typing.Annotated[int, object()] = 1\n    b: typing.Literal['x', 'y'] = 'x'\n    c: Color | None = None\n"
        "    d: set[str] = set()\n"
        "print(A()._compiled.schema)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


class Base(Component):
    count: int = 0
    setting: ClassVar[int] = 5
    _private: int = 1


class Derived(Base):
    count: str = "0"  # type: ignore[assignment]  # a subclass may say otherwise
    name: str = ""


def test_state_is_what_is_annotated_in_component_classes_the_nearest_first() -> None:
    assert Derived().dispatch()["state"] == {"count": "0", "name": ""}
    assert Base().dispatch()["state"] == {"count": 0}


def test_a_class_is_compiled_once_and_a_subclass_by_itself() -> None:
    assert spec_of(Base) is spec_of(Base) is not spec_of(Derived)


def test_a_mistake_is_told_when_the_class_is_registered() -> None:
    registry = Registry()
    with pytest.raises(ConfigurationError, match="does not fit its annotation"):

        @registry.register("broken")
        class Broken(Component):
            count: int = None  # type: ignore[assignment]  # the mistake

    assert not registry


CALLS: list[Callable[..., Any]] = [len, print, Sheet.on_save, lambda: None]


@pytest.mark.parametrize("thing", CALLS)
def test_only_the_name_of_an_event_can_be_bound(thing: Any) -> None:
    with pytest.raises(BindingError, match="takes the name of an event"):
        bind(spec_of(Sheet), "/components/sheet", thing, None, {})


@pytest.mark.parametrize(
    ("name", "kind", "value"), [("topics", list[str], []), ("shared", bool, False), ("replay", str, "allow")]
)
def test_a_field_of_the_state_cannot_have_the_name_of_a_setting(name: str, kind: Any, value: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"Post\.{name} is annotated .*but {name} is a setting.*rename the field"
    ):
        spec_of(type("Post", (Component,), {"__annotations__": {name: kind}, "__module__": __name__, name: value}))
