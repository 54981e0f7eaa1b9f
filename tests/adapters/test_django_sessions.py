"""Django: a token is bound to a login session, as long as that lasts, and to nothing that changes meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import AsyncClient, Client, override_settings
from django.test.utils import CaptureQueriesContext

from component_framework.adapters.django.conf import LOGIN
from tests.adapters.django_parts import FORM, NAME, registry

SAVE = "/components/note?event=save"
BACKENDS = ["db", "signed_cookies"]


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": registry}, ROOT_URLCONF=NAME):
        yield


@pytest.fixture(params=BACKENDS)
def backend(request: Any) -> Iterator[str]:
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{request.param}"):
        yield request.param


@pytest.fixture
def ada(db: None) -> Any:
    user: Any = get_user_model().objects.create(username="ada")
    user.set_password("first")
    user.save()
    return user


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def state(client: Client) -> str:
    found = re.search('data-state="([^"]*)"', client.get("/the/page").content.decode())
    assert found is not None
    return found[1]


def send(client: Client, token: str) -> tuple[int, str | None]:
    answer = client.post(SAVE, "", content_type=FORM, headers={"X-Component-State": token, "HX-Request": "true"})
    return answer.status_code, answer.headers.get("X-Component-Code")


REFUSED = (400, "state_invalid")


@pytest.mark.usefixtures("backend")
def test_a_page_stays_good_while_its_session_is_written_to(ada: Any) -> None:
    client = logged_in(ada)
    token = state(client)
    client.get("/touch")
    assert send(client, token) == (200, None)


@pytest.mark.usefixtures("backend")
def test_a_page_stays_good_when_the_key_of_the_site_rotates(ada: Any) -> None:
    client = logged_in(ada)
    token = state(client)
    with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert send(client, token) == (200, None)
        assert send(client, state(client)) == (200, None)
    with override_settings(SECRET_KEY="a new one"):
        assert send(Client(), state(Client())) == (200, None)
        assert send(client, token) == REFUSED


@pytest.mark.usefixtures("backend")
def test_a_token_of_an_earlier_login_of_the_same_user_is_refused(ada: Any) -> None:
    client = logged_in(ada)
    token = state(client)
    client.logout()
    assert send(client, token) == REFUSED
    client.force_login(ada)
    assert send(client, token) == REFUSED


def test_a_token_of_another_browser_of_the_same_user_is_refused(ada: Any) -> None:
    token = state(logged_in(ada))
    assert send(logged_in(ada), token) == REFUSED


def test_a_new_password_ends_the_pages_of_every_other_session(ada: Any) -> None:
    client = logged_in(ada)
    token = state(client)
    ada.set_password("second")
    ada.save()
    assert send(client, token) == REFUSED


def test_a_login_from_before_the_app_was_installed_works_as_well(ada: Any) -> None:
    client = logged_in(ada)
    session = client.session
    del session[LOGIN]
    session.save()
    assert send(client, state(client)) == (200, None)


@pytest.mark.django_db(transaction=True)
async def test_an_async_login_is_bound_as_well() -> None:
    client = AsyncClient()
    await client.aforce_login(await get_user_model().objects.acreate(username="ada"))
    session = await client.asession()
    assert await session.aget(LOGIN)


@pytest.mark.parametrize("component", ["note", "async_note"])
async def test_under_asgi_a_stranger_costs_no_query(component: str) -> None:
    """There is no database in this test: pytest-django raises at the first query."""
    answer = await AsyncClient().post(f"/components/{component}?event=save", "", content_type=FORM)
    assert ">AnonymousUser</p>" in answer.content.decode()


def test_an_event_of_a_visitor_costs_the_session_and_the_user_and_changes_no_cookie(ada: Any) -> None:
    client = logged_in(ada)
    token = state(client)
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(SAVE, "", content_type=FORM, headers={"X-Component-State": token})
    assert len(queries) == 2
    assert answer.status_code == 200
    assert not answer.cookies
