"""Forms in a real browser: errors that come and go, focus, typed text, rows and steps; and what axe says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from component_framework import Engine, FormComponent, register
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.adapters.starlette import component_routes, request_context
from examples.shared import forms
from examples.shared.site import CSP, SHARED
from tests.browser.conftest import Driver, Tab
from tests.servers import uvicorn_thread

AXE = (Path(__file__).parent / "vendored" / "axe.min.js").read_text()
engine = Engine(renderer=JinjaRenderer(), secret_key="of the browser's tests")
FORMS = (forms.SignUp, forms.Invoice, forms.Workshop)
"""What the tests fill in; importing the module has registered them."""


@register("beside")
class Beside(FormComponent):
    """A form, and a button that has nothing to do with it."""

    schema = forms.Person
    template = "<section>{{ form }}<button id=tick {{ on('tick') }}>{{ ticks }}</button></section>"
    ticks: int = 0

    def on_submit(self, form: forms.Person) -> None: ...

    def on_tick(self) -> None:
        self.ticks += 1


async def page(request: Request) -> Response:
    """One form on a page with a strict policy."""
    context = request_context(engine, request)
    markup = await engine.async_mount(request.path_params["name"], context=context)
    links = "".join(f'<link rel="stylesheet" href="/shared/{name}.css">' for name in ("app", "forms"))
    head = f'<!doctype html><html lang="en"><title>A form</title>{links}{engine.scripts(None, context)}'
    body = f"<body><main><h1>A form</h1>{markup}</main></body></html>"
    return HTMLResponse(head + body, headers={"Content-Security-Policy": CSP})


async def icon(request: Request) -> Response:
    return Response(status_code=204)


app = Starlette(
    routes=[
        *component_routes(engine),
        Route("/page/{name}", page),
        Route("/favicon.ico", icon),
        Mount("/shared", StaticFiles(directory=SHARED)),
    ]
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with uvicorn_thread(app) as address:
        yield address


def visit(tab: Tab, address: str, name: str) -> None:
    tab.expected = ["422"]
    tab(lambda page: page.set_default_timeout(8_000))
    tab(lambda page: page.goto(f"{address}/page/{name}"))


def fill(tab: Tab, **fields: str) -> None:
    for name, value in fields.items():
        tab(lambda page, name=name, value=value: page.fill(f'[name="{name}"]', value))


def errors(tab: Tab, *expected: str) -> None:
    """Wait until these errors are shown, and no others."""
    script = "expected => [...document.querySelectorAll('.cf-errors p')].map(p => p.textContent).join() === expected"
    tab(lambda page: page.wait_for_function(script, arg=",".join(expected)))


def focus(tab: Tab, name: str) -> None:
    """Wait until the field of this name has the focus."""
    tab(lambda page: page.wait_for_function("name => document.activeElement.name === name", arg=name))


def value(tab: Tab, name: str) -> Any:
    return tab(lambda page: page.input_value(f'[name="{name}"]'))


def settled(tab: Tab) -> None:
    """Wait until no event is on its way."""
    tab(lambda page: page.wait_for_function("() => !document.querySelector('[aria-busy]')"))


def test_an_error_comes_when_its_field_is_left_and_goes_when_it_is_right(tab: Tab, address: str) -> None:
    visit(tab, address, "sign_up")
    fill(tab, email="ada")
    tab(lambda page: page.press("[name=email]", "Tab"))
    errors(tab, "Enter an address like name@example.org.")
    focus(tab, "password")
    tab(lambda page: page.keyboard.type("a long password"))
    assert (value(tab, "email"), value(tab, "password")) == ("ada", "a long password")
    fill(tab, email="eve@example.org")
    tab(lambda page: page.press("[name=email]", "Tab"))
    errors(tab)
    assert value(tab, "password") == "a long password"


def test_after_a_refused_submit_the_first_wrong_field_has_the_focus_and_the_typed_text_stays(
    tab: Tab, address: str
) -> None:
    visit(tab, address, "sign_up")
    fill(
        tab,
        name="Ada",
        email="ada",
        password="a long password",
        again="a long password",
        seats="99",
        about="two\nlines",
    )
    tab(lambda page: page.check("[value=events]"))
    tab(lambda page: page.check("[value=phone]"))
    tab(lambda page: page.select_option("[name=plan]", "company"))
    tab(lambda page: page.click(".cf-submit"))
    errors(tab, "Enter an address like name@example.org.", "Must be at most 50.", "This field is required.")
    focus(tab, "email")
    assert (value(tab, "name"), value(tab, "password"), value(tab, "about")) == ("Ada", "a long password", "two\nlines")
    fill(tab, email="eve@example.org", seats="5")
    tab(lambda page: page.check("[name=terms]"))
    tab(lambda page: page.click(".cf-submit"))
    tab(lambda page: page.wait_for_selector(".good"))
    assert tab(lambda page: page.text_content(".good")) == "Welcome, Ada. 5 × company."


def test_after_a_reset_nothing_is_left_in_the_form(tab: Tab, address: str) -> None:
    visit(tab, address, "sign_up")
    fill(tab, name="Ada", email="eve@example.org", password="a long password", again="a long password", about="x")
    tab(lambda page: page.check("[name=terms]"))
    tab(lambda page: page.check("[value=news]"))
    tab(lambda page: page.check("[value=post]"))
    tab(lambda page: page.click(".cf-submit"))
    tab(lambda page: page.wait_for_selector(".good"))
    assert [value(tab, name) for name in ("name", "email", "password", "about")] == [""] * 4
    assert (
        tab(lambda page: page.eval_on_selector_all(":checked", "all => all.map(one => one.value).join()"))
        == "team,e-mail"
    )


CHOOSE = """size => {
  const chosen = new DataTransfer(), start = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  chosen.items.add(new File([start, new Uint8Array(size - start.length)], 'ada.png', { type: 'image/png' }));
  const input = document.querySelector('[name=avatar]');
  input.files = chosen.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}"""
CHOSEN = "[...document.querySelector('[name=avatar]').files].map(file => file.name).join()"


@pytest.mark.parametrize("size", [9_000, 3_000_000], ids=["in the form", "ahead of it"])
def test_a_chosen_file_is_still_chosen_after_another_field_was_wrong(tab: Tab, address: str, size: int) -> None:
    sent: list[tuple[str, int]] = []
    tab(
        lambda page: page.on(
            "request", lambda request: sent.append((request.url, len(request.post_data_buffer or b"")))
        )
    )
    visit(tab, address, "sign_up")
    tab(lambda page: page.evaluate(CHOOSE, size))
    settled(tab)
    fill(tab, name="Ada", email="ada", password="a long password", again="a long password")
    tab(lambda page: page.check("[name=terms]"))
    settled(tab)
    assert sum(length for url, length in sent if "event=validate" in url) < 9_000, "a check has sent the file"
    tab(lambda page: page.click(".cf-submit"))
    focus(tab, "email")
    errors(tab, "Enter an address like name@example.org.")
    assert tab(lambda page: page.evaluate(CHOSEN)) == "ada.png"
    fill(tab, email="eve@example.org")
    tab(lambda page: page.press("[name=email]", "Tab"))
    errors(tab)
    assert tab(lambda page: page.evaluate(CHOSEN)) == "ada.png"
    sent.clear()
    tab(lambda page: page.click(".cf-submit"))
    tab(lambda page: page.wait_for_selector(".good"))
    said = f"Welcome, Ada. 1 × team. What a picture: ada.png, {size // 1000} KB."
    assert tab(lambda page: page.text_content(".good")) == said
    assert tab(lambda page: page.evaluate(CHOSEN)) == ""
    assert sum(length for _, length in sent) < 20_000, "what had gone ahead was sent again"


def test_a_file_that_is_too_large_is_told_at_its_field_and_not_sent(tab: Tab, address: str) -> None:
    sent: list[int] = []
    tab(lambda page: page.on("request", lambda request: sent.append(len(request.post_data_buffer or b""))))
    visit(tab, address, "sign_up")
    fill(tab, name="Ada", email="eve@example.org", password="a long password", again="a long password")
    tab(lambda page: page.evaluate(CHOOSE, 12_000_000))
    tab(lambda page: page.click(".cf-submit"))
    errors(tab, "This file is larger than 4 MB.", "This field is required.")
    focus(tab, "avatar")
    tab.shoot("sign-up-with-a-large-picture")
    assert sum(sent) < 20_000
    tab(lambda page: page.evaluate(CHOOSE, 9_000))
    errors(tab, "This field is required.")
    tab(lambda page: page.check("[name=terms]"))
    tab(lambda page: page.click(".cf-submit"))
    tab(lambda page: page.wait_for_selector(".good"))


def test_an_event_beside_the_form_leaves_its_text_and_its_errors_alone(tab: Tab, address: str) -> None:
    visit(tab, address, "beside")
    fill(tab, email="ada")
    tab(lambda page: page.press("[name=email]", "Tab"))
    errors(tab, "Enter an address like name@example.org.")
    fill(tab, name="Ad")
    ticked = "count => document.querySelector('#tick').textContent === count"
    for count in ("1", "2"):
        tab(lambda page: page.click("#tick"))
        tab(lambda page, count=count: page.wait_for_function(ticked, arg=count))
    assert (value(tab, "name"), value(tab, "email")) == ("Ad", "ada")
    errors(tab, "Enter an address like name@example.org.")
    tab(lambda page: page.click(".cf-submit"))
    focus(tab, "email")
    assert value(tab, "name") == "Ad"


def test_an_error_of_the_handler_is_shown_at_its_field(tab: Tab, address: str) -> None:
    visit(tab, address, "sign_up")
    fill(tab, name="Ada", email="ada@example.org", password="a long password", again="a long password")
    tab(lambda page: page.check("[name=terms]"))
    tab(lambda page: page.press("[name=name]", "Enter"))
    errors(tab, "There is an account with this address.")
    focus(tab, "email")


def test_rows_move_with_what_is_in_them_and_a_new_one_is_ready_to_type_into(tab: Tab, address: str) -> None:
    visit(tab, address, "invoice")
    tab(lambda page: page.click("text=Add"))
    focus(tab, "lines-1-what")
    tab(lambda page: page.keyboard.type("Ink"))
    tab(lambda page: page.click('[aria-label="Move Lines 2 up"]'))
    order = "wanted => [...document.querySelectorAll('[name$=-what]')].map(one => one.value).join() === wanted"
    tab(lambda page: page.wait_for_function(order, arg="Ink,Pens"))
    tab(lambda page: page.click('[aria-label="Remove Lines 2"]'))
    tab(lambda page: page.wait_for_function(order, arg="Ink"))
    tab(lambda page: page.click(".cf-submit"))
    tab(lambda page: page.wait_for_selector("text=Northwind owes 1.00 for 1 lines."))


def test_typed_text_in_one_row_survives_a_new_row(tab: Tab, address: str) -> None:
    visit(tab, address, "invoice")
    fill(tab, **{"lines-0-what": "Fountain pens"})
    tab(lambda page: page.click("text=Add"))
    focus(tab, "lines-1-what")
    assert value(tab, "lines-0-what") == "Fountain pens"


def test_a_wizard_goes_back_and_forward_and_keeps_what_was_typed(tab: Tab, address: str) -> None:
    visit(tab, address, "workshop")
    fill(tab, name="Ada", email="ada@example.org")
    tab(lambda page: page.click(".cf-submit"))
    focus(tab, "day")
    tab(lambda page: page.check("[value=Tuesday]"))
    tab(lambda page: page.uncheck("[name=lunch]"))
    tab(lambda page: page.click(".cf-back"))
    focus(tab, "name")
    assert value(tab, "email") == "ada@example.org"
    tab(lambda page: page.click(".cf-submit"))
    focus(tab, "day")
    assert tab(lambda page: page.is_checked("[value=Tuesday]"))
    assert not tab(lambda page: page.is_checked("[name=lunch]"))
    tab(lambda page: page.click(".cf-submit"))
    focus(tab, "guests")
    fill(tab, guests="9")
    tab(lambda page: page.click(".cf-submit"))
    errors(tab, "Must be at most 5.")
    fill(tab, guests="2")
    tab(lambda page: page.click(".cf-submit"))
    tab(lambda page: page.wait_for_selector("[role=status]:focus >> text=Ada, 3 places on Tuesday, without lunch."))


@pytest.mark.parametrize("name", ["sign_up", "invoice", "workshop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_a_page_of_forms(driver: Driver, address: str, name: str, scheme: str) -> None:
    tab = Tab(driver, bypass_csp=True, color_scheme=scheme)  # axe is put into the page past its policy
    visit(tab, address, name)
    assert violations(tab) == []
    if name == "invoice":
        fill(tab, **{"lines-0-what": "", "customer": ""})
    tab(lambda page: page.click(".cf-submit"))
    tab(lambda page: page.wait_for_selector("[aria-invalid]"))
    assert violations(tab) == []
    assert not re.search(r"\sstyle=", tab(lambda page: page.content()))
    driver.run(tab.page.close)


def violations(tab: Tab) -> Any:
    settled(tab)
    tab(lambda page: page.evaluate(AXE))
    found = tab(lambda page: page.evaluate("axe.run()"))
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]
