"""A site for the browser: components that try what examples have no reason to, behind 80 ms of latency if wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from component_framework import Component, Engine, Limit, MemoryStateStore, Registry, StreamingComponent, Upload
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.starlette import component_routes, request_context

LATENCY = 0.08
CSP = "default-src 'self'"

registry = Registry()


@registry.register("clicks")
class Clicks(Component):
    """Notes the order in which its clicks arrive."""

    template = """<div>
<button id="go" {{ on("click", number=next) }}>{{ numbers|join(",") }}</button>
</div>"""
    numbers: list[int] = []

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "next": len(self.numbers) + 1}

    async def on_click(self, number: int) -> None:
        await asyncio.sleep(LATENCY)
        self.numbers.append(len(self.numbers) + 1)


@registry.register("spec_counter")
class SpecCounter(Component):
    """The specification's counter, with the markup of the specification."""

    template = """<div id="counter">
    <button
        hx-post="/components/spec_counter"
        hx-vals='{"event": "increment"}'
        hx-target="#counter"
        hx-swap="outerHTML">
        Count: {{ state.count }}
    </button>
</div>"""

    def mount(self) -> None:
        self.state["count"] = 0

    def on_increment(self) -> None:
        self.state["count"] += 1


@registry.register("form")
class Form(Component):
    """Typed text and errors, a handler that fails, and effects."""

    template = """<section>
<form {{ on("save") }}>
<input id="name" name="name" value="{{ name }}"><input id="age" name="age">
{% for text in errors.age %}<em>{{ text }}</em>{% endfor %}
<button id="save">Save</button>
</form>
<p id="saved">{{ saved }}</p>
<button id="tick" {{ on("tick") }}>{{ ticks }}</button>
<button id="fail" {{ on("fail") }}>fail</button>
<button id="away" {{ on("away") }}>away</button>
</section>"""
    name: str = ""
    saved: str = ""
    ticks: int = 0

    def on_save(self, name: str, age: int) -> None:
        self.saved = f"{name} is {age}"

    def on_tick(self) -> None:
        self.ticks += 1
        self.emit("ticked", ticks=self.ticks)

    def on_fail(self) -> None:
        self.ticks = 99
        raise RuntimeError("as the test wants")

    def on_away(self) -> None:
        self.push_url("/away")


@registry.register("shifting")
class Shifting(Component):
    """What is below a hint moves up when the field above it is left, while the mouse button is still down."""

    template = """<div>
<input id="word" name="word" {{ on("check", trigger="change") }}>
{% if not word %}<h1 id="hint">Type a word first.</h1>{% endif %}
<p><button id="press" {{ on("press") }}>{{ presses }}</button></p>
<p><label id="text"><input id="box" type="checkbox" name="on" value="1"{% if ticked %} checked{% endif %}
{{ on("tick", trigger="change") }}> tick</label></p>
<p><input id="range" type="range" name="level" {{ on("slide", trigger="input") }}><output>{{ level }}</output></p>
</div>"""
    word: str = ""
    presses: int = 0
    ticked: bool = False
    level: int = 50

    def on_check(self, word: str) -> None:
        self.word = word

    def on_press(self) -> None:
        self.presses += 1

    def on_tick(self, on: bool = False) -> None:
        self.ticked = on

    def on_slide(self, level: int) -> None:
        self.level = level


@registry.register("till")
class Till(Component):
    """Takes money, and takes its time for it; at the end its form may be gone."""

    template = """<section>{% if open %}<form id="till" {{ on("pay") }}>
<input id="amount" name="amount" value="5"><button id="pay">Pay</button></form>{% endif %}
<p id="paid">{{ paid|join(",") }}</p></section>"""
    open: bool = True
    paid: list[int] = []
    stays: ClassVar[bool] = True

    async def on_pay(self, amount: int) -> None:
        await asyncio.sleep(4 * LATENCY)
        self.paid.append(amount)
        PAYMENTS.append(amount)
        self.open = self.stays


PAYMENTS: list[int] = []
"""What all tills have taken."""


@registry.register("till_once")
class TillOnce(Till):
    """A till for one payment."""

    stays = False


