"""The same counter, as a component and by hand: same template, same form, same signed state."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import jinja2
from itsdangerous import URLSafeTimedSerializer

from component_framework import Component, Engine, Registry
from component_framework.adapters.jinja import JinjaRenderer

BODY = """<p>You have clicked this button {{ count }} times.</p>
<button {{ on("increment", by=2) }}>Count: {{ count }}</button>
{% for message in errors.by %}<p class="error">{{ message }}</p>{% endfor %}
<ul>{% for n in range(3) %}<li>{{ count + n }}</li>{% endfor %}</ul>"""

registry = Registry()


class Sync(Component):
    """With `def`, which runs in a worker thread under ASGI."""

    template = f"<div>{BODY}</div>"
    count: int = 0

    def on_increment(self, by: int = 1) -> None:
        self.count += by


class Async(Component):
    """With `async def`."""

    template = f"<div>{BODY}</div>"
    count: int = 0

    async def on_increment(self, by: int = 1) -> None:
        self.count += by

    async def on_stream(self, frames: int = 1) -> Any:
        for self.count in range(frames):
            yield


registry.register("sync")(Sync)
registry.register("async")(Async)
engine = Engine(renderer=JinjaRenderer(), secret_key="benchmark", registry=registry)

ROOT = """<div id="{{ id }}" data-component="counter" data-state="{{ token }}" data-version="{{ version }}"
 hx-target:inherited="this" hx-swap:inherited="outerMorph" hx-sync:inherited="this:queue all" hx-status:5xx:inherited="swap:none">"""
BUTTON = """hx-post="/hand?event=increment" hx-vals="{&quot;by&quot;:2}\""""
_template = jinja2.Environment(autoescape=True).from_string(
    ROOT + BODY.replace('{{ on("increment", by=2) }}', BUTTON) + "</div>"
)
_serializer = URLSafeTimedSerializer("benchmark")


def hand_token() -> str:
    """The state of a fresh page."""
    return str(_serializer.dumps({"id": "c-1", "version": 1, "count": 0}))


def restore(token: str) -> dict[str, Any]:
    """What an endpoint by hand does with its token."""
    state: dict[str, Any] = _serializer.loads(token, max_age=86400)
    return state


def increment(state: dict[str, Any], by: int) -> str:
    """The event, the render and the new token, by hand."""
    state["count"] += by
    state["version"] += 1
    return _template.render(
        id=state["id"], version=state["version"], token=_serializer.dumps(state), count=state["count"], errors={}
    )


def hand(token: str, body: bytes) -> str:
    """A whole event by hand."""
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return increment(restore(token), int(form["by"]))
