"""Components that tell what they were given, and requests to them, for the tests of the adapters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextvars import ContextVar
from html import unescape
from typing import Any

import httpx
import jinja2

from component_framework import Component, Engine, Registry
from component_framework.adapters.jinja import JinjaRenderer

HTMX = {"HX-Request": "true"}
tenant = ContextVar("tenant", default="nobody's")
registry = Registry()


@registry.register("components")  # a name that is a part of the address, too
class Desk(Component):
    """Says who asked, and adds."""

    template = """<div><b>{{ said }}</b><i>{{ total }}</i><button {{ on("ask") }}></button>
    <button {{ on("add", by=1) }}></button><button {{ on("fail") }}></button></div>"""
    said: str = ""
    total: int = 0

    async def on_ask(self) -> None:
        state = getattr(self.request, "state", None)
        self.said = f"{self.context.user} of {getattr(state, 'tenant', None)} with {self.context.session}"

    async def on_add(self, by: int) -> None:
        self.total += by

    async def on_fail(self) -> None:
        raise ZeroDivisionError("a secret of the house")


@registry.register("tenants")
class Tenants(Component):
    """Has only a sync handler, so that it runs in a worker thread."""

    template = "<div {{ on('ask') }}><b>{{ said }}</b></div>"
    said: str = ""

    def on_ask(self) -> None:
        self.said = tenant.get()


@registry.register("steps")
class Steps(Component):
    """Counts to three."""

    template = "<div {{ on('count') }}><i>{{ n }}</i></div>"
    n: int = 0

    def on_count(self) -> Iterator[None]:
        for self.n in (1, 2, 3):
            yield


def engine(**options: Any) -> Engine:
    return Engine(renderer=JinjaRenderer(), secret_key="of a test", registry=registry, **options)


PAGE = "<head>{{ component_scripts() }}</head>{{ live_component('components') }}"


def page(functions: dict[str, Any]) -> str:
    return jinja2.Environment(autoescape=True).from_string(PAGE).render(functions)


def post(address: str, event: str = "ask", /, path: str = "/components/components", **options: Any) -> httpx.Response:
    headers = HTMX | options.pop("headers", {})
    return httpx.post(f"{address}{path}?event={event}", headers=headers, timeout=20, **options)


def said(answer: httpx.Response) -> str:
    """What the component says; the answer has to be a good one."""
    assert answer.status_code == 200, answer.text
    return _text("b", answer.text)


def total(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    return int(_text("i", answer.text))


def _text(tag: str, markup: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", markup)
    assert found is not None, markup
    return unescape(found[1])


def assert_page_works(address: str, path: str) -> None:
    """The page at `path` posts to, and loads its files from, addresses that answer."""
    markup = httpx.get(f"{address}{path}", timeout=20).raise_for_status().text
    events = [unescape(found) for found in re.findall(r'hx-post="([^"]+)"', markup)]
    files = [unescape(found) for found in re.findall(r'(?:src|href)="([^"]+)"', markup)]
    assert events
    assert files
    assert httpx.post(f"{address}{events[0]}", headers=HTMX, timeout=20).status_code == 200
    for file in files:
        assert httpx.get(f"{address}{file}", timeout=20).status_code == 200


def behind_a_proxy(app: Any, prefix: str) -> Any:
    """`app` as a server calls it whose root path is `prefix`."""

    async def proxied(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "root_path": prefix} if scope["type"] == "http" else scope, receive, send)

    return proxied
