"""From a template to the page: the stamp on the root element, the bindings, and the children."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework import Component
from component_framework.core.binding import bind
from component_framework.core.errors import BindingError, ConfigurationError, PayloadError
from component_framework.core.spec import spec_of

from .served import Page, attribute, engine_of, text

OWN = (
    "id",
    "data-component",
    "data-state",
    "data-version",
    "hx-target:inherited",
    "hx-swap:inherited",
    "hx-sync:inherited",
    "hx-status:5xx:inherited",
)
texts = st.text(st.characters(exclude_categories=["Cs"]))


class Raw(Component):
    """Shows whatever markup it was given."""

    markup: str = "<div></div>"

    def render(self) -> str:
        return self.markup

    def on_save(self, row: int = 0, **more: Any) -> None: ...


engine = engine_of(Raw)


def stamped(markup: str) -> str:
    return str(engine.mount("raw", markup=markup))


class Roots(HTMLParser):
    """The attributes of the first element, doubled ones doubled."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.first: list[tuple[str, str | None]] | None = None
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.first = self.first if self.first is not None else attrs


def attributes(markup: str) -> dict[str, str | None]:
    """The attributes of the root, which must not be doubled."""
    found = Roots(markup).first
    assert found is not None
    assert len(dict(found)) == len(found)
    return dict(found)


# -- the stamp -----------------------------------------------------------------------------------------------------

MARKUPS = [
    "<div></div>", "<DIV></DIV>", "\n  <div>x</div>\n", "<!-- a --><!-- <p> --> <div></div>", "<tr><td>1</td></tr>", "<my-element></my-element>",
    '<div\n  class="a > b"\n  title=\'"\'>x</div>', "<div hidden data-x=1 >x</div>", '<div x-on:click.prevent="a=1" @y="b" :z="c">x</div>', "<br>", "<hr />",
    '<input value="a>b">', "<input disabled/>", '<div data-note="</div><p>">x</div>', "<div><div></div></div>", "<h1>x</h1>",
    "<option selected=selected>x</option>", "<div class = 'a' >x</div>",
]  # fmt: skip


@pytest.mark.parametrize("markup", MARKUPS)
def test_the_root_gets_what_the_framework_needs_and_keeps_what_it_has(markup: str) -> None:
    found = attributes(stamped(markup))
    assert set(OWN) <= found.keys()
    before = Roots(markup).first
    assert before is not None
    assert dict(before).items() <= found.items()


@pytest.mark.parametrize("markup", MARKUPS)
def test_everything_but_the_root_stays_as_it_was(markup: str) -> None:
    bare = re.sub(r'\s(?:id|data-(?:component|state|version)|hx-[\w:]+)="[^"]*"', "", stamped(markup))
    assert bare == markup.strip()


QUOTES = ["{}='x'", '{}="x"', "{}=x", "{} = 'x'", '{}\n=\n"x"', "{}"]


@pytest.mark.parametrize("name", OWN[1:])
@pytest.mark.parametrize("written", QUOTES)
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_an_attribute_that_the_template_brings_is_neither_doubled_nor_overwritten(
    name: str, written: str, case: Any
) -> None:
    markup = f"<div {written.format(case(name))} class=y>z</div>"
    assert attributes(stamped(markup))[name] == ("x" if "x" in written else None)


@pytest.mark.parametrize(
    "written", ['id="mine"', "id='mine'", "id=mine", "ID = mine", 'class="id" id="mine"', 'data-id="other" id="mine"']
)
def test_a_root_that_brings_its_id_keeps_it(written: str) -> None:
    page = Page(engine, "raw", markup=f"<div {written}></div>")
    assert attributes(page.html)["id"] == "mine"
    page.html = re.sub(written, 'id="mine"', page.html)
    assert engine.answer_sync(page.request("save", {}, x_component_id="mine")).status == 200
    assert engine.answer_sync(page.request("save", {}, x_component_id="other")).status == 400


@pytest.mark.parametrize("own", ["", "1", "a b", "{x}", "&quot;&gt;", "é"])
def test_an_id_that_is_none_is_the_developers_mistake(own: str) -> None:
    with pytest.raises(ConfigurationError, match="has the id"):
        stamped(f'<div id="{own}"></div>')


