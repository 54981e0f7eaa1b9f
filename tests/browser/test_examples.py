"""Both examples, clicked through as a visitor would."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Driver, Tab, connected
from tests.servers import granian_process

SITE = Path(__file__).parent.parent.parent / "examples" / "django_site"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module", params=["fastapi_app.main", "litestar_app"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The FastAPI example, and the same components on Litestar."""
    database = str(tmp_path_factory.mktemp("desk") / "orders.sqlite3")
    pictures = str(tmp_path_factory.mktemp("pictures"))
    with granian_process(f"examples.{request.param}:app", SQLITE=database, PICTURES=pictures) as address:
        yield address


@pytest.fixture(scope="module", params=["asginl", "wsgi"])
def django(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Django site, migrated and with data."""
    environment = {
        "SQLITE": str(tmp_path_factory.mktemp("site") / "site.sqlite3"),
        "PICTURES": str(tmp_path_factory.mktemp("pictures")),
        "SECRET_KEY": "of a test",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(SITE), str(SITE.parent.parent)]),
    }
    for command in (["migrate", "-v0"], ["seed"]):
        command = [sys.executable, str(SITE / "manage.py"), *command]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
    target = "config.wsgi:application" if request.param == "wsgi" else "config.asgi:application"
    with granian_process(target, request.param, **environment) as address:
        yield address


@pytest.fixture(params=SIZES)
def sized(driver: Driver, request: pytest.FixtureRequest) -> Iterator[Tab]:
    width, height = SIZES[request.param]
    tab = Tab(driver, viewport={"width": width, "height": height})
    tab.size = request.param
    yield tab
    driver.run(tab.page.close)
    assert tab.unexpected() == []


def await_text(tab: Tab, selector: str, expected: str) -> None:
    script = "([selector, expected]) => document.querySelector(selector)?.textContent.includes(expected)"
    tab(lambda page: page.wait_for_function(script, arg=[selector, expected]))


def edit_second_order(tab: Tab) -> None:
    tab(lambda page: page.click("tbody tr:nth-child(2) >> text=Edit"))
    tab(lambda page: page.select_option("select[name=status]", "shipped"))
    tab(lambda page: page.fill("input[name=note]", "Left with <the> neighbour"))


def ask(tab: Tab, address: str) -> None:
    tab(lambda page: page.goto(f"{address}/ask"))
    tab(lambda page: page.fill("#question", "how is the state signed"))
    tab(lambda page: page.press("#question", "Enter"))
    await_text(tab, ".passages", "sign")
    assert tab(lambda page: page.evaluate("document.activeElement.id")) == "question"


def test_the_order_desk_searches_sorts_and_saves(sized: Tab, desk: str) -> None:
    sized(lambda page: page.goto(f"{desk}/orders"))
    sized(lambda page: page.type("#words", "ada"))
    await_text(sized, "[role=status]", "124 orders")
    assert sized(lambda page: page.evaluate("document.activeElement.id")) == "words"
    sized(lambda page: page.click("th button >> text=Total"))
    await_text(sized, "th[aria-sort=ascending]", "Total")
    edit_second_order(sized)
    sized.shoot(f"fastapi-orders-{sized.size}")
    sized(lambda page: page.click("text=Save"))
    await_text(sized, "tbody tr:nth-child(2)", "Left with <the> neighbour")
    await_text(sized, ".toast", "saved")


def focus(tab: Tab) -> str:
    """What screen readers call the element that has the focus."""
    return str(tab(lambda page: page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.id")))


def test_a_reload_and_the_back_button_show_the_same_orders_again(tab: Tab, desk: str) -> None:
    tab(lambda page: page.goto(f"{desk}/orders"))
    tab(lambda page: page.type("#words", "fox"))
    await_text(tab, ".pager", "Page 1 of 11")
    for number in (2, 3):
        tab(lambda page: page.click("text=Later"))
        await_text(tab, ".pager", f"Page {number} of 11")
    tab(lambda page: page.reload())
    await_text(tab, ".pager", "Page 3 of 11")
    tab(lambda page: page.go_back())
    await_text(tab, ".pager", "Page 2 of 11")
    assert tab(lambda page: page.input_value("#words")) == "fox"
    tab(lambda page: page.click("text=Ask the docs"))
    tab(lambda page: page.go_back())
    await_text(tab, ".pager", "Page 2 of 11")
    tab(lambda page: page.click("text=Earlier"))
    await_text(tab, ".pager", "Page 1 of 11")


@pytest.mark.parametrize("query", ["page=0", "page=many", "sort=;", "page=1&nothing=1", "words=" + 61 * "x"])
def test_an_address_that_makes_no_sense_shows_everything(tab: Tab, desk: str, query: str) -> None:
    tab(lambda page: page.goto(f"{desk}/orders?{query}"))
    await_text(tab, ".pager", "Page 1 of 50")


def test_an_order_is_edited_with_the_keyboard_alone(tab: Tab, desk: str) -> None:
    tab(lambda page: page.goto(f"{desk}/orders"))
    tab(lambda page: page.focus("tbody tr:nth-child(5) button"))
    tab(lambda page: page.keyboard.press("Enter"))
    tab(lambda page: page.wait_for_selector("select:focus"))
    assert focus(tab) == "Status of A-10004"
    tab(lambda page: page.keyboard.press("Tab"))
    tab(lambda page: page.keyboard.type("By bicycle"))
    tab(lambda page: page.keyboard.press("Enter"))
    tab(lambda page: page.wait_for_selector("button:focus"))
    assert focus(tab) == "Edit A-10004"
    await_text(tab, "tbody tr:nth-child(5)", "By bicycle")


def test_the_counter_counts_more_than_once(tab: Tab, desk: str) -> None:
    tab(lambda page: page.goto(desk))
    for count in (1, 2, 3):
        tab(lambda page: page.click("text=+"))
        await_text(tab, "output", str(count))
    tab.shoot("fastapi-counter")
    tab(lambda page: page.click("text=Reset"))
    await_text(tab, "output", "0")


def test_the_docs_answer_a_question_with_a_stream_of_steps(sized: Tab, desk: str) -> None:
    ask(sized, desk)
    sized.shoot(f"fastapi-ask-{sized.size}")


def test_what_is_typed_into_one_thing_survives_what_happens_to_the_others(tab: Tab, desk: str) -> None:
    tab(lambda page: page.goto(f"{desk}/packing"))
    tab(lambda page: page.click("li:nth-child(2) >> text=Rename"))
    tab(lambda page: page.fill("li:nth-child(2) input", "Train tick"))
    tab(lambda page: page.click("li:nth-child(1) >> text=Pack"))
    await_text(tab, "h2", "1 of 3 packed")
    tab(lambda page: page.fill(".items + form input", "Socks"))
    tab(lambda page: page.click("text=Add"))
    await_text(tab, "h2", "1 of 4 packed")
    assert tab(lambda page: page.input_value(".items + form input")) == ""
    assert focus(tab) == "title-4"
    assert tab(lambda page: page.input_value("li:nth-child(2) input")) == "Train tick"
    tab.shoot("fastapi-packing")


def test_the_django_desk_shows_owners_their_own_orders_and_saves(sized: Tab, django: str) -> None:
    sized(lambda page: page.goto(django))
    for field, value in (("#id_username", "ada"), ("#id_password", "components")):
        sized(lambda page, field=field, value=value: page.fill(field, value))
    sized(lambda page: page.click("main button"))
    await_text(sized, "[role=status]", "489 orders")
    sized(lambda page: page.type("#words", "Fox"))
    await_text(sized, "[role=status]", "103 orders")
    edit_second_order(sized)
    sized.shoot(f"django-orders-{sized.size}")
    sized(lambda page: page.click("text=Save"))
    await_text(sized, "tbody tr:nth-child(2)", "Left with <the> neighbour")
    await_text(sized, ".toast", "saved")


def test_the_django_stream_page_answers(tab: Tab, django: str) -> None:
    ask(tab, django)


def sign_up(tab: Tab, site: str) -> None:
    tab.expected = ["422"]
    tab(lambda page: page.goto(f"{site}/sign-up"))
    for name, value in (
        ("name", "Grace"),
        ("email", "ada@example.org"),
        ("password", "a long password"),
        ("again", "a long word"),
    ):
        tab(lambda page, name=name, value=value: page.fill(f"[name={name}]", value))
    tab(lambda page: page.set_input_files("[name=avatar]", picture("grace.png", 700)))
    tab(lambda page: page.check("[name=terms]"))
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, ".cf-invalid .cf-errors", "The two passwords are not the same.")
    tab(lambda page: page.wait_for_function("() => document.activeElement.name === 'again'"))
    tab(lambda page: page.fill("[name=again]", "a long password"))
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, ".cf-invalid .cf-errors", "There is an account with this address.")
    tab(lambda page: page.fill("[name=email]", "grace@example.org"))
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, ".good", "Welcome, Grace. 1 × team. What a picture: grace.png,")
    tab.shoot("signed-up")


def send_invoice(tab: Tab, site: str) -> None:
    tab(lambda page: page.goto(f"{site}/invoice"))
    tab(lambda page: page.click(".cf-rows-actions button"))
    tab(lambda page: page.wait_for_function("() => document.activeElement.name === 'lines-1-what'"))
    tab(lambda page: page.keyboard.type("Ink"))
    tab(lambda page: page.fill("[name=lines-1-price]", "2,50"))
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, ".good", "Northwind owes 16.90 for 2 lines.")


def book_workshop(tab: Tab, site: str) -> None:
    tab(lambda page: page.goto(f"{site}/workshop"))
    tab(lambda page: page.fill("[name=name]", "Grace"))
    tab(lambda page: page.fill("[name=email]", "grace@example.org"))
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, "[aria-current=step]", "Day")
    tab(lambda page: page.check("[value=Tuesday]"))
    tab(lambda page: page.click(".cf-back"))
    await_text(tab, "[aria-current=step]", "Person")
    assert tab(lambda page: page.input_value("[name=name]")) == "Grace"
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, "[aria-current=step]", "Day")
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, "[aria-current=step]", "Wishes")
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, ".good", "Grace, 1 place on Tuesday, with lunch.")


def picture(name: str, size: int) -> dict[str, Any]:
    """A PNG of noise, `size` pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + random.Random(row).randbytes(3 * size) for row in range(size))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
    return {"name": name, "mimeType": "image/png", "buffer": content}


