"""Every renderer shows the same component the same way, and none can be made to forget to escape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import jinjax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework import Component, Engine, Registry
from component_framework.adapters.django.rendering import DjangoRenderer
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.jinja_compiler import speed_up
from component_framework.adapters.jinjax import JinjaxRenderer
from component_framework.core.errors import BindingError, ConfigurationError
from component_framework.core.marked import Markup

NASTY = "<script>alert('1')</script>\"&amp; {{ 7*7 }} {% raw %} \u2028"


class TenLines:
    """A renderer of a user's own."""

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        return f'<div class="x"><button {context["on"]("add", by=2)}>{jinja2.utils.htmlsafe_json_dumps(context["count"])}</button></div>'


JINJA = """<div class="x"><button {{ on("add", by=2) }}>{{ count }}</button></div>"""
DJANGO = """<div class="x"><button {% on "add" by=2 %}>{{ count }}</button></div>"""
RENDERERS: dict[str, tuple[Any, str | None]] = {
    "Jinja2": (JinjaRenderer(), JINJA),
    "JinjaX": (JinjaxRenderer([]), "{#def count #}" + JINJA),
    "Django": (DjangoRenderer(), DJANGO),
    "ten lines": (TenLines(), None),
}


def show(renderer: Any, source: str | None, **params: Any) -> str:
    registry = Registry()

    class Counter(Component):
        template = source
        template_name = None if source else "counter"
        count: int = 0
        text: str = ""

        def on_add(self, by: int = 1) -> None: ...

    registry.register("counter")(Counter)
    engine = Engine(renderer=renderer, secret_key="k", registry=registry, clock=lambda: 0, new_id=lambda: "c-1")
    return engine.mount("counter", **params)


def test_the_same_component_gives_the_same_markup_in_every_renderer() -> None:
    shown = {name: show(renderer, source, count=3) for name, (renderer, source) in RENDERERS.items()}
    assert len(set(shown.values())) == 1, shown


@pytest.mark.parametrize(("name", "source"), [("Jinja2", None), ("JinjaX", "{#def text #}"), ("Django", None)])
def test_text_stays_text_wherever_it_stands(name: str, source: str | None) -> None:
    markup = show(
        RENDERERS[name][0],
        (source or "") + """<div title="{{ text }}" data-x='{{ text }}'>{{ text }}</div>""",
        text=NASTY,
    )
    assert "<script>" not in markup
    assert markup.count("&lt;script&gt;") == 3
    assert "49" not in markup
    assert not re.search(r"title=\"[^\"]*\"\s*&amp;amp;", markup)


def test_a_jinja_environment_that_does_not_escape_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="autoescape"):
        JinjaRenderer(jinja2.Environment(autoescape=False))
    some = jinja2.Environment(autoescape=jinja2.select_autoescape(["xml"]), loader=jinja2.DictLoader({"page.html": ""}))
    with pytest.raises(ConfigurationError, match=r"off for page\.html"):
        JinjaRenderer(some).render("page.html", {})


def test_autoescape_cannot_be_lost_later() -> None:
    environment = jinja2.Environment(autoescape=True)
    renderer = JinjaRenderer(environment)
    environment.autoescape = False
    with pytest.raises(ConfigurationError, match="Autoescape is off"):
        show(renderer, JINJA)
    catalog = jinjax.Catalog()
    with pytest.raises(ConfigurationError, match="Autoescape is off"):
        JinjaxRenderer(catalog)
    catalog.jinja_env.autoescape = True
    of_jinjax = JinjaxRenderer(catalog)
    catalog.jinja_env.autoescape = False
    with pytest.raises(ConfigurationError, match="Autoescape is off"):
        show(of_jinjax, "{#def count #}" + JINJA)


@pytest.mark.parametrize("name", ["Jinja2", "JinjaX", "Django"])
def test_the_attributes_of_htmx_with_colons_come_through_every_engine(name: str) -> None:
    renderer, source = RENDERERS[name]
    assert source is not None
    markup = show(
        renderer,
        source.replace('<div class="x">', """<div hx-status:422:inherited='swap:none' hx-sync:inherited="this">"""),
    )
    assert """hx-status:422:inherited='swap:none' hx-sync:inherited="this\"""" in markup
    assert markup.count("hx-sync:inherited") == 1
    assert 'hx-swap:inherited="outerMorph"' in markup


def test_a_state_field_cannot_become_a_template_of_jinjax(tmp_path: Path) -> None:
    (tmp_path / "Page.jinja").write_text("{#def text #}\n<div>{{ text }}</div>")
    renderer = JinjaxRenderer(tmp_path)
    context = {
        "text": "shown",
        "_source": "<b>{{ 7*7 }}</b>",
        "__source": "x",
        "_attrs": {"a": 1},
        "caller": 1,
        "_content": "x",
    }
    assert renderer.render("Page", context).strip() == "<div>shown</div>"
    assert renderer.source("Page.jinja").startswith("{#def text #}")


def test_a_nested_jinjax_component_has_the_functions_of_its_component(tmp_path: Path) -> None:
    (tmp_path / "Page.jinja").write_text('<div hx-swap:inherited="x"><Button by={{ 2 }} /></div>')
    (tmp_path / "Button.jinja").write_text('{#def by #}<button {{ on("add", by=by) }}></button>')

    class Adder(Component):
        template_name = "Page"
        renderer = JinjaxRenderer(tmp_path)

        def on_add(self, by: int) -> None: ...

    markup = Adder().dispatch()["html"]
    assert 'hx-post="/components/adder?event=add" hx-vals="{&quot;by&quot;:2}"' in markup
    assert 'hx-swap:inherited="x"' in markup


