"""Django: tags, Cotton, CSRF, sessions, transactions and checks."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.template import Context, Template
from django.test import AsyncClient, Client, override_settings

from component_framework import Component, Engine, Registry
from component_framework.adapters.django.conf import get_engine
from component_framework.adapters.django.models import DjangoModelMixin
from component_framework.adapters.django.rendering import DjangoRenderer
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import BindingError, ConfigurationError, NotFound

registry = Registry()
FORM = "application/x-www-form-urlencoded"


@registry.register("dj_counter")
class DjCounter(Component):
    template_name = "dj_counter.html"
    count: int = 0
    text: str = ""

    def on_add(self, by: int = 1) -> None:
        self.count += by

    def on_who(self) -> None:
        self.text = str(self.user)


@registry.register("writer")
class Writer(Component):
    template = "<p {% on 'write' %}></p>"

    def unit_of_work(self) -> Any:
        return transaction.atomic()

    def on_write(self, fail: bool = False) -> None:
        get_user_model().objects.create(username="written")
        if fail:
            raise RuntimeError


@registry.register("async_counter")
class AsyncCounter(Component):
    template = "<p {% on 'add' %}>{{ count }}</p>"
    count: int = 0

    async def mount(self) -> None:
        self.count = await get_user_model().objects.acount()

    async def on_add(self) -> None:
        self.count += 1


@pytest.fixture(autouse=True)
def options() -> Any:
    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": registry, "LOGIN_URL": "/login/"}):
        yield


def csrf(markup: str) -> dict[str, str]:
    found = re.search(r'id="component-headers" name="component-headers" content="([^"]*)"', markup)
    assert found is not None
    name, value = re.findall(r'"([^"]*)"', unescape(found[1]))
    return {name: value}


def tokens(markup: str) -> list[str]:
    return re.findall('data-state="([^"]*)"', markup)


def post(client: Client, url: str, body: str = "", **headers: str) -> Any:
    headers = {"HX-Request": "true", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.post(url, body, content_type=FORM, headers=headers)


def test_components_stand_in_pages_in_slots_and_as_cotton_components() -> None:
    page = Client().get("/page").content.decode()
    assert re.findall(r"<b>(\d)</b>", page) == ["3", "4", "5"]
    assert page.count('hx-post="/components/dj_counter?event=add" hx-vals="{&quot;by&quot;:&quot;2&quot;}"') == 3
    assert 'nonce="abc"' in page


def test_an_event_goes_through_with_the_header_that_the_page_gave() -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/page").content.decode()
    headers = {**csrf(page), "X-Component-State": tokens(page)[0]}
    answer = post(client, "/components/dj_counter?event=add", "by=4", **headers)
    assert answer.status_code == 200
    assert "<b>7</b>" in answer.content.decode()


@pytest.mark.parametrize("middleware", [True, False])
def test_without_the_csrf_header_an_event_is_refused_as_on_every_framework(middleware: bool) -> None:
    from django.conf import settings

    kept = [name for name in settings.MIDDLEWARE if middleware or "csrf" not in name]
    with override_settings(MIDDLEWARE=kept):
        answer = post(Client(enforce_csrf_checks=True), "/components/dj_counter?event=add")
    assert (answer.status_code, answer["X-Component-Code"], answer["HX-Reswap"]) == (403, "forbidden", "none")


@pytest.mark.django_db
def test_a_token_is_useless_after_logging_out_and_to_anybody_else() -> None:
    users = [get_user_model().objects.create(username=name) for name in ("ada", "ben")]
    client = Client()
    client.force_login(users[0])
    state = tokens(client.get("/page").content.decode())[0]
    assert "ada" in post(client, "/components/dj_counter?event=who", X_Component_State=state).content.decode()
    other = Client()
    other.force_login(users[1])
    assert post(other, "/components/dj_counter?event=who", X_Component_State=state).status_code == 400
    client.logout()
    answer = post(client, "/components/dj_counter?event=who", X_Component_State=state)
    assert (answer.status_code, answer["X-Component-Code"]) == (400, "state_invalid")


@pytest.mark.django_db
def test_a_stranger_costs_no_query_and_gets_no_session(django_assert_num_queries: Any) -> None:
    client = Client()
    with django_assert_num_queries(0):
        answer = post(client, "/components/dj_counter?event=who")
    assert "AnonymousUser" in answer.content.decode()
    assert "sessionid" not in answer.cookies


@pytest.mark.django_db(transaction=True)
def test_what_a_failed_handler_wrote_is_rolled_back() -> None:
    client = Client()
    assert post(client, "/components/writer?event=write", "fail=on").status_code == 500
    assert not get_user_model().objects.exists()
    assert post(client, "/components/writer?event=write").status_code == 200
    assert get_user_model().objects.count() == 1


@pytest.mark.django_db(transaction=True)
async def test_async_components_work_under_asgi_and_under_wsgi() -> None:
    answer = await AsyncClient().post("/components/async_counter?event=add", "", content_type=FORM)
    assert ">1</p>" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_async_component_works_under_wsgi_and_in_a_page() -> None:
    assert ">1</p>" in post(Client(), "/components/async_counter?event=add").content.decode()
    request = Client().get("/page").wsgi_request
    assert ">0</p>" in Template('{% live_component "async_counter" %}').render(Context({"request": request}))


def test_a_body_over_the_limit_is_refused_without_being_read() -> None:
    answer = post(Client(), "/components/dj_counter?event=add", "by=" + "1" * 1_100_000)
    assert (answer.status_code, answer["X-Component-Code"]) == (413, "too_large")


def test_tags_outside_of_their_place_say_what_to_do() -> None:
    with pytest.raises(BindingError, match="template of a component"):
        Template('{% on "add" %}').render(Context())
    with pytest.raises(ConfigurationError, match="needs the request"):
        Template('{% live_component "dj_counter" %}').render(Context())


def test_a_template_engine_that_does_not_escape_is_refused() -> None:
    from django.conf import settings

    template: dict[str, Any] = settings.TEMPLATES[0]
    unsafe = {**template, "OPTIONS": {**template["OPTIONS"], "autoescape": False}}
    with override_settings(TEMPLATES=[unsafe]), pytest.raises(ConfigurationError, match="autoescape"):
        DjangoRenderer().render("dj_counter.html", {})


def test_the_checks_are_silent_when_all_is_well() -> None:
    assert run_checks() == []


@pytest.mark.parametrize(
    ("settings", "id", "text"),
    [
        ({"COMPONENT_FRAMEWORK": {"URLS": "/x"}}, "E001", "URLS"),
        ({"COMPONENT_FRAMEWORK": {"URL": "/live"}}, "E002", "/components"),
        ({"COMPONENT_FRAMEWORK": {}, "ROOT_URLCONF": "django.contrib.auth.urls"}, "E002", "URLconf"),
        ({"COMPONENT_FRAMEWORK": {"LIMITS": {"boddy": 1}}}, "E001", "boddy"),
    ],
)
def test_a_mistake_in_the_settings_is_found_by_the_checks(settings: dict[str, Any], id: str, text: str) -> None:
    with override_settings(**settings):
        found = [message for message in run_checks() if message.id == f"component_framework.{id}"]
    assert found
    assert text in str(found[0])


def test_a_dead_binding_in_a_template_is_found_by_the_checks() -> None:
    broken = Registry()

    @broken.register("broken")
    class Broken(Component):
        template = "<p {% on 'ad' %}></p>"

        def on_add(self) -> None: ...

    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": broken}):
        [message] = [message for message in run_checks() if message.id == "component_framework.E003"]
    assert "did you mean 'add'" in message.msg


def test_settings_make_the_engine_and_a_wrong_one_is_refused() -> None:
    assert get_engine() is get_engine()
    own = Engine(renderer=JinjaRenderer(), secret_key="k")
    with override_settings(COMPONENT_FRAMEWORK={"ENGINE": own}):
        assert get_engine() is own
    with override_settings(COMPONENT_FRAMEWORK={"NONSENSE": 1}), pytest.raises(ImproperlyConfigured, match="NONSENSE"):
        get_engine()


@pytest.mark.django_db
def test_a_model_component_finds_and_saves_its_object() -> None:
    class Editor(DjangoModelMixin, Component):
        model = get_user_model()

        def mount(self) -> None:
            self.instance = self.get_instance()
            self.state["name"] = self.instance.username

        def on_rename(self, name: str) -> None:
            self.instance = self.get_instance()
            self.instance.username = name
            self.save_instance()

    user: Any = get_user_model().objects.create(username="ada")
    assert Editor(pk=user.pk).dispatch()["state"]["name"] == "ada"
    Editor(pk=user.pk).dispatch(event="rename", payload={"name": "Ada"})
    user.refresh_from_db()
    assert user.username == "Ada"
    for pk in (-1, "x"):
        with pytest.raises(NotFound):
            Editor(pk=pk).dispatch()
