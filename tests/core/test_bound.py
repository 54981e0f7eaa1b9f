"""State fields that an input assigns, and all the others, which it does not."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import pytest
from msgspec import Meta

from component_framework import Bound, Component, FormComponent, ServerOnly
from component_framework.core.errors import BindingError, ConfigurationError
from component_framework.core.fitting import Form
from component_framework.testing import mount


class Search(Component):
    """Looks for what stands in its inputs."""

    template = """<div><input name="query" value="{{ query }}" {{ on("search", trigger="input changed delay:200ms") }}>
    <form {{ on("save", pages=2) }}><input name="since"><input name="label"></form><p>{{ found }}</p></div>"""
    query: Bound[Annotated[str, Meta(max_length=10)]] = ""
    since: Bound[date | None] = None
    pages: Bound[int] = 1
    found: str = ""
    owner: str = "Ada"

    def on_search(self) -> None:
        self.found = f"{self.query}, page {self.pages}"

    def on_save(self, label: str) -> None:
        self.found = f"{label} since {self.since}, page {self.pages}"


def dispatch(event: str, **fields: str) -> Any:
    return Search().dispatch(event, Form({name: [value] for name, value in fields.items()}))


def test_an_input_assigns_the_field_of_its_name_before_the_handler_runs() -> None:
    page = mount(Search).fill(query="pens").trigger("[name=query]", "input")
    assert page.text("p") == "pens, page 1"
    page.fill(since="2024-02-29", label="new").submit()
    assert page.text("p") == "new since 2024-02-29, page 2"


def test_a_bound_field_is_typed_and_all_errors_come_at_once() -> None:
    result = dispatch("save", query="much too long", since="soon", pages="two")
    assert result["errors"] == {
        "query": ["Must be at most 10 long."],
        "since": ["Enter a date."],
        "pages": ["Enter a whole number."],
        "label": ["This field is required."],
    }
    assert (result["state"]["query"], result["state"]["found"]) == ("", "")


def test_every_other_field_is_closed_to_the_browser() -> None:
    result = dispatch("search", query="pens", owner="Eve", found="x")
    unexpected = ["This field is not expected here."]
    assert result["errors"] == {"owner": unexpected, "found": unexpected}
    assert (result["state"]["owner"], result["state"]["query"]) == ("Ada", "")


def test_json_is_as_strict_for_bound_fields_as_for_arguments() -> None:
    assert Search().dispatch("search", {"pages": True})["errors"] == {"pages": ["Enter a whole number."]}
    assert Search().dispatch("search", {"pages": 3})["state"]["pages"] == 3


def test_an_argument_of_the_same_name_comes_first() -> None:
    class Both(Component):
        page: Bound[int] = 1

        def on_turn(self, page: int) -> None:
            self.page = page * 10

    assert Both().dispatch("turn", {"page": 2})["state"]["page"] == 20


def test_a_form_component_has_bound_fields_beside_its_form() -> None:
    class Noted(FormComponent):
        template = "<div>{{ form }}</div>"
        note: Bound[str] = ""
        name: str = ""

        def on_submit(self, title: str) -> None:
            self.name = title

    state = Noted().dispatch("submit", Form(title=["A"], note=["b"]))["state"]
    assert (state["name"], state["note"]) == ("A", "b")
    assert Noted().dispatch("validate", Form(title=["A"], note=["b"], _field=["title"]))["errors"] == {}


def test_an_argument_that_is_neither_is_found_at_the_first_render() -> None:
    class Wrong(Search):
        template = '<div><button {{ on("search", qery="x") }}>x</button></div>'

    with pytest.raises(BindingError, match="takes no 'qery'"):
        mount(Wrong)


def test_a_server_only_field_cannot_be_bound() -> None:
    class Leak(Component):
        key: Annotated[ServerOnly[str], Meta()] = ""
        secret: Bound[ServerOnly[str]] = ""

    with pytest.raises(ConfigurationError, match="secret cannot be Bound"):
        Leak()
