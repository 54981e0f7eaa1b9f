"""What a visitor sees of other visitors: pushes, rooms and calls, in a real browser, over a stream and over a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Driver, Tab
from tests.live.site import Point, World
from tests.servers import uvicorn_thread

Place = tuple[World, str]


@pytest.fixture(params=["stream", "socket"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    world = World(socket=request.param == "socket")
    with uvicorn_thread(world.app(), ws="websockets-sansio") as address:
        yield world, address


@pytest.fixture
def tab(driver: Driver, place: Place) -> Iterator[Tab]:
    """A page that is closed before its server is."""
    tab = Tab(driver)
    yield tab
    driver.run(tab.page.close)
    assert tab.unexpected() == []


@pytest.fixture
def other(driver: Driver, place: Place) -> Iterator[Tab]:
    tab = Tab(driver)
    yield tab
    driver.run(tab.page.close)
    assert tab.unexpected() == []


def visit(tab: Tab, place: Place, names: str) -> None:
    tab(lambda page: page.goto(f"{place[1]}/page/{names}"))


def text(tab: Tab, selector: str, expected: str) -> None:
    """Wait until `selector` reads `expected`."""
    script = "([selector, expected]) => document.querySelector(selector)?.textContent.trim() === expected"
    tab(lambda page: page.wait_for_function(script, arg=[selector, expected]))


def connected(tab: Tab) -> None:
    tab(lambda page: page.wait_for_function("() => components.open"))


def test_a_change_in_one_browser_is_seen_in_the_other(tab: Tab, other: Tab, place: Place) -> None:
    for each in (tab, other):
        visit(each, place, "stock:1")
        connected(each)
    other(lambda page: page.fill("#note-1", "half a word"))
    other(lambda page: page.click("text=Count"))
    text(other, "i", "1")
    tab(lambda page: page.click("text=Take"))
    for each in (tab, other):
        text(each, "b", "9")
    text(other, "i", "1")
    assert other(lambda page: page.input_value("#note-1")) == "half a word"
    assert other(lambda page: page.evaluate("document.activeElement.textContent")) == "Count"


def test_a_stored_component_is_rendered_on_the_server_and_pushed(tab: Tab, other: Tab, place: Place) -> None:
    visit(tab, place, "stock:1")
    visit(other, place, "stored:1")
    connected(tab)
    connected(other)
    other(lambda page: page.click("text=Count"))
    text(other, "i", "1")
    for amount in (9, 8):
        tab(lambda page: page.click("text=Take"))
        text(other, "b", str(amount))
    other(lambda page: page.click("text=Count"))
    text(other, "i", "2")


def test_a_shared_component_is_rendered_once_for_all(tab: Tab, other: Tab, place: Place) -> None:
    for each in (tab, other):
        visit(each, place, "board,stock:1")
        connected(each)
    text(tab, "b", "30")
    tab(lambda page: page.click("text=Take"))
    for each in (tab, other):
        text(each, "b", "29")


def test_what_happened_before_the_page_had_connected_is_seen_too(tab: Tab, place: Place) -> None:
    world, _ = place
    tab(lambda page: page.route("**/live.js*", lambda route: (world.stock.update({1: 3}), route.continue_())))
    visit(tab, place, "stock:1")
    text(tab, "b", "3")


def test_rooms_and_calls_in_both_directions(tab: Tab, other: Tab, place: Place) -> None:
    world, _ = place
    for each in (tab, other):
        visit(each, place, "plain")
        each(
            lambda page: page.evaluate(
                "window.got = []; components.on('said', ({text}) => got.push(text)); components.on('entered', () => got.push('in')); components.send('enter')"
            )
        )
        each(lambda page: page.wait_for_function("() => got.length"))
    tab(lambda page: page.evaluate("components.send('say', {text: 'hello'})"))
    other(lambda page: page.wait_for_function("() => got.includes('hello')"))
    assert tab(lambda page: page.evaluate("got")) == ["in"]
    found = "new Promise(done => { document.addEventListener('found', e => done(e.detail)); components.on('position', ({precise}) => ({x: precise ? 3 : 0, y: 4})); components.send('where') })"
    assert tab(lambda page: page.evaluate(found)) == {"ok": True}
    assert ("where", Point(3, 4)) in world.heard


def test_a_method_of_a_component_answers_with_a_value(tab: Tab, place: Place) -> None:
    visit(tab, place, "stock:1")
    tab.expected = ["422", "404"]
    assert (
        tab(lambda page: page.evaluate("components.call(document.querySelector('b'), 'total', {prices: [1, 2]})")) == 30
    )
    tab(lambda page: page.click("text=Count"))
    text(tab, "i", "1")
    assert tab(lambda page: page.evaluate("components.call(document.querySelector('b'), 'reset')")) == 1
    text(tab, "i", "0")
    refusal = "components.call(document.querySelector('b'), 'total', {prices: 'x'}).catch(e => [e.status, e.code, Object.keys(e.errors)])"
    assert tab(lambda page: page.evaluate(refusal)) == [422, "invalid", ["prices"]]
    missing = "components.call(document.querySelector('b'), '__init__').catch(e => e.status)"
    assert tab(lambda page: page.evaluate(missing)) == 404


def test_events_forms_and_streams_work_as_without_a_connection(tab: Tab, place: Place) -> None:
    visit(tab, place, "plain,stock:1")
    connected(tab)
    tab.expected = ["422"]
    tab(
        lambda page: page.evaluate("window.added = []; document.addEventListener('added', e => added.push(e.detail.n))")
    )
    tab(lambda page: page.evaluate("for (let n = 0; n < 10; n++) document.querySelector('button').click()"))
    text(tab, "b", "10")
    assert tab(lambda page: page.evaluate("added")) == list(range(1, 11))
    tab(lambda page: page.fill("[name=name]", "x"))
    tab(lambda page: page.press("[name=name]", "Enter"))
    tab(lambda page: page.wait_for_function("() => document.querySelector('p').textContent.trim()"))
    assert tab(lambda page: page.input_value("[name=name]")) == "x"
    tab(lambda page: page.click("#slow"))
    text(tab, "b", "310")


def test_lifecycle_events_happen_once_and_late_listeners_hear_them(tab: Tab, place: Place) -> None:
    world, _ = place
    visit(tab, place, "stock:1")
    connected(tab)
    heard = """new Promise(done => { const heard = [];
      for (const name of ['ready', 'connect', 'disconnect']) components.on(name, () => heard.push(name));
      setTimeout(() => done(heard), 50); })"""
    assert tab(lambda page: page.evaluate(heard)) == ["ready", "connect"]
    assert [name for name, _ in world.heard] == ["start", "connect"]
    tab(lambda page: page.goto("about:blank"))
    assert world.gone.wait(10)
    assert [name for name, _ in world.heard] == ["start", "connect", "disconnect"]


def test_a_page_with_nothing_to_hear_opens_no_connection(tab: Tab, place: Place) -> None:
    world, _ = place
    visit(tab, place, "plain")
    tab(lambda page: page.click("text=Add"))
    text(tab, "b", "1")
    assert not any(name == "connect" for name, _ in world.heard)