@pytest.mark.parametrize(
    "markup",
    ["", " ", "text", "text<div></div>", "<div></div>text", "<div></div><p></p>", "<div></div><div></div>", "<!-- only -->", "<div", "<>x</>", "<div></p>", "<br><br>"],
)  # fmt: skip
def test_anything_but_one_root_element_is_the_developers_mistake(markup: str) -> None:
    with pytest.raises(ConfigurationError, match="one root element"):
        engine_of(Raw).mount("raw", markup=markup)


def test_many_comments_before_something_else_take_no_time() -> None:
    with pytest.raises(ConfigurationError, match="one root element"):
        stamped("<!-- a -->" * 2_000 + "text")


class Shown(Component):
    template = '<p title="{text}">{text}</p>'
    text: str = ""


shown = engine_of(Shown)


@given(texts)
def test_text_stays_text_and_the_stamp_is_not_disturbed(value: str) -> None:
    markup = str(shown.mount("shown", text=value))
    found = attributes(markup)
    assert found.keys() == {"title", *OWN}
    assert html.unescape(str(found["title"])) == html.unescape(html.escape(value))
    assert markup.count("data-state=") == 1 or "data-state=" in value


def test_a_template_of_which_the_beginning_changes_is_read_again() -> None:
    assert attributes(stamped("<div class=a></div>"))["class"] == "a"
    assert attributes(stamped("<div id=own></div>"))["id"] == "own"
    assert attributes(stamped("<div></div>"))["id"] != "own"
    assert "data-version" in attributes(stamped("<section></section>"))


# -- bindings ------------------------------------------------------------------------------------------------------


@given(
    st.dictionaries(
        texts.filter(lambda name: name not in ("trigger", "event")),
        texts | st.integers(-9, 9) | st.lists(texts),
        max_size=3,
    ),
    texts,
)
def test_a_binding_cannot_be_broken_out_of(args: dict[str, Any], trigger: str) -> None:
    found = attributes(f"<a {bind(spec_of(Raw), '/components/raw', 'save', trigger, args)}>")
    assert found.keys() <= {"hx-post", "hx-vals", "hx-trigger"}
    sent = json.loads(found.get("hx-vals") or "{}")
    assert {name: json.loads(value) if isinstance(args[name], list) else value for name, value in sent.items()} == args


@pytest.mark.parametrize("value", [float("nan"), {1: "x"}.keys(), "\ud800"])
def test_an_argument_that_cannot_be_sent_is_told_while_rendering(value: Any) -> None:
    with pytest.raises((PayloadError, TypeError, UnicodeEncodeError)):
        bind(spec_of(Raw), "/components/raw", "save", None, {"row": value})


def test_an_argument_that_the_handler_does_not_take_is_told_while_rendering() -> None:
    class Strict(Component):
        def on_save(self, row: int) -> None: ...

    with pytest.raises(BindingError, match=r"Strict\.on_save takes no 'rwo' \(did you mean 'row'\?\)"):
        bind(spec_of(Strict), "/components/strict", "save", None, {"rwo": 1})


# -- what a template cannot lose -----------------------------------------------------------------------------------


class Shadowing(Component):
    template = "<div {on('save')}></div>"

    def mount(self) -> None:
        self.state["on"] = "free"
        self.state["component"] = "free"

    def on_save(self) -> None: ...


def test_a_free_key_of_the_state_does_not_hide_a_template_function() -> None:
    assert 'hx-post="/components/shadowing?event=save"' in engine_of(Shadowing).mount("shadowing")


# -- children ------------------------------------------------------------------------------------------------------


class Child(Component):
    template = "<li>{label}:{count}</li>"
    label: str = ""
    count: int = 0

    def on_add(self) -> None:
        self.count += 1
        self.emit("added", label=self.label)


class Leaf(Component):
    template = "<b>leaf</b>"


class Branch(Component):
    template = "<div>{live_component('leaf')}</div>"


class Parent(Component):
    template = "<ul>{rows()}{component.id}</ul>"
    labels: list[str] = ["a", "b"]
    keyed: bool = True
    shown: bool = True

    def get_context(self) -> dict[str, Any]:
        def rows() -> str:
            functions = self._functions
            assert functions is not None
            made = [
                functions.live_component("child", label=label, key=label if self.keyed else None)
                for label in self.labels
            ]
            return type(made[0])("".join(made)) if made and self.shown else ""

        return {**super().get_context(), "rows": rows}

    def on_set(self, labels: list[str], shown: bool = True) -> None:
        self.labels = labels
        self.shown = shown


