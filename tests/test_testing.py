"""The test driver does what a browser with htmx would do, and refuses what a visitor could not do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from component_framework import Component, Engine, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.testing import DeadBinding, mount


class Counter(Component):
    template = """<div><button {{ on("add") }}>Add</button><button disabled {{ on("add") }}>Never</button>
    <button type="button">Dead</button><output>{{ count }}</output></div>"""
    count: int = 0

    def on_add(self, by: int = 1) -> None:
        self.count += by
        self.emit("added", by=by)


class Signup(Component):
    template = """<form {{ on("join") }}><input name="email"><input type="checkbox" name="terms">
    <select name="plan"><option>free</option><option value="pro">Pro</option></select><textarea name="note"></textarea>
    {% for field, texts in errors.items() %}<em>{{ field }}: {{ texts[0] }}</em>{% endfor %}
    <button>Join</button><p>{{ joined }}</p></form>"""
    joined: str = ""

    def on_join(self, email: str, age: int = 18, terms: bool = False, plan: str = "", note: str = "") -> None:
        self.joined = f"{email} {terms} {plan} {note}"


class Slow(Component):
    template = """<div><button {{ on("go") }}>go</button><b>{{ step }}</b></div>"""
    step: int = 0

    async def on_go(self) -> AsyncIterator[None]:
        for self.step in (1, 2):
            yield


def test_a_click_makes_a_full_round_trip_through_the_token() -> None:
    page = mount(Counter, count=40)
    page.click("button", text="Add").click("button", text="Add")
    assert page.text("output") == "42"
    assert page.events == [("added", {"by": 1})]


def test_a_template_may_begin_with_a_comment() -> None:
    class Commented(Counter):
        template = f"<!-- {Counter.__name__} <p> -->\n<!-- another -->{Counter.template}"

    page = mount(Commented)
    assert page.click("button", text="Add").click("button", text="Add").text("output") == "2"


def test_an_event_may_be_sent_past_the_markup_with_typed_values() -> None:
    assert mount(Counter).send("add", by=2).text("output") == "2"
    assert mount(Counter).send("add", by="2").status == 422


def test_a_form_sends_what_a_browser_would_send() -> None:
    page = mount(Signup).fill(email="ada@example.org", plan="pro", note="<hello>").check("[name=terms]").submit()
    assert page.text("p") == "ada@example.org True pro <hello>"


def test_a_submit_button_submits_its_form() -> None:
    assert mount(Signup).fill(email="a").click("button").text("p") == "a False free"


@pytest.mark.parametrize(
    ("selector", "text", "reason"),
    [
        ("button", "Dead", "does nothing"),
        ("button", "Never", "disabled"),
        ("button", "Gone", "nothing fits"),
        ("button", None, "3 elements"),
    ],
)
def test_what_a_visitor_cannot_click_is_an_error_that_says_why(selector: str, text: str | None, reason: str) -> None:
    with pytest.raises(DeadBinding, match=reason):
        mount(Counter).click(selector, text=text)


def test_a_value_that_is_no_option_cannot_be_chosen() -> None:
    with pytest.raises(DeadBinding, match="none of the options"):
        mount(Signup).fill(plan="gold")


def test_an_async_stream_is_read_frame_by_frame() -> None:
    page = mount(Slow).click("button")
    assert len(page.frames) == 3
    assert page.text("b") == "2"


def test_a_child_keeps_its_state_and_is_heard_by_its_parent() -> None:
    registry = Registry()

    @registry.register("child")
    class Child(Component):
        template = """<tr><td><input name="typed"><button {{ on("tell") }}>{{ told }}</button></td></tr>"""
        told: int = 0

        def on_tell(self) -> None:
            self.told += 1
            self.emit("told", what=f"child {self.told}")

    @registry.register("parent")
    class Parent(Component):
        template = """<section><h2 {{ on("told", trigger="told from:'closest section'") }}>{{ heard }}</h2>
        <table>{{ live_component("child") }}</table></section>"""
        heard: str = ""

        def on_told(self, what: str) -> None:
            self.heard = what

    engine = Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry)
    page = mount("parent", engine=engine).fill(typed="half")
    page.click("tr button").click("tr button")
    assert page.text("h2") == "child 2"
    assert page.text("tr button") == "2"
