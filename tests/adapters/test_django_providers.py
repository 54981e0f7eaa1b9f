"""What Django gives to handlers that ask for it, under WSGI and ASGI; and rows that are edited there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import AsyncClient, Client, override_settings

from component_framework import Component, Engine, Registry
from component_framework.adapters.django.conf import get_engine
from component_framework.adapters.django.models import ModelComponent

from .shop.models import Customer, Order

registry = Registry()
FORM = "application/x-www-form-urlencoded"
Post = Callable[..., Any]


class Basket:
    """What the site's own provider gives."""

    def __init__(self, owner: str) -> None:
        self.owner = owner


def open_basket(context: Any) -> Iterator[Basket]:
    yield Basket(context.user.get_username() or "nobody")


PROVIDERS = {Basket: open_basket}
SETTINGS = {"REGISTRY": registry, "PROVIDERS": f"{__name__}.PROVIDERS"}


@registry.register("asked")
class Asked(Component):
    template = "<p>{{ said }}</p>"
    said: str = ""

    def on_look(self, request: HttpRequest, basket: Basket) -> None:
        self.said = f"{request.method} of {basket.owner}"

    def on_own(self, user: User) -> None:
        self.said = user.username

    def on_peek(self, user: User | None) -> None:
        self.said = "nobody" if user is None else user.username


@registry.register("async_asked")
class AsyncAsked(Asked):
    async def on_wait(self, user: User, basket: Basket) -> None:
        await asyncio.sleep(0)
        self.said = f"{user.username} with {basket.owner}"


@registry.register("sync_editor")
class SyncEditor(ModelComponent):
    template = "<p>{{ note }}</p>"
    public_params = ("pk",)
    model = Order
    fields = ("note",)
    version_field = "version"


@registry.register("async_editor")
class AsyncEditor(ModelComponent):
    template = "<p>{{ note }}</p>"
    public_params = ("pk",)
    model = Order
    fields = ("note",)
    version_field = "version"

    async def on_save(self, note: str) -> None:
        self.note = note
        await self.asave()


def under_wsgi(path: str, body: str = "", user: Any = None) -> Any:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.post(path, body, content_type=FORM)


def under_asgi(path: str, body: str = "", user: Any = None) -> Any:
    async def send() -> Any:
        client = AsyncClient()
        if user is not None:
            await client.aforce_login(user)
        return await client.post(path, body, content_type=FORM)

    return async_to_sync(send)()  # the database is this thread's


@pytest.fixture(params=[under_wsgi, under_asgi])
def post(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Post]:
    with override_settings(COMPONENT_FRAMEWORK=SETTINGS):
        yield request.param


def said(answer: Any) -> str:
    found = re.search(r"<p[^>]*>(.*?)</p>", answer.content.decode())
    assert found
    return found[1]


def test_a_handler_is_given_the_request_and_what_the_site_provides(post: Post) -> None:
    assert said(post("/components/asked?event=look")) == "POST of nobody"
    assert post("/components/asked?event=look", "basket=mine").status_code == 422


@pytest.mark.parametrize("name", ["asked", "async_asked"])
def test_a_handler_that_asks_for_the_user_gets_the_one_that_is_logged_in(post: Post, name: str) -> None:
    ada = User.objects.create(username="ada")
    assert said(post(f"/components/{name}?event=own", user=ada)) == "ada"
    assert post(f"/components/{name}?event=own").status_code == 401
    assert said(post(f"/components/{name}?event=peek")) == "nobody"
    assert post(f"/components/{name}?event=own", "user=1", user=ada).status_code == 422


def test_an_async_handler_is_given_both(post: Post) -> None:
    ada = User.objects.create(username="ada")
    assert said(post("/components/async_asked?event=wait", user=ada)) == "ada with ada"


@pytest.mark.parametrize("name", ["sync_editor", "async_editor"])
def test_a_row_is_saved_and_its_topic_is_published(post: Post, name: str) -> None:
    heard: list[str] = []
    order = Order.objects.create(number="A-1", customer=Customer.objects.create(name="Grace", seller="ada"))
    engine: Engine = get_engine()
    carried = engine.broker.publish_sync

    def listen(topic: str, message: bytes) -> None:
        heard.append(topic)
        carried(topic, message)

    engine.broker.publish_sync = listen  # type: ignore[method-assign]  # the real one still does its work
    context = engine.context()
    component = engine.component(name, context=context, pk=order.pk)
    state = re.search('data-state="([^"]+)"', component.dispatch()["html"])
    assert state
    body = f"note=Ring&_state={state[1]}&_id={component.id}"
    answer = post(f"/components/{name}?event=save", body)
    assert (answer.status_code, said(answer)) == (200, "Ring")
    assert Order.objects.get().note == "Ring"
    assert heard == [f"t:order:{order.pk}"]
    assert post(f"/components/{name}?event=save", body).status_code == 409
    assert len(heard) == 1