family = engine_of(Child, Parent, Leaf, Branch)


def children(markup: str) -> dict[str, bool]:
    """The ids of the children in `markup`: True for a new one, False for the stub of one that is there already."""
    return {attribute(f" {tag}", "id"): "hx-preserve" not in tag for tag in re.findall(r"<li [^>]*>", markup)}


def test_a_child_that_is_on_the_page_stays_and_one_that_came_back_begins_anew() -> None:
    page = Page(family, "parent")
    a, b, c = (f"{page.id}-{label}" for label in "abc")
    assert children(page.html) == {a: True, b: True}
    page.send("set", labels=["b", "c"])
    assert children(page.html) == {b: False, c: True}
    page.send("set", labels=["a", "b", "c"])
    assert children(page.html) == {a: True, b: False, c: False}


def test_a_child_that_was_asked_for_but_not_shown_is_new_when_it_is_shown() -> None:
    page = Page(family, "parent", shown=False)
    assert children(page.html) == {}
    page.send("set", labels="a", shown="true")
    assert children(page.html) == {f"{page.id}-a": True}


def test_the_same_keys_and_the_same_params_make_numbered_ids() -> None:
    page = Page(family, "parent", labels=["x", "x", "x"])
    assert list(children(page.html)) == [f"{page.id}-x", f"{page.id}-x-2", f"{page.id}-x-3"]
    page = Page(family, "parent", labels=["x", "y", "x"], keyed=False)
    first, other, second = children(page.html)
    assert second == f"{first}-2" != f"{other}-2"


@given(st.lists(texts, min_size=1, max_size=3))
def test_no_key_is_markup(labels: list[str]) -> None:
    page = Page(family, "parent", labels=labels)
    assert all(re.fullmatch(r"[A-Za-z][\w:.-]*", id) for id in children(page.html))
    assert len(children(page.html)) == len(labels)


def test_a_child_is_sent_its_own_events_and_its_events_bubble_from_its_root() -> None:
    page = Page(family, "parent", labels=["a"])
    child = Page(family, "child")
    child.html = page.html[page.html.index("<li") :]
    reply = child.send("add")
    assert "a:1" in child.html
    assert json.loads(reply.headers["HX-Trigger"]) == {"added": {"label": "a"}}


def test_a_child_may_have_children() -> None:
    class Root(Component):
        template = "<main>{live_component('branch')}</main>"

    markup = engine_of(Leaf, Branch, Root, new_id=lambda: "r").mount("root")
    assert [attribute(f" {tag}", "id") for tag in re.findall(r"<(?:main|div|b) [^>]*>", markup)] == [
        "r",
        "r-branch",
        "r-branch-leaf",
    ]
    assert "component-slot" not in markup


def test_a_fresh_render_after_a_lost_state_brings_the_children_themselves() -> None:
    page = Page(family, "parent")
    request = page.request("set", {})
    reply = family.answer_sync(
        type(request)(component="parent", headers={**request.headers, "x-component-state": ""}, query="event=set")
    )
    assert reply.status == 409
    assert all(children(text(reply)).values())


def test_a_child_cannot_be_shown_twice_by_one_call() -> None:
    class Twice(Component):
        def render(self) -> str:
            child = self._functions.live_component("leaf")  # type: ignore[union-attr]  # show() made them
            return f"<div>{child}{child}</div>"

    with pytest.raises(ConfigurationError, match=r"shows one child twice"):
        engine_of(Leaf, Twice).mount("twice")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{live_component('lief')}", "did you mean 'leaf'"), ("{live_component('child', label=5)}", "label"),
        ("{live_component('child', lable='x')}", "did you mean 'label'"), ("{live_component('child', label=object())}", "object"),
    ],
)  # fmt: skip
def test_a_child_that_cannot_be_mounted_says_why(source: str, message: str) -> None:
    broken = type("Broken", (Component,), {"template": f"<div>{source}</div>", "__module__": __name__})
    with pytest.raises((ConfigurationError, TypeError), match=message):
        engine_of(Leaf, Child, broken).mount("broken")
