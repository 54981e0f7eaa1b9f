"""Django's own permissions, declared by name: asked for off the event loop, on every path, at every event."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import AsyncClient, Client, override_settings

from component_framework import Component, Registry, StreamingComponent, requires
from tests.adapters.django_parts import FORM, NAME

registry = Registry()
TEMPLATE = "<p {% on 'look' %}>{{ n }}</p>"


@registry.register("sync_ward")
class SyncWard(Component):
    template = TEMPLATE
    permissions = ("auth.view_user",)
    n: int = 0

    def on_look(self) -> None:
        self.n += 1

    @requires("auth.change_user")
    def on_touch(self) -> None:
        self.n += 100


@registry.register("async_ward")
class AsyncWard(Component):
    template = TEMPLATE
    permissions = ("auth.view_user",)
    n: int = 0

    async def on_look(self) -> None:
        self.n += 1

    @requires("auth.change_user")
    async def on_touch(self) -> None:
        self.n += 100


@registry.register("stream_ward")
class StreamWard(StreamingComponent):
    template = TEMPLATE
    permissions = ("auth.view_user",)
    n: int = 0

    async def on_look(self) -> AsyncIterator[None]:
        self.n += 1
        yield

    @requires("auth.change_user")
    async def on_touch(self) -> AsyncIterator[None]:
        self.n += 100
        yield


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": registry}, ROOT_URLCONF=NAME):
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("name", ["sync_ward", "async_ward", "stream_ward"])
@pytest.mark.parametrize("stream", ["", "/stream"])
async def test_a_right_counts_from_the_next_event_on_and_so_does_its_loss(name: str, client: Any, stream: str) -> None:
    user: Any = await get_user_model().objects.acreate(username="ada")
    right = await Permission.objects.aget(codename="view_user")
    visitor = client()
    await sync_to_async(visitor.force_login)(user)
    post: Any = visitor.post if client is AsyncClient else sync_to_async(visitor.post)

    async def look(event: str = "look") -> tuple[int, str | None]:
        answer = await post(f"/components/{name}{stream}?event={event}", "", content_type=FORM)
        if answer.streaming and answer.is_async:
            assert b"<p " in b"".join([chunk async for chunk in answer])
        elif answer.streaming:
            assert b"<p " in await sync_to_async(b"".join)(answer)
        return answer.status_code, answer.headers.get("X-Component-Code")

    assert await look() == (403, "forbidden")
    await user.user_permissions.aadd(right)
    assert await look() == (200, None)
    assert await look("touch") == (403, "forbidden")
    await user.user_permissions.aremove(right)
    assert await look() == (403, "forbidden")
