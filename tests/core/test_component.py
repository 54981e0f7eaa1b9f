"""The base class: state, its two spellings, and the ways to use a component without any server."""

from __future__ import annotations

from typing import Any

import pytest

from component_framework import Component, Context, Invalid, ModelMixin
from component_framework.core.component import Errors
from component_framework.core.effects import Emit
from component_framework.core.errors import ConfigurationError, StateError

from .served import Page, engine_of


class Counter(Component):
    template = "<p title='{errors}'>{count}</p>"
    count: int = 0
    tags: list[str] = []

    def on_add(self, by: int = 1) -> None:
        self.count += by

    def on_tag(self, tag: str) -> None:
        self.tags.append(tag)
        if not tag:
            raise Invalid({"tag": ["Empty."]})


def test_a_field_and_its_key_are_the_same_storage() -> None:
    counter = Counter()
    counter.state["count"] = 5
    assert counter.count == 5
    counter.count = 6
    assert counter.state["count"] == counter.state.count == 6


def test_any_other_key_is_free() -> None:
    counter = Counter()
    counter.state["note"] = None
    assert dict(counter.state) == {"count": 0, "tags": [], "note": None}
    assert "note" in counter.state
    assert not hasattr(counter, "note")
    del counter.state["note"]
    with pytest.raises(KeyError):
        counter.state["note"]
    with pytest.raises(AttributeError):
        counter.state.note
    assert len(counter.state) == 2
    assert repr(counter.state) == "{'count': 0, 'tags': []}"


def test_no_two_components_share_a_default() -> None:
    first, second = Counter(), Counter()
    first.tags.append("x")
    assert second.tags == Counter().tags == []


def test_dispatch_mounts_or_hydrates_and_gives_everything_that_came_of_it() -> None:
    result = Counter(count=40).dispatch("add", {"by": 2})
    assert dict(result) == {
        "html": result["html"], "state": {"count": 42, "tags": []}, "component_id": "counter", "errors": {}, "effects": (),
    }  # fmt: skip
    assert Counter(count=40).dispatch("add", {"by": 2}, {"count": 1})["state"]["count"] == 3
    assert Counter().dispatch()["state"] == Counter().dispatch(state={})["state"]


def test_a_value_that_the_handler_refuses_leaves_the_state_as_it_was() -> None:
    result = Counter(tags=["a"]).dispatch("tag", {"tag": ""})
    assert (result["state"]["tags"], result["errors"]) == (["a"], {"tag": ["Empty."]})


def test_what_a_handler_does_to_its_params_does_not_reach_a_fresh_render() -> None:
    tags = ["a"]
    counter = Counter(tags=tags)
    counter.dispatch("tag", {"tag": "b"})
    assert (tags, counter.params["tags"]) == (["a"], ["a"])


@pytest.mark.parametrize("params", [{"cuont": 1}, {"count": "1"}, {"count": None}, {"tags": "x"}])
def test_a_param_that_does_not_fit_is_told(params: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Counter(**params).dispatch()


@pytest.mark.parametrize("state", [{"count": "x"}, {"count": None}, {"tags": [1]}])
def test_a_state_that_does_not_fit_is_told(state: dict[str, Any]) -> None:
    with pytest.raises(StateError):
        Counter().dispatch(state=state)


def test_without_a_renderer_events_run_and_only_the_markup_is_missed() -> None:
    class Bare(Component):
        template_name = "bare.html"
        count: int = 0

        def on_add(self) -> None:
            self.count += 1

    result = Bare().dispatch("add")
    assert result["state"] == {"count": 1}
    with pytest.raises(ConfigurationError, match="there is no renderer"):
        result["html"]


def test_a_class_may_have_a_renderer_of_its_own() -> None:
    class Upper:
        def render(self, template_name: str, context: Any) -> str:
            return f"<p>{template_name.upper()}</p>"

    class Loud(Component):
        template_name = "loud"
        renderer = Upper()

    assert "LOUD</p>" in engine_of(Loud).mount("loud")
    assert "LOUD</p>" in Loud().dispatch()["html"]


class Spelled(Component):
    """The specification's own spelling of everything."""

    template = "<p>{state.count}{greeting}</p>"

    def mount(self) -> None:
        self.state["count"] = self.params.get("start", 0)

    def on_add(self, by: int = 1) -> None:
        self.state["count"] += by
        self.emit("added")

    def handle_event(self, event: str, payload: Any) -> Any:
        self.state["last"] = event
        return super().handle_event(event, payload)

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "greeting": "!"}


def test_the_specifications_spelling_works_as_it_is_written() -> None:
    page = Page(engine_of(Spelled), "spelled", start=5)
    page.send("add", by=2)
    assert ">7!</p>" in page.html
    result = Spelled(start=1).dispatch("add")
    assert (result["state"], result["effects"]) == ({"count": 2, "last": "add"}, (Emit("added", {}),))


def test_a_component_knows_who_asks() -> None:
    component = Counter()
    assert (component.user, component.request) == (None, None)
    component.context = Context(user="ada", request="r")
    assert (component.user, component.request) == ("ada", "r")


def test_a_template_may_ask_for_the_errors_of_any_field() -> None:
    errors = Errors({"by": ["No."]})
    assert (errors["by"], errors["other"], dict(errors)) == (["No."], [], {"by": ["No."]})
    with pytest.raises(KeyError):
        errors["items"]


def test_a_model_component_without_a_mapper_says_which_mixin_to_use() -> None:
    class Editor(ModelMixin, Component): ...

    for method in (Editor().get_instance, Editor().save_instance):
        with pytest.raises(
            ConfigurationError, match=r"Editor\.\w+_instance\(\) is not written. Use the mixin of your ORM"
        ):
            method()
