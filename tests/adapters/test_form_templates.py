"""Templates of fields: the same markup from every renderer, and an application's own in the place of the framework's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from django.test import override_settings
from msgspec import Meta

from component_framework import Email, Engine, FormComponent, Input, Registry
from component_framework.adapters.django.rendering import DjangoRenderer
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.jinjax import JinjaxRenderer
from component_framework.core.rendering import Renderer
from component_framework.testing import Page, mount


class Row(msgspec.Struct):
    what: str


class Everything(msgspec.Struct):
    email: Email
    text: Annotated[str, Input(type="textarea", help="Say <b>more</b>")] = "a <b>\n&"
    kind: Annotated[str, Input(type="select", choices={"a": "A & B"})] = "a"
    several: Annotated[list[str], Input(type="checkboxes", choices={"a": "A", "b": "B"})] = []
    one: Annotated[str, Input(type="radio", choices={"a": "A", "b": "B"})] = "b"
    box: bool = True
    hidden: Annotated[str, Input(type="hidden")] = "x"
    rows: Annotated[list[Row], Meta(max_length=3)] = []


registry = Registry()


@registry.register("every")
class Every(FormComponent):
    schema = Everything
    template = "<section>{{ form }}</section>"

    def initial(self) -> Any:
        return {"rows": [{"what": "<i>"}]}

    def on_submit(self, form: Everything) -> None: ...


@registry.register("own")
class Own(Every):
    widgets = {"kind": "own/kind.html", "checkbox": "own/box.html"}


RENDERERS: dict[str, Callable[[Path], Renderer]] = {
    "jinja": JinjaRenderer,
    "jinjax": JinjaxRenderer,
    "django": lambda folder: DjangoRenderer(),
}


def page(renderer: Renderer, name: str = "every") -> Page:
    engine = Engine(renderer=renderer, secret_key="x" * 40, registry=registry, clock=lambda: 0, new_id=lambda: "c")
    return mount(name, engine=engine)


def test_every_renderer_gives_the_same_markup(tmp_path: Path) -> None:
    jinja, jinjax, django = (page(make(tmp_path)).html for make in RENDERERS.values())
    assert jinja == jinjax
    assert jinja == django


def test_what_is_typed_stays_text() -> None:
    shown = page(JinjaRenderer())
    assert shown.value("textarea") == "a <b>\n&"
    assert shown.value('[name="rows-0-what"]') == "<i>"
    assert shown.text(".cf-help") == "Say <b>more</b>"
    assert not shown.has("form b, form i")


@pytest.mark.parametrize("name", RENDERERS)
def test_an_application_has_its_own_templates_by_name_and_by_kind(name: str, tmp_path: Path) -> None:
    forms = tmp_path / "component_framework" / "forms"
    forms.mkdir(parents=True)
    (tmp_path / "own").mkdir()
    (forms / "email.html").write_text('<input class="mine" name="{{ field.name }}" id="{{ field.id }}">')
    (forms / "select.html").write_text("<em>a select of ours</em>")
    (tmp_path / "own" / "kind.html").write_text("<em>{{ field.label }}</em>")
    (tmp_path / "own" / "box.html").write_text("<strong>{{ field.name }}</strong>")
    with override_settings(TEMPLATES=[_django(tmp_path)]):
        renderer = RENDERERS[name](tmp_path)
        shown = page(renderer)
        assert shown.has("input.mine[name=email]")
        assert shown.text("em") == "a select of ours"
        own = page(renderer, "own")
        assert (own.text("em"), own.text("strong")) == ("Kind", "box")


def _django(folder: Path) -> dict[str, Any]:
    backend = "django.template.backends.django.DjangoTemplates"
    return {"BACKEND": backend, "DIRS": [folder], "APP_DIRS": True, "OPTIONS": {}}
