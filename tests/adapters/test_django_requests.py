"""Django: bodies, CSRF and origins, transactions, users that others know, and where assets and logins are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.asgi import get_asgi_application
from django.core.checks import run_checks
from django.db import connection
from django.template import Context, Template
from django.templatetags.static import static
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import get_script_prefix, set_script_prefix

from component_framework.adapters.django.conf import get_engine
from tests.adapters.django_parts import FORM, NAME, registry
from tests.servers import uvicorn_thread

TOKEN = "t" * 32
SAVE = "/components/note?event=save"


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": registry}, ROOT_URLCONF=NAME):
        yield


def checked_client() -> Client:
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = TOKEN
    return client


def behind(*middlewares: str) -> Any:
    return override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, *(f"{NAME}.{name}" for name in middlewares)])


@contextmanager
def script_prefix(prefix: str) -> Iterator[None]:
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        yield
    finally:
        set_script_prefix(before)


def code(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.headers.get("X-Component-Code")


def test_a_form_that_a_middleware_has_had_parsed_arrives_all_the_same() -> None:
    with behind("reads_the_form"):
        answer = checked_client().post(SAVE, {"text": "hello", "csrfmiddlewaretoken": TOKEN})
    assert ">hello</p>" in answer.content.decode()


def test_a_file_in_such_a_form_is_refused() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="text"; filename="a"\r\n\r\n1\r\n--x--\r\n'
    with behind("reads_the_form"):
        answer = Client().post(SAVE, body, content_type="multipart/form-data; boundary=x")
    assert code(answer) == (422, "invalid")


def test_a_form_works_without_any_script_by_its_own_fields() -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/the/book").content.decode()
    for lines in (["one"], ["one", "two"]):
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))
        assert fields.keys() == {"csrfmiddlewaretoken", "_id", "_state"}
        page = client.post("/components/book?event=write", {**fields, "text": lines[-1]}).content.decode()
        assert re.findall("<li>(.*?)</li>", page) == lines
    del fields["csrfmiddlewaretoken"]
    assert client.post("/components/book?event=write", {**fields, "text": "three"}).status_code == 403


@pytest.mark.parametrize("headers", [{"X-CSRFToken": TOKEN}, {}])
def test_a_token_is_taken_from_the_header_or_from_the_form(headers: dict[str, str]) -> None:
    body = f"text=hello&csrfmiddlewaretoken={TOKEN}" if not headers else "text=hello"
    answer = checked_client().post(SAVE, body, content_type=FORM, headers=headers)
    assert ">hello</p>" in answer.content.decode()


@pytest.mark.parametrize("headers", [{"X-CSRFToken": "u" * 32}, {"X-CSRFToken": "?"}, {"X-CSRFToken": ""}, {}])
def test_a_wrong_token_is_refused(headers: dict[str, str]) -> None:
    answer = checked_client().post(SAVE, "", content_type=FORM, headers=headers)
    assert code(answer) == (403, "forbidden")


def files(count: int) -> bytes:
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n1\r\n'
    return part * count + b"--x--\r\n"


@pytest.mark.parametrize("headers", [{"X-CSRFToken": TOKEN}, {}])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (f"{FORM}; charset=latin-1", b"text=%E9"),
        (FORM, b"a=1&" * 1500),
        (FORM, b"\xff\xfe"),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b"--x\r\n"),
        ("multipart/form-data; boundary=\xff", b"--x\r\n"),
        ("multipart/form-data; boundary=x", files(150)),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
        ("text/plain", b"text"),
        ("application/json", b"[["),
    ],
)
def test_a_body_that_django_cannot_read_is_refused_as_on_every_framework(
    kind: str, body: bytes, headers: dict[str, str]
) -> None:
    with override_settings(DATA_UPLOAD_MAX_NUMBER_FIELDS=100, DATA_UPLOAD_MAX_NUMBER_FILES=100):
        answer = checked_client().generic("POST", SAVE, body, content_type=kind, headers=headers)
    assert 400 <= answer.status_code < 500
    assert code(answer)[1] is not None


def test_django_s_own_limit_of_a_body_is_answered_as_ours() -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        answer = Client().post(SAVE, "text=more+than+ten", content_type=FORM)
    assert code(answer) == (413, "too_large")


def test_a_body_of_unknown_length_is_read_no_further_than_to_the_limit() -> None:
    def chunks(count: int) -> Iterator[bytes]:
        yield b"text=hello"
        yield from (b"0" * 65_536 for _ in range(count))

    headers = {"Content-Type": FORM, "X-CSRFToken": TOKEN, "Cookie": f"csrftoken={TOKEN}"}
    with uvicorn_thread(get_asgi_application()) as address:
        small = httpx.post(address + SAVE, content=chunks(0), headers=headers)
        large = httpx.post(address + SAVE, content=chunks(64), headers=headers)
    assert ">hello</p>" in small.text
    assert code(large) == (413, "too_large")


def test_a_body_in_chunks_is_refused_under_wsgi_where_django_would_take_it_for_an_empty_one() -> None:
    answer = Client().post(SAVE, "text=x", content_type=FORM, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert code(answer) == (400, "malformed")


def test_a_trusted_origin_may_stand_for_a_whole_domain() -> None:
    headers = {"Origin": "https://app.example.org", "Sec-Fetch-Site": "same-site", "X-CSRFToken": TOKEN}
    assert code(checked_client().post(SAVE, "", content_type=FORM, headers=headers)) == (403, "forbidden")
    with override_settings(CSRF_TRUSTED_ORIGINS=["https://*.example.org"]):
        assert code(checked_client().post(SAVE, "", content_type=FORM, headers=headers)) == (200, None)


def test_behind_a_proxy_that_is_believed_its_name_is_this_site_s() -> None:
    headers = {"Origin": "http://shop.test", "X-Forwarded-Host": "shop.test", "X-CSRFToken": TOKEN}
    assert code(checked_client().post(SAVE, "", content_type=FORM, headers=headers)) == (403, "forbidden")
    with override_settings(USE_X_FORWARDED_HOST=True):
        assert code(checked_client().post(SAVE, "", content_type=FORM, headers=headers)) == (200, None)


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    get_engine.cache_clear()
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False
    get_engine.cache_clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("component", ["note", "async_note"])
@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize(("how", "expected"), [("fail", (500, "failed")), ("refuse", (422, "invalid"))])
async def test_atomic_requests_undo_what_a_failed_handler_wrote(
    component: str, client: Any, how: str, expected: tuple[int, str]
) -> None:
    from asgiref.sync import sync_to_async

    post: Any = client().post if client is AsyncClient else sync_to_async(Client().post)
    failed = await post(f"/components/{component}?event=write", f"{how}=on", content_type=FORM)
    assert code(failed) == expected
    assert await get_user_model().objects.acount() == 0
    assert code(await post(f"/components/{component}?event=write", "", content_type=FORM)) == (200, None)
    assert await get_user_model().objects.acount() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("component", ["note", "async_note"])
async def test_a_user_that_is_known_by_something_else_than_a_session_is_loaded_off_the_event_loop(
    component: str,
) -> None:
    await get_user_model().objects.acreate(username="ada")
    with behind("lazy_user"):
        answer = await AsyncClient().post(f"/components/{component}?event=save", "", content_type=FORM)
    assert ">ada</p>" in answer.content.decode()


def test_a_user_of_somebody_else_s_making_needs_no_session() -> None:
    with behind("robot_user"):
        answer = Client().post(SAVE, "", content_type=FORM)
    assert ">robot</p>" in answer.content.decode()


@pytest.mark.parametrize(("url", "expected"), [("/login/", "/login/"), ("the-page", "/the/page")])
def test_who_is_not_logged_in_is_sent_to_the_login_which_may_be_named(url: str, expected: str) -> None:
    with override_settings(LOGIN_URL=url):
        answer = Client().post("/components/note?event=deny", "", content_type=FORM)
    assert (code(answer), answer["HX-Redirect"]) == ((401, "unauthenticated"), expected)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("component", ["note", "async_note"])
async def test_a_site_that_wants_a_login_everywhere_refuses_events_without_a_redirect(component: str) -> None:
    guard = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    user = await get_user_model().objects.acreate(username="ada")
    client = AsyncClient()
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, guard], LOGIN_URL="/login/"):
        answer = await client.post(f"/components/{component}?event=save", "", content_type=FORM)
        assert (code(answer), answer["HX-Redirect"]) == ((401, "unauthenticated"), "/login/")
        await client.aforce_login(user)
        answer = await client.post(f"/components/{component}?event=save", "", content_type=FORM)
    assert ">ada</p>" in answer.content.decode()


@pytest.mark.parametrize("prefix", ["/", "/app/"])
@pytest.mark.parametrize("url", ["/static/", "static/", "https://cdn.example.org/s/"])
def test_assets_are_where_django_has_its_static_files(url: str, prefix: str) -> None:
    with script_prefix(prefix), override_settings(STATIC_URL=url):
        request = RequestFactory().get("/", SCRIPT_NAME=prefix.rstrip("/"))
        markup = Template("{% component_scripts %}").render(Context({"request": request}))
        found = re.search(r'src="([^"?]*/htmx.min.js)', markup)
        assert found is not None
        assert found[1] == static("component_framework/htmx.min.js")


def test_the_checks_know_of_a_prefix_that_every_address_has() -> None:
    with script_prefix("/app/"):
        assert run_checks() == []


def test_the_checks_name_what_is_wrong_in_the_settings() -> None:
    def found() -> list[str]:
        return [str(message.id).removeprefix("component_framework.") for message in run_checks()]

    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": registry, "TRUSTED_PROXIES": ["nonsense"]}):
        assert found() == ["E001"]
    with override_settings(LOGIN_URL="no-such-name"):
        assert found() == ["E001"]
    with override_settings(MIDDLEWARE=[]):
        assert found() == ["W002", "W003"]
    template: dict[str, Any] = settings.TEMPLATES[0]
    unsafe = {**template, "OPTIONS": {**template["OPTIONS"], "autoescape": False}}
    with override_settings(TEMPLATES=[unsafe]):
        assert found() == ["E001"]


def test_the_tags_can_be_loaded_and_are_there_in_every_template_engine() -> None:
    template: dict[str, Any] = settings.TEMPLATES[0]
    with override_settings(TEMPLATES=[{**template, "NAME": "another"}]):
        assert "data-state" in Client().get("/the/page").content.decode()
    assert "data-state" in Client().get("/the/page").content.decode()
    assert Template("{% load component_framework %}")
