"""The Django example over HTTP, migrated and seeded in a SQLite file of its own."""

from __future__ import annotations

import importlib.util
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.servers import granian_process

SITE = Path(__file__).parent.parent.parent / "examples" / "django_site"


@dataclass
class Site:
    """The site's database file, its environment, and its address once it is served."""

    database: Path
    address: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SQLITE": str(self.database),
            "SECRET_KEY": "of a test",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": os.pathsep.join([str(SITE), str(SITE.parent.parent)]),
        }

    def manage(self, *command: str) -> str:
        """What `manage.py` writes."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(
            [sys.executable, str(SITE / "manage.py"), *command], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site") / "site.sqlite3")
    site.manage("migrate", "-v0")
    site.manage("seed")
    with granian_process("config.wsgi:application", "wsgi", **site.environment) as address:
        site.address = address
        yield site


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.address, follow_redirects=True, trust_env=False) as client:
        yield client


def log_in(client: httpx.Client, name: str, password: str = "components") -> httpx.Response:
    client.get("/login")
    form = {"username": name, "password": password, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    return client.post("/login", data=form)


def found(page: httpx.Response) -> int:
    """How many orders the desk on the page says that there are."""
    match = re.search(r'role="status">([\d,]+) orders', page.text)
    assert match is not None, page.text
    return int(match[1].replace(",", ""))


def test_the_models_and_their_migrations_agree(site: Site) -> None:
    assert "No changes" in site.manage("makemigrations", "--check", "--dry-run")


def test_seeding_says_who_can_log_in_and_a_second_time_changes_nothing(site: Site) -> None:
    query = "select count(*), sum(id), (select count(*) from desk_orderline), (select count(*) from auth_user) from desk_order"
    before = site.rows(query)
    said = site.manage("seed")
    assert all(word in said for word in ("1000 orders", "ada", "ben", "sam (staff)", "components"))
    assert site.rows(query) == before
    assert before[0][0] == 1000


def test_an_order_costs_what_its_lines_cost(site: Site) -> None:
    costs = "select round(sum(quantity * price), 2) from desk_orderline where order_id = desk_order.id"
    assert site.rows(f"select number from desk_order where round(total, 2) is not ({costs})") == []


def test_a_stranger_is_sent_to_the_login_page(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.url.path == "/login"
    assert 'name="password"' in page.text


def test_a_wrong_password_is_answered_with_a_message(client: httpx.Client) -> None:
    assert 'role="alert"' in log_in(client, "ada", "wrong").text


def test_owners_see_their_own_orders_and_staff_all_of_them(client: httpx.Client, site: Site) -> None:
    counts = {}
    for name in ("ada", "ben", "sam"):
        client.cookies.clear()
        counts[name] = found(log_in(client, name))
    assert counts["ada"] + counts["ben"] == counts["sam"] == 1000
    assert site.rows("select count(*) from desk_order join auth_user u on u.id = owner_id where username = 'ada'") == [
        (counts["ada"],)
    ]


def test_nobody_is_shown_no_order_by_the_model_itself(site: Site) -> None:
    script = (
        "from django.contrib.auth.models import AnonymousUser; from desk.models import Order;"
        "print(Order.objects.visible_to(AnonymousUser()).count())"
    )
    assert site.manage("shell", "-v0", "-c", script).strip() == "0"


def test_logging_out_ends_the_session(client: httpx.Client) -> None:
    log_in(client, "ada")
    client.post("/logout", data={"csrfmiddlewaretoken": client.cookies["csrftoken"]})
    assert client.get("/").url.path == "/login"


@pytest.mark.parametrize("path", ["/login", "/ask", "/no-such-page", "/static/shared/app.css"])
def test_every_answer_carries_the_security_policy(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["Content-Security-Policy"].startswith("default-src 'self';")


def test_everybody_may_ask_the_docs(client: httpx.Client) -> None:
    page = client.get("/ask")
    assert page.status_code == 200
    assert 'data-component="ask_docs"' in page.text


@pytest.fixture(scope="module")
def settings() -> ModuleType:
    """The site's settings as a module, without Django being set up with them."""
    spec = importlib.util.spec_from_file_location("settings_of_the_example", SITE / "config" / "settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_address_of_a_postgresql_becomes_its_settings(settings: ModuleType) -> None:
    assert settings.database("postgres://desk:p%40ss@db.example:5433/orders%20desk?sslmode=require") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "orders desk",
        "USER": "desk",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": 5433,
        "OPTIONS": {"sslmode": "require"},
    }


def test_an_address_of_another_database_is_refused(settings: ModuleType) -> None:
    with pytest.raises(ImproperlyConfigured, match="postgres://"):
        settings.database("mysql://root@localhost/desk")


def test_the_gallery_takes_a_picture_and_serves_it_safely(site: Site) -> None:
    content = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
    with httpx.Client(base_url=site.address) as client:
        page = client.get("/gallery").text
        token = re.search(r'data-component="gallery"[^>]*data-state="([^"]+)"', page)
        assert token is not None
        headers = {"HX-Request": "true", "X-Component-State": token[1], "X-CSRFToken": client.cookies["csrftoken"]}
        files = [("pictures", ("cat.png", content, "image/png"))]
        answer = client.post("/components/gallery?event=upload", files=files, headers=headers)
        source = re.search(r'src="(/pictures/[0-9a-f]{32}\.png)"', answer.text)
        assert source is not None, answer.text
        picture = client.get(source[1])
    assert picture.content == content
    assert picture.headers["x-content-type-options"] == "nosniff"