@registry.register("plain")
class Plain(Component):
    """Works without component.js, and without any script, where its state is among the fields of a form."""

    template = """<div>
<form method="post" action="/components/plain?event=add" {{ on("add") }}>{{ component_fields() }}<button id="kept">add</button></form>
<button id="bare" {{ on("add") }}>add</button>
<output>{{ count }}</output>
</div>"""
    count: int = 0

    def on_add(self) -> None:
        self.count += 1


@registry.register("steps")
class Steps(StreamingComponent):
    """Streams: each step waits until the page has shown the one before."""

    template = """<div><button id="start" {{ on("start") }}>start</button><output>{{ step }}</output></div>"""
    step: int = 0

    async def on_start(self) -> AsyncIterator[None]:
        for self.step in (1, 2, 3):
            self.emit("step", number=self.step)
            yield
            await asyncio.sleep(LATENCY)
        self.step = 4


@registry.register("trail")
class Trail(StreamingComponent):
    """Changes the address at the end of a stream."""

    template = """<div><button id="walk" {{ on("walk") }}>walk</button><output>{{ step }}</output></div>"""
    step: int = 0

    async def on_walk(self) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(LATENCY)
        self.step += 1
        self.push_url(f"/page/trail?step={self.step}")


@registry.register("parent")
class Parent(Component):
    """A parent whose child tells it something."""

    template = """<section>
<h2 id="heard" {{ on("told", trigger="told from:'closest section'") }}>{{ heard }}</h2>
<button id="again" {{ on("again") }}>{{ renders }}</button>
{{ live_component("child") }}
</section>"""
    heard: str = ""
    renders: int = 0

    def on_told(self, what: str) -> None:
        self.heard = what

    def on_again(self) -> None:
        self.renders += 1


@registry.register("child")
class Child(Component):
    """A child with a field of its own."""

    template = """<div><input id="typed" name="typed"><button id="tell" {{ on("tell") }}>{{ told }}</button></div>"""
    told: int = 0

    def on_tell(self) -> None:
        self.told += 1
        self.emit("told", what=f"hello {self.told}")


class Added(Component):
    """Counts."""

    template = '<div><button id="add" {{ on("add") }}>{{ count }}</button></div>'
    count: int = 0

    def on_add(self) -> None:
        self.count += 1


@registry.register("stored")
class Stored(Added):
    """Counts in a store."""

    lives_in = "store"


@registry.register("watched")
class Watched(Added):
    """Counts in the page, and only from the newest state."""

    replay = "refuse"


engine = Engine(
    renderer=JinjaRenderer(), secret_key="of the browser's tests", registry=registry, store=MemoryStateStore()
)


@registry.register("shelf")
class Shelf(Component):
    """Takes files of any size, and says how long they are."""

    template = """<div>
<form id="form" {{ on("put", trigger="submit") }} data-upload-drop>
<input id="file" type="file" name="file"><button id="send">Send</button>
<progress data-upload hidden></progress><button type="button" id="cancel" data-upload-cancel hidden>Cancel</button>
</form><div id="preview" data-upload-preview></div><p id="said">{{ said }}</p><p id="wrong">{{ errors.picture|join }}</p></div>"""
    said: str = "nothing"

    def on_put(self, file: Annotated[Upload, Limit("1 GB")]) -> None:
        self.said = f"{file.name} {file.size} {file.type} {sum(map(len, file.chunks(1 << 20)))}"

    def on_hang(self, picture: Annotated[Upload, Limit("1 GB", {"image/png"})]) -> None:
        self.said = picture.name

    def on_crop(self, picture: Annotated[Upload, Limit("5 MB")]) -> None:
        self.said = picture.name


async def page(request: Request) -> Response:
    """One component on a page with a strict policy."""
    context = request_context(engine, request)
    markup = await engine.async_mount(request.path_params["name"], context=context)
    head = f"<title>test</title>{engine.scripts(None, context)}"
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{markup}</body></html>',
        headers={"Content-Security-Policy": CSP},
    )


async def icon(request: Request) -> Response:
    """What every browser asks for."""
    return Response(status_code=204)


app = Starlette(routes=[*component_routes(engine), Route("/page/{name}", page), Route("/favicon.ico", icon)])
