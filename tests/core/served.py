"""A component behind an Engine, with a renderer of ten lines, and a page that remembers what it was answered."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from component_framework import Component, Engine, Registry
from component_framework.core.request import HttpRequest
from component_framework.core.wire import Reply


class Percent:
    """Renders `{name}` as the escaped variable, and functions of the context by what the class's `view` calls."""

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        return self.render_inline(template_name, context)

    def render_inline(self, source: str, context: Mapping[str, Any]) -> str:
        def put(found: re.Match[str]) -> str:
            value = eval(found[1], {}, dict(context))  # the source is the test's own
            return str(value) if hasattr(value, "__html__") else html.escape(str(value))

        return re.sub(r"\{(.*?)\}", put, source, flags=re.DOTALL)


def engine_of(*classes: type[Component], **options: Any) -> Engine:
    """An Engine that serves `classes` under their own names."""
    registry = Registry()
    for cls in classes:
        registry.register(cls.__name__.lower())(cls)
    return Engine(**{"renderer": Percent(), "secret_key": "key", "registry": registry, **options})


class Page:
    """One component on a page: sends events with the newest token, as component.js does."""

    def __init__(self, engine: Engine, name: str, **params: Any) -> None:
        self.engine = engine
        self.name = name
        self.html: str = engine.mount(name, **params)

    @property
    def token(self) -> str:
        return attribute(self.html, "data-state")

    @property
    def id(self) -> str:
        return attribute(self.html, "id")

    def request(self, event: str, form: Mapping[str, Any], **headers: str) -> HttpRequest:
        own = {
            "content-type": "application/x-www-form-urlencoded",
            "hx-request": "true",
            "x-component-state": self.token,
            "x-component-id": self.id,
        }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return HttpRequest(
            component=self.name, headers=own | named, query=f"event={event}", body=urlencode(form, doseq=True).encode()
        )

    def send(self, event: str, /, **form: Any) -> Reply:
        reply = self.engine.answer_sync(self.request(event, form))
        if reply.status in (200, 409, 422) and reply.body:
            self.html = text(reply)
        return reply


def text(reply: Reply) -> str:
    assert isinstance(reply.body, bytes)
    return reply.body.decode()


def triggers(reply: Reply) -> dict[str, Any]:
    """What HX-Trigger dispatches."""
    return dict(json.loads(reply.headers.get("HX-Trigger", "{}")))


def attribute(markup: str, name: str) -> str:
    """The value of the first attribute `name`."""
    found = re.search(rf'\s{re.escape(name)}="([^"]*)"', markup)
    assert found is not None, f"no {name} in {markup[:200]}"
    return html.unescape(found[1])
