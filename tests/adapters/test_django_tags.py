"""Django: tags where a Cotton component hides the page's context, text params, and components that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.template import RequestContext, Template
from django.test import AsyncRequestFactory, RequestFactory, override_settings
from django.utils.safestring import mark_safe
from django_cotton.compiler_regex import CottonCompiler

from component_framework import Component, Registry
from component_framework.core.errors import ConfigurationError
from tests.adapters.django_parts import NAME, registry


@registry.register("waits_to_mount")
class WaitsToMount(Component):
    """Cannot be mounted without an event loop; its context asks the database."""

    template = "<p>{{ n }} of {{ users }}</p>"
    n: int = 0

    async def mount(self) -> None:
        await asyncio.sleep(0)
        self.n = 1

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "users": get_user_model().objects.count()}


@registry.register("carded")
class Carded(Component):
    """Binds its events inside of Cotton components."""

    template = (
        "<div><c-card only><c-card><button {% on 'save' %}></button></c-card></c-card>"
        "<c-card><c-cf.live name='note' text='child' /></c-card></div>"
    )

    def on_save(self) -> None: ...


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": registry}, ROOT_URLCONF=NAME):
        yield


def rendered(source: str, request: Any = None) -> str:
    template = Template(CottonCompiler().process(source))
    return str(template.render(RequestContext(request or RequestFactory().get("/"), {"text": mark_safe("x")})))


@pytest.mark.parametrize(
    "source",
    [
        '<c-cf.live name="note" text="x" />',
        '<c-cf.live name="note" text="x" :request="request" only />',
        '<c-card><c-card><c-cf.live name="note" text="x" /></c-card></c-card>',
        '<c-card only><c-card only><c-cf.live name="note" text="x" /></c-card></c-card>',
        "<c-card only><c-card only>{% live_component 'note' text='x' %}</c-card></c-card>",
    ],
)
@pytest.mark.parametrize("isolated", [False, True])
def test_a_component_stands_anywhere_in_a_cotton_page(source: str, isolated: bool) -> None:
    with override_settings(COTTON_ISOLATE_BY_DEFAULT=isolated):
        markup = rendered(source)
    assert 'data-component="note"' in markup
    assert ">x</p>" in markup


def test_where_a_cotton_component_hides_the_request_the_message_says_how_to_pass_it() -> None:
    with pytest.raises(ConfigurationError, match=':request="request"'):
        rendered('<c-cf.live name="note" only />')


def test_events_and_children_are_bound_inside_of_cotton_components() -> None:
    markup = rendered("{% live_component 'carded' %}")
    assert 'hx-post="/components/carded?event=save"' in markup
    assert 'data-component="note"' in markup
    assert ">child</p>" in markup


@pytest.mark.parametrize("text", ["'x'", "_('x')", "'x'|upper|lower", "text"])
def test_text_of_any_kind_may_be_a_param_and_an_argument(text: str) -> None:
    components = Registry()
    source = f"<p {{% on 'say' text={text} %}}>{{{{ text }}}}</p>"

    @components.register("said")
    class Said(Component):
        template = source
        text: str = ""

        def on_say(self, text: str) -> None: ...

    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": components}):
        markup = rendered(f"{{% live_component 'said' text={text} %}}")
    assert ">x</p>" in markup
    assert "&quot;text&quot;:&quot;x&quot;" in markup


@pytest.mark.django_db(transaction=True)
def test_a_component_that_waits_is_mounted_by_a_page_and_may_ask_the_database() -> None:
    get_user_model().objects.create(username="ada")
    assert ">1 of 1</p>" in rendered("{% live_component 'waits_to_mount' %}")


async def test_a_page_that_an_event_loop_renders_says_what_to_do_about_one() -> None:
    request = AsyncRequestFactory().get("/")
    assert ">x</p>" in rendered("{% live_component 'note' text='x' %}", request)
    with pytest.raises(ConfigurationError, match="async_mount"):
        rendered("{% live_component 'waits_to_mount' %}", request)


def test_who_is_asking_is_found_out_once_per_page_and_again_after_a_login() -> None:
    request: Any = RequestFactory().get("/")
    rendered("{% live_component 'note' %}", request)
    first = request._component_context
    rendered("{% live_component 'note' %}", request)
    assert request._component_context is first
    request.user = get_user_model()(pk=7, username="ada")
    rendered("{% live_component 'note' %}", request)
    assert request._component_context[1].user is request.user
