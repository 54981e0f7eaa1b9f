"""Both examples, clicked through as a visitor would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import Driver, Tab
from tests.servers import granian_process

SITE = Path(__file__).parent.parent.parent / "examples" / "django_site"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module", params=["fastapi_app.main", "litestar_app"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The FastAPI example, and the same components on Litestar."""
    database = str(tmp_path_factory.mktemp("desk") / "orders.sqlite3")
    with granian_process(f"examples.{request.param}:app", SQLITE=database) as address:
        yield address


@pytest.fixture(scope="module", params=["asginl", "wsgi"])
def django(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Django site, migrated and with data."""
    environment = {
        "SQLITE": str(tmp_path_factory.mktemp("site") / "site.sqlite3"),
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
    tab(lambda page: page.check("[name=terms]"))
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, ".cf-invalid .cf-errors", "The two passwords are not the same.")
    tab(lambda page: page.wait_for_function("() => document.activeElement.name === 'again'"))
    tab(lambda page: page.fill("[name=again]", "a long password"))
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, ".cf-invalid .cf-errors", "There is an account with this address.")
    tab(lambda page: page.fill("[name=email]", "grace@example.org"))
    tab(lambda page: page.click(".cf-submit"))
    await_text(tab, ".good", "Welcome, Grace. 1 × team.")


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


@pytest.mark.parametrize("fill_in", [sign_up, send_invoice, book_workshop])
def test_the_forms_are_filled_in_and_answered(tab: Tab, desk: str, fill_in: Callable[[Tab, str], None]) -> None:
    fill_in(tab, desk)


@pytest.mark.parametrize("fill_in", [sign_up, send_invoice, book_workshop])
def test_the_forms_on_django_are_filled_in_and_answered(
    tab: Tab, django: str, fill_in: Callable[[Tab, str], None]
) -> None:
    fill_in(tab, django)
