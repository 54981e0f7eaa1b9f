"""The test driver does what a browser with htmx would do, and refuses what a visitor could not do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from component_framework import Component, Engine, Limit, Registry, Upload, requires
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


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50


class Shelf(Component):
    template = """<form {{ on("put", trigger="submit") }}><input type="file" name="photos" multiple>
    <input type="file" name="cover"><input name="note"><button>Send</button>
    {% for field, texts in errors.items() %}<em>{{ field }}: {{ texts[0] }}</em>{% endfor %}
    {% for said in kept %}<p>{{ said }}</p>{% endfor %}</form>"""
    kept: list[str] = []

    def on_put(
        self,
        photos: list[Annotated[Upload, Limit("1 KB", {"image/png"}, count=2)]],
        note: str = "",
        cover: Upload | None = None,
    ) -> None:
        self.kept = [f"{photo.name} {photo.size}" for photo in photos] + [note] + ([cover.name] if cover else [])


def test_files_are_chosen_and_sent_with_their_form(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(PNG)
    page = mount(Shelf).fill(note="two")
    page.choose("[name=photos]", ("../a.png", PNG), tmp_path / "b.png").click("button")
    assert page.texts("p") == ["a.png 58", "b.png 58", "two"]
    page.choose("[name=cover]", ('a "cover".txt', b"hello")).submit()
    assert page.texts("p") == ["a.png 58", "b.png 58", "", 'a "cover".txt']


def test_a_file_that_does_not_fit_is_told_as_a_visitor_would_read_it() -> None:
    page = mount(Shelf)
    assert page.submit().text("em") == "photos: This field is required."
    page.choose("[name=photos]", ("a.png", b"<html>")).submit()
    assert (page.status, page.code) == (422, "invalid")
    assert page.text("em") == "photos: Files of this type are not accepted here."
    page.choose("[name=photos]", ("a.png", PNG * 100)).submit()
    assert (page.status, page.code) == (422, "invalid")
    assert page.text("em").startswith("photos: This file is larger than")


@pytest.mark.parametrize(
    ("selector", "files", "reason"),
    [
        ("[name=cover]", [("a", b""), ("b", b"")], "takes one file"),
        ("[name=note]", [("a", b"")], "no file input"),
    ],
)
def test_what_cannot_be_chosen_is_an_error(selector: str, files: list[tuple[str, bytes]], reason: str) -> None:
    with pytest.raises(DeadBinding, match=reason):
        mount(Shelf).choose(selector, *files)


def test_a_form_that_sends_no_files_is_a_dead_binding() -> None:
    class Forgetful(Component):
        template = """<form {{ on("save") }}><input type="file" name="photo"><button>Save</button></form>"""

        def on_save(self, **fields: Any) -> None: ...

    with pytest.raises(DeadBinding, match="takes no Upload"):
        mount(Forgetful).choose("input", ("a.png", PNG)).click("button")


class Fragile(Component):
    template = """<div><button {{ on("fail") }}>{{ step }}</button><i {{ on("refuse", trigger="click") }}></i>
    <b {{ on("stream", trigger="click") }}></b></div>"""
    step: int = 0

    def on_fail(self) -> None:
        self.step = 9
        raise ZeroDivisionError("the test should see this")

    def on_stream(self) -> Iterator[None]:
        self.step = 1
        yield
        raise ZeroDivisionError("and this")

    @requires("authenticated")
    def on_refuse(self) -> None: ...


@pytest.mark.parametrize("selector", ["button", "b"])
def test_a_bug_in_a_handler_is_raised_in_the_test(selector: str) -> None:
    with pytest.raises(ZeroDivisionError, match="this"):
        mount(Fragile).click(selector)


def test_what_a_visitor_sees_of_a_bug_can_be_looked_at() -> None:
    page = mount(Fragile, raises=False).click("button")
    assert (page.status, page.code) == (500, "failed")
    assert page.text("button") == "0"
    assert page.events[0][0] == "component:error"
    assert page.events[0][1]["code"] == "failed"


def test_a_refused_event_leaves_the_page_and_says_why() -> None:
    page = mount(Fragile).click("i")
    assert (page.status, page.code) == (401, "unauthenticated")
    assert page.has("button", text="0")


class Waiting(Component):
    template = """<div><p>{{ name }}</p><button {{ on("ask") }}>ask</button></div>"""
    name: str = ""

    async def mount(self, name: str = "") -> None:
        await asyncio.sleep(0)
        self.name = name

    async def on_ask(self) -> None:
        await asyncio.sleep(0)
        self.name += "!"


def test_a_component_that_waits_is_mounted_and_clicked() -> None:
    assert mount(Waiting, name="Ada").click("button").text("p") == "Ada!"


async def test_a_test_may_run_on_an_event_loop_itself() -> None:
    assert mount(Waiting, name="Ada").click("button").text("p") == "Ada!"


def test_effects_are_there_to_look_at() -> None:
    class Away(Component):
        template = """<div><button {{ on("go") }}>go</button><a {{ on("say") }}>say</a></div>"""

        def on_go(self) -> None:
            self.redirect("/orders")

        def on_say(self) -> None:
            self.emit("said", text="one")
            self.emit("said", text="two")

    page = mount(Away)
    assert page.click("button").location == "/orders"
    page.click("a")
    assert page.location is None
    assert page.events == [("said", {"text": "one"}), ("said", {"text": "two"})]


def test_two_children_of_one_class_are_told_apart_by_their_ids() -> None:
    registry = Registry()

    @registry.register("row")
    class Row(Component):
        template = """<li><input name="amount" value="{{ amount }}"><button {{ on("add") }}>+</button>
        <output>{{ amount }}</output></li>"""
        amount: int = 0

        def mount(self, amount: int) -> None:
            self.amount = amount

        def on_add(self) -> None:
            self.amount += 1

    @registry.register("list")
    class List(Component):
        template = """<ul>{% for n in (1, 2) %}{{ live_component("row", amount=n) }}{% endfor %}
        <button id="again" {{ on("again") }}>{{ times }}</button></ul>"""
        times: int = 0

        def on_again(self) -> None:
            self.times += 1

    page = mount("list", engine=Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry))
    page.click("li:nth-of-type(2) button").click("li:nth-of-type(2) button").click("#again")
    assert page.texts("output") == ["1", "4"]
    assert page.text("#again") == "1"


def test_a_visitor_and_a_session_are_given_to_the_page() -> None:
    class Who(Component):
        template = "<div><p>{{ who }} {{ cart }}</p></div>"
        who: str = ""
        cart: list[str] = []

        def mount(self) -> None:
            self.who = str(self.context.user)
            self.cart = self.context.session["cart"]

    assert mount(Who, user="ada", session={"cart": ["tea"]}).text("p") == "ada ['tea']"


def test_a_comment_before_the_root_is_no_part_of_it() -> None:
    class Commented(Counter):
        template = "<!-- counts <b>up</b> -->\n" + str(Counter.template)

    assert mount(Commented).click("button", text="Add").text("output") == "1"
