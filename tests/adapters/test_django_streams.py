"""Django under WSGI: streams leave frame by frame, and what they used is given back."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import AsyncClient, Client, override_settings

from tests.adapters.django_parts import FORM, NAME, closed, registry, seen
from tests.servers import wsgi_thread

TOKEN = "t" * 32
HEADERS = {"HX-Request": "true", "X-CSRFToken": TOKEN, "Cookie": f"csrftoken={TOKEN}"}
STREAMS = [("steps", "sync"), ("steps", "async"), ("sync_steps", "sync")]


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    closed.clear()
    seen.clear()
    with override_settings(COMPONENT_FRAMEWORK={"REGISTRY": registry}, ROOT_URLCONF=NAME):
        yield


def stream(client: Client, component: str, event: str) -> Any:
    return client.post(f"/components/{component}/stream?event={event}", "", content_type=FORM)


def numbers(chunks: Iterator[bytes]) -> Iterator[str]:
    return (chunk.decode().partition("<b")[2].partition(">")[2].partition("<")[0] for chunk in chunks)


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize(("component", "event"), STREAMS)
def test_frames_leave_one_by_one_and_leaving_closes_the_handler(component: str, event: str, gzip: bool) -> None:
    middleware = ["django.middleware.gzip.GZipMiddleware"] if gzip else []
    with (
        override_settings(MIDDLEWARE=[*middleware, *settings.MIDDLEWARE]),
        wsgi_thread(get_wsgi_application()) as address,
    ):
        url = f"{address}/components/{component}/stream?event={event}"
        with httpx.stream("POST", url, headers=HEADERS | {"Accept-Encoding": "gzip"}, timeout=5) as answer:
            frames = (line for line in answer.iter_lines() if line.startswith("id: "))
            next(frames)  # the handler waits until it has been seen
            seen.set()
            next(frames)
    for _ in range(200):
        if closed:
            break
        threading.Event().wait(0.05)
    assert closed == [event]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("component", "event"), STREAMS)
@pytest.mark.parametrize("read", [0, 1])
def test_an_answer_that_nobody_reads_to_its_end_leaves_nothing_behind(component: str, event: str, read: int) -> None:
    threads = set(threading.enumerate())
    answer = stream(Client(), component, event)
    chunks = iter(answer)
    for _ in range(read):
        next(chunks)
    answer.close()
    assert closed == [event]
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_handler_that_waits_asks_the_database_and_every_frame_shows_it() -> None:
    get_user_model().objects.create(username="ada")
    chunks = list(stream(Client(), "steps", "ask"))
    assert [chunk for chunk in numbers(iter(chunks)) if chunk][:3] == ["41", "41", "41"]


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False
    gc.collect()  # here, where the warning of Python 3.13 about what is left behind is expected


def written() -> set[str]:
    return set(get_user_model().objects.values_list("username", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("atomic_requests")
# a worker thread's connection to a SQLite database in memory is one that Django does not close
@pytest.mark.filterwarnings("ignore:.*sqlite3.Connection:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("guarded", [True, False])
class TestAStreamThatFailsOnTheWay:
    """What it wrote is undone by its unit of work, and not by ATOMIC_REQUESTS."""

    def test_under_wsgi(self, guarded: bool) -> None:
        url = f"/components/ledger/stream?event=sync&guarded={guarded:d}"
        answer = Client().post(url, "", content_type=FORM)
        assert b"event: component:error" in b"".join(answer)
        assert written() == (set() if guarded else {"before", "after"})

    @pytest.mark.parametrize("event", ["sync", "async"])
    async def test_under_asgi(self, event: str, guarded: bool) -> None:
        url = f"/components/ledger/stream?event={event}&guarded={guarded:d}"
        answer: Any = await AsyncClient().post(url, "", content_type=FORM)
        assert b"event: component:error" in b"".join([chunk async for chunk in answer])
        assert await sync_to_async(written)() == (set() if guarded else {"before", "after"})