def test_a_misspelt_variable_is_an_error_at_the_first_render() -> None:
    with pytest.raises(jinja2.UndefinedError, match="cuont"):
        show(JinjaRenderer(), "<p>{{ cuont }}</p>")


def test_a_misspelt_event_is_an_error_at_the_first_render() -> None:
    with pytest.raises(BindingError, match="did you mean 'add'"):
        show(JinjaRenderer(), "<p {{ on('ad') }}></p>")


def test_an_event_is_bound_in_loops_and_blocks_of_a_template_too() -> None:
    markup = show(
        JinjaRenderer(), "<p>{% for n in (1, 2) %}{% set m = n %}<b {{ on('add', by=m) }}></b>{% endfor %}</p>"
    )
    assert re.findall('hx-vals="{&quot;by&quot;:(.)}"', markup) == ["1", "2"]
    assert "event=add" in show(JinjaRenderer(), "<p>{% block b %}<b {{ on('add') }}></b>{% endblock %}</p>")


TEMPLATES = [
    "{{ a }}{{ b }}", "{{ a|safe }}{{ b|e }}", "{% for x in [a, b, 1, 2.5, none, true] %}{{ x }}{{ loop.index }}{% endfor %}",
    "{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}{{ m(a) }}{{ m(b) }}", "{% set z %}<b>{{ a }}</b>{% endset %}{{ z }}{{ z|upper }}",
    "{{ a ~ b }}{{ ('<i>'|safe) ~ a }}", "{% call(x) f(a) %}{{ x }}{% endcall %}", "{% autoescape false %}{{ a }}{% endautoescape %}{{ a }}",
    "{% if a %}{{ a|length }}{% else %}no{% endif %}", "{{ [a, b]|join('<br>') }}", "{{ a|replace('<', '>') }}", "{{ markup }}{{ markup ~ a }}",
    "{% filter upper %}{{ a }}<p>{% endfilter %}", "{{ {'k': a}['k'] }}{{ (a, b)[0] }}", "{{ a|tojson }}", "{{ 'x' if a else b }}",
]  # fmt: skip


@given(st.sampled_from(TEMPLATES), st.text(max_size=20), st.text(max_size=20))
def test_the_faster_jinja_gives_what_the_stock_one_gives(source: str, a: str, b: str) -> None:
    context = {"a": a, "b": b, "markup": Markup("<u>&amp;</u>")}
    stock = jinja2.Environment(autoescape=True).from_string("{% macro f(x) %}[{{ caller(x) }}]{% endmacro %}" + source)
    fast = speed_up(jinja2.Environment(autoescape=True)).from_string(
        "{% macro f(x) %}[{{ caller(x) }}]{% endmacro %}" + source
    )
    assert fast.render(context) == stock.render(context)


class Shy:
    """Has what it says as attributes and as items, and fails to say some of it."""

    word = "attribute"

    def __getitem__(self, key: str) -> str:
        return {"word": "item", "only": "item of <that> name"}[key]

    @property
    def broken(self) -> str:
        raise AttributeError("a bug inside")

    @property
    def missing_key(self) -> str:
        return {"a": "b"}["c"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ x.word }} {{ x.only }} {{ x['word'] }} {{ d.items() | list }} {{ d.word }} {{ d.nothing }} {{ d.nothing is defined }}",
        "{{ x.broken is defined }} {{ x.word.upper() }} {{ (d.word ~ x.only) | upper }}",
        "{% for y in [x, d] %}{{ loop.index }}{{ y.word }}{% if y.word == 'attribute' %}!{% endif %}{% endfor %}",
        "{% macro f(y, z=x.word) %}{{ y.word }}{{ z }}{{ varargs | length }}{% endmacro %}{{ f(d) }}{{ f(x, x.only) }}",
        "{% set ns = namespace(word='<n>') %}{{ ns.word }}{% set ns.word = x.only %}{{ ns.word }}{% block b %}{{ x.word }}{% endblock %}",
        "{{ [x, d] | map(attribute='word') | join(',') }} {{ ([d] | selectattr('word') | first).word }}{{ -5.0 }}{{ none }}{{ true }}",
        "{% autoescape false %}{{ x.only }}{{ d.word }}{% endautoescape %}{{ x.only }}{% filter upper %}{{ d.word }}{% endfilter %}",
        "{% for k in d recursive %}{{ k }}{{ loop(d.inner) if k == 'inner' and d.inner else '' }}{% endfor %}",
    ],
)
def test_the_faster_jinja_finds_what_the_stock_one_finds(source: str) -> None:
    context = {"x": Shy(), "d": {"word": "of <a> dict", "inner": []}}
    for finalize in (None, lambda value: "-" if value is None else value):
        stock = jinja2.Environment(autoescape=True, finalize=finalize)
        fast = speed_up(jinja2.Environment(autoescape=True, finalize=finalize))
        assert fast.from_string(source).render(context) == stock.from_string(source).render(context)


def test_an_exception_in_a_property_reaches_whoever_asked_for_it() -> None:
    fast = speed_up(jinja2.Environment(autoescape=True))
    with pytest.raises(KeyError):
        fast.from_string("{{ x.missing_key }}").render(x=Shy())
