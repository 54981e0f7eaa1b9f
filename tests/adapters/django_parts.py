"""Components, middlewares and views of the tests of Django's requests, sessions and streams; also a URLconf."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template import Context, Template
from django.urls import include, path
from django.utils.functional import SimpleLazyObject

from component_framework import Component, Invalid, Registry, StreamingComponent

registry = Registry()
FORM = "application/x-www-form-urlencoded"
NAME = "tests.adapters.django_parts"


@registry.register("note")
class Note(Component):
    """Remembers a text, or who is asking."""

    template = "<p {% on 'save' %}>{{ text }}</p>"
    text: str = ""

    def authorize(self, event: str | None) -> bool:
        return event != "deny"

    def on_save(self, text: str = "") -> None:
        self.text = text or str(self.user)

    def on_deny(self) -> None: ...

    def on_write(self, fail: bool = False, refuse: bool = False) -> None:
        get_user_model().objects.create(username="written")
        if fail:
            raise RuntimeError
        if refuse:
            raise Invalid({"text": ["Not like this."]})


@registry.register("book")
class Book(Component):
    """Works without any script."""

    template = """<div><form method="post" action="/components/book?event=write">{% csrf_token %}{% component_fields %}
<input name="text"></form>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</div>"""
    lines: list[str] = []

    def on_write(self, text: str) -> None:
        self.lines.append(text)


@registry.register("async_note")
class AsyncNote(Component):
    """The same with async handlers."""

    template = "<p {% on 'save' %}>{{ text }}</p>"
    text: str = ""

    async def on_save(self, text: str = "") -> None:
        self.text = text or str(self.user)

    async def on_write(self, fail: bool = False, refuse: bool = False) -> None:
        await get_user_model().objects.acreate(username="written")
        if fail:
            raise RuntimeError
        if refuse:
            raise Invalid({"text": ["Not like this."]})


closed: list[str] = []
"""The handlers that were closed."""
seen = threading.Event()
"""Set by a visitor that has seen the first frame: the handlers wait for that before they show another."""


@registry.register("steps")
class Steps(StreamingComponent):
    """Streams, with a sync and with an async handler."""

    template = "<p {% on 'sync' %}><i {% on 'ask' %}></i><b {% on 'async' %}>{{ n }}</b></p>"
    n: int = 0

    def on_sync(self) -> Iterator[None]:
        try:
            for self.n in range(1, 1000):
                yield
                seen.wait(20)
        finally:
            closed.append("sync")

    async def on_async(self) -> AsyncIterator[None]:
        try:
            for self.n in range(1, 1000):
                yield
                await asyncio.to_thread(seen.wait, 20)
        finally:
            closed.append("async")

    async def on_ask(self) -> AsyncIterator[None]:
        for _ in range(3):
            self.n = await get_user_model().objects.acount() + 40
            yield


@registry.register("sync_steps")
class SyncSteps(StreamingComponent):
    """Streams with sync handlers only."""

    template = "<p {% on 'sync' %}><b>{{ n }}</b></p>"
    n: int = 0

    on_sync = Steps.on_sync


@registry.register("ledger")
class Ledger(StreamingComponent):
    """Writes, shows it, and fails; `guarded` in a unit of work."""

    template = "<p {% on 'sync' %}><b {% on 'async' %}></b></p>"
    guarded: bool = False
    public_params = ("guarded",)

    def mount(self, guarded: bool = False) -> None: ...

    def unit_of_work(self) -> Any:
        return transaction.atomic() if self.guarded else None

    def on_sync(self) -> Iterator[None]:
        get_user_model().objects.create(username="before")
        yield
        get_user_model().objects.create(username="after")
        raise RuntimeError

    async def on_async(self) -> AsyncIterator[None]:
        await get_user_model().objects.acreate(username="before")
        yield
        await get_user_model().objects.acreate(username="after")
        raise RuntimeError


Respond = Callable[[HttpRequest], HttpResponseBase]


def reads_the_form(get_response: Respond) -> Respond:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.POST.get("anything")
        return get_response(request)

    return middleware


def lazy_user(get_response: Respond) -> Respond:
    """As authentication by a token of an API does: the user is known by something else than a session."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.user = SimpleLazyObject(lambda: get_user_model().objects.get(username="ada"))  # type: ignore[assignment]  # as Django's own middleware does
        return get_response(request)

    return middleware


class Robot:
    """A user of somebody else's making."""

    pk = 7
    is_authenticated = True

    def __str__(self) -> str:
        return "robot"


def robot_user(get_response: Respond) -> Respond:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.user = Robot()  # type: ignore[assignment]  # a user of somebody else's making
        return get_response(request)

    return middleware


def page(request: HttpRequest, name: str = "note") -> HttpResponse:
    """A page with one component."""
    return HttpResponse(Template("{% live_component name %}").render(Context({"request": request, "name": name})))


def touch(request: HttpRequest) -> HttpResponse:
    """Writes into the session."""
    request.session["touched"] = request.session.get("touched", 0) + 1
    return HttpResponse()


urlpatterns: list[Any] = [
    path("components/", include("component_framework.adapters.django.urls")),
    path("the/page", page, name="the-page"),
    path("the/book", page, {"name": "book"}),
    path("touch", touch),
]
