"""What an adapter may hand over: forms that were parsed already, places of assets, requests that stream."""

import re
from collections.abc import Iterator

import pytest

from component_framework import Component, Engine, Limits, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.component import Context
from component_framework.core.fitting import Form
from component_framework.core.request import HttpRequest

registry = Registry()
SSE = {"accept": "text/html, text/event-stream", "hx-request": "true"}


@registry.register("echo")
class Echo(Component):
    template = "<p {{ on('say') }}><i {{ on('count') }}></i>{{ text }}</p>"
    text: str = ""

    def on_say(self, text: str = "") -> None:
        self.text = text

    def on_count(self) -> Iterator[None]:
        yield


def engine(**options: object) -> Engine:
    return Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry, **options)  # type: ignore[arg-type]  # any option


def body(request: HttpRequest, **options: object) -> tuple[int, str]:
    reply = engine(**options).answer_sync(request)
    assert isinstance(reply.body, bytes)
    return reply.status, reply.body.decode()


def test_a_form_that_somebody_parsed_already_is_taken_as_it_is() -> None:
    form = Form({"event": ["say"], "text": ["hello"]})
    status, markup = body(HttpRequest(component="echo", headers={"hx-request": "true"}, form=form))
    assert status == 200
    assert ">hello</p>" in re.sub("<i.*?</i>", "", markup)
    assert form == {"event": ["say"], "text": ["hello"]}


def test_a_parsed_form_has_the_limits_of_any_other() -> None:
    form = Form({"text": ["a"] * 6})
    request = HttpRequest(component="echo", headers={"hx-request": "true"}, query="event=say", form=form)
    assert body(request, limits=Limits(fields=5))[0] == 413


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (HttpRequest(component="echo", headers=SSE, query="event=count"), True),
        (HttpRequest(component="echo", headers=SSE, query="event=say"), False),
        (HttpRequest(component="echo", headers={}, query="event=count"), False),
        (HttpRequest(component="echo", headers=SSE, form=Form({"event": ["count"]})), True),
        (HttpRequest(component="echo", headers={}, query="event=say", stream=True), True),
        (HttpRequest(component="nothing", headers=SSE, query="event=count"), False),
        (HttpRequest(component="echo", headers=SSE, query="a=1&a=2"), False),
    ],
)
def test_an_adapter_can_ask_whether_an_answer_may_be_a_stream(request_: HttpRequest, expected: bool) -> None:
    assert engine().streams(request_) is expected


def test_assets_are_under_the_engine_s_own_address_with_the_prefix_of_a_proxy() -> None:
    assert 'src="/app/components/static/htmx.min.js?v=' in engine().scripts(None, Context(root_path="/app"))


@pytest.mark.parametrize("place", ["/static/component_framework", "https://cdn.example.org/cf/"])
def test_another_place_of_the_assets_is_taken_as_it_is(place: str) -> None:
    markup = engine(static_url=place).scripts(None, Context(root_path="/app"))
    assert f'src="{place.rstrip("/")}/htmx.min.js?v=' in markup