def send_pictures(tab: Tab, site: str) -> None:
    """With the keyboard alone: the drop zone has a real file input, and says what is wrong where it is wrong."""
    tab.expected = ["422"]
    tab(lambda page: page.goto(f"{site}/gallery"))
    wrong = {"name": "cat.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}
    tab(lambda page: page.set_input_files("#pictures", [wrong]))
    tab(lambda page: page.focus("#pictures"))
    tab(lambda page: page.keyboard.press("Tab"))
    tab(lambda page: page.keyboard.press("Enter"))
    await_text(tab, "#pictures-error", "This file is not what its name says.")
    assert tab(lambda page: page.get_attribute("#pictures", "aria-describedby")) == "pictures-error"

    tab(lambda page: page.set_input_files("#pictures", [picture("a large one.png", 1000), picture("small.png", 20)]))
    tab(lambda page: page.wait_for_selector("canvas[aria-label='a large one.png'] + canvas[aria-label='small.png']"))
    tab.shoot(f"gallery-chosen-{tab.size}")
    tab(lambda page: page.click(".drop .primary"))
    loaded = "() => [...document.querySelectorAll('.gallery img')].filter(image => image.naturalWidth).length === 2"
    tab(lambda page: page.wait_for_function(loaded))
    await_text(tab, ".gallery", "a large one.png · 3002 KB")
    assert not tab(lambda page: page.is_visible("progress"))
    assert tab(lambda page: page.locator("#pictures-error").count()) == 0
    wide = tab(lambda page: page.evaluate("document.documentElement.scrollWidth > innerWidth"))
    assert not wide, "the page can be moved sideways"
    for scheme in ("dark", "light"):
        tab(lambda page, scheme=scheme: page.emulate_media(color_scheme=scheme))
        tab.shoot(f"gallery-{tab.size}-{scheme}")


def test_pictures_are_sent_and_shown(sized: Tab, desk: str) -> None:
    send_pictures(sized, desk)


def test_pictures_are_sent_and_shown_on_django(sized: Tab, django: str) -> None:
    send_pictures(sized, django)


@pytest.mark.parametrize("fill_in", [sign_up, send_invoice, book_workshop])
def test_the_forms_are_filled_in_and_answered(tab: Tab, desk: str, fill_in: Callable[[Tab, str], None]) -> None:
    fill_in(tab, desk)


@pytest.mark.parametrize("fill_in", [sign_up, send_invoice, book_workshop])
def test_the_forms_on_django_are_filled_in_and_answered(
    tab: Tab, django: str, fill_in: Callable[[Tab, str], None]
) -> None:
    fill_in(tab, django)


@pytest.fixture
def other(driver: Driver) -> Iterator[Tab]:
    """A second visitor, with cookies of its own."""
    tab = Tab(driver, viewport={"width": 1280, "height": 800})
    yield tab
    driver.run(tab.page.close)
    assert tab.unexpected() == []


def log_in(tab: Tab, site: str) -> None:
    tab(lambda page: page.goto(site))
    for field, value in (("#id_username", "ada"), ("#id_password", "components")):
        tab(lambda page, field=field, value=value: page.fill(field, value))
    tab(lambda page: page.click("main button"))
    await_text(tab, "[role=status]", "orders")


def change_an_order(one: Tab, two: Tab) -> None:
    """Change an order in one browser; it is shown in the other, where somebody is typing into another row."""
    for tab in (one, two):
        connected(tab)
    two(lambda page: page.click("tbody tr:nth-child(3) >> text=Edit"))
    two(lambda page: page.fill("input[name=note]", "half a sentence"))
    one(lambda page: page.click("tbody tr:nth-child(1) >> text=Edit"))
    one(lambda page: page.fill("input[name=note]", "Seen everywhere"))
    one(lambda page: page.click("text=Save"))
    await_text(one, "tbody tr:nth-child(1)", "Seen everywhere")
    await_text(two, "tbody tr:nth-child(1)", "Seen everywhere")
    assert two(lambda page: page.input_value("input[name=note]")) == "half a sentence"


def test_an_order_that_is_changed_in_one_browser_changes_in_the_other(tab: Tab, other: Tab, desk: str) -> None:
    for each in (tab, other):
        each(lambda page: page.goto(f"{desk}/orders"))
    change_an_order(tab, other)
    other.shoot("live-orders")


@pytest.mark.parametrize("django", ["asginl"], indirect=True)
def test_on_django_an_order_that_is_changed_in_one_browser_changes_in_the_other(
    tab: Tab, other: Tab, django: str
) -> None:
    for each in (tab, other):
        log_in(each, django)
    change_an_order(tab, other)
    other.shoot("live-django-orders")


def meet(ann: Tab, bob: Tab, site: str) -> None:
    """Two visitors in the room: who is there, who types, what is said."""
    for tab, name in ((ann, "Ann"), (bob, "Bob")):
        tab(lambda page: page.goto(f"{site}/room"))
        connected(tab)
        tab(lambda page, name=name: page.fill("#name", name))
        tab(lambda page: page.press("#name", "Enter"))
        await_text(tab, ".quiet", name)
    await_text(ann, ".quiet", "Here: Ann, Bob")
    bob(lambda page: page.type("#text", "Hello"))
    await_text(ann, ".typing", "Bob is typing")
    ann.shoot("live-room")
    bob(lambda page: page.press("#text", "Enter"))
    await_text(ann, ".said", "Bob Hello")
    bob(lambda page: page.wait_for_function("() => document.querySelector('#text').value === ''"))
    bob(lambda page: page.goto("about:blank"))


def watch_machine(tab: Tab, site: str) -> None:
    """Real figures, twice a second."""
    tab(lambda page: page.goto(f"{site}/machine"))
    tab(lambda page: page.wait_for_function("() => document.querySelector('dl')?.textContent.includes('Processors')"))
    points = "document.querySelector('polyline').getAttribute('points').split(' ').length"
    before = tab(lambda page: page.evaluate(points))
    tab(lambda page: page.wait_for_function(f"() => {points} >= {min(before + 3, 60)}"))
    tab.shoot("live-machine")


@pytest.mark.parametrize("visit", [meet, lambda tab, other, site: watch_machine(tab, site)], ids=["room", "machine"])
def test_the_pages_that_live(tab: Tab, other: Tab, desk: str, visit: Callable[[Tab, Tab, str], None]) -> None:
    visit(tab, other, desk)


@pytest.mark.parametrize("django", ["asginl"], indirect=True)
@pytest.mark.parametrize("visit", [meet, lambda tab, other, site: watch_machine(tab, site)], ids=["room", "machine"])
def test_the_pages_that_live_on_django(
    tab: Tab, other: Tab, django: str, visit: Callable[[Tab, Tab, str], None]
) -> None:
    visit(tab, other, django)
