"""What a visitor sees of other visitors: pushes, rooms and calls, in a real browser, over a stream and over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Driver, Tab, connected, text
from tests.browser.dropping_proxy import dropping_proxy
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
    tab(lambda page: page.wait_for_function("added.length >= 10"))
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


def test_a_lively_page_never_runs_out_of_room_for_its_messages(tab: Tab, place: Place) -> None:
    world, _ = place
    visit(tab, place, "plain")
    tab(
        lambda page: page.evaluate(
            """async () => {
              window.overflown = 0; document.addEventListener('component:overflow', () => overflown++);
              for (let n = 0; n < 150; n++) { components.send('say', { text: String(n) }); await new Promise(done => setTimeout(done, 12)); }
            }"""
        )
    )
    said = "window.heard = new Promise(done => components.on('entered', done)); components.send('enter'); heard"
    tab(lambda page: page.evaluate(said))
    assert tab(lambda page: page.evaluate("overflown")) == 0
    assert [text for name, text in world.heard if name == "say"] == [str(n) for n in range(150)]


def test_what_is_said_before_there_is_a_connection_arrives_in_order_and_what_is_too_much_is_told(
    tab: Tab, place: Place
) -> None:
    world, _ = place
    visit(tab, place, "plain")
    script = """() => { window.overflown = []; document.addEventListener('component:overflow', e => overflown.push(e.detail.message.data.text));
      for (let n = 0; n < 103; n++) components.send('say', { text: String(n) }); }"""
    tab(lambda page: page.evaluate(script))
    connected(tab)
    assert tab(lambda page: page.evaluate("overflown")) == ["100", "101", "102"]
    entered = "new Promise(done => { components.on('entered', done); const again = setInterval(() => { try { components.send('enter'); } catch {} }, 50); })"
    tab(lambda page: page.evaluate(entered))
    assert [text for name, text in world.heard if name == "say"] == [str(n) for n in range(100)]


def test_a_page_that_had_too_much_to_say_is_still_shown_what_changes(tab: Tab, place: Place) -> None:
    world, _ = place
    script = """addEventListener('DOMContentLoaded', () => {
      for (let n = 0; n < 120; n++) components.send('say', { text: String(n) }); })"""
    tab(lambda page: page.add_init_script(script))
    visit(tab, place, "stock:1")
    connected(tab)
    tab(
        lambda page: page.evaluate(
            "new Promise(done => { components.on('entered', done); setTimeout(() => components.send('enter'), 500); })"
        )
    )
    world.stock[1] = 4
    world.engine.publish_sync("stock:1")
    text(tab, "b", "4")


def test_a_call_goes_the_way_that_events_go(tab: Tab, place: Place) -> None:
    visit(tab, place, "stock:1")
    connected(tab)
    posted: list[str] = []
    tab(lambda page: page.on("request", lambda request: posted.append(request.url)))
    total = "components.call(document.querySelector('b'), 'total', {prices: [1, 2]})"
    assert tab(lambda page: page.evaluate(total)) == 30
    refusal = "components.call(document.querySelector('b'), 'total', {prices: 'x'}).catch(e => [e.status, e.code, Object.keys(e.errors)])"
    tab.expected = ["422"]
    assert tab(lambda page: page.evaluate(refusal)) == [422, "invalid", ["prices"]]
    over_the_socket = tab(lambda page: page.evaluate("!!document.querySelector('script[src*=\"socket.js\"]')"))
    assert len(posted) == (0 if over_the_socket else 2)


def test_a_page_opens_one_connection_and_that_is_the_right_one(tab: Tab, place: Place) -> None:
    asked: list[str] = []
    tab(lambda page: page.on("request", lambda request: asked.extend([request.url] * (request.method == "GET"))))
    tab(lambda page: page.on("websocket", lambda socket: asked.append(socket.url)))
    visit(tab, place, "stock:1")
    connected(tab)
    over_the_socket = tab(lambda page: page.evaluate("!!document.querySelector('script[src*=\"socket.js\"]')"))
    assert [url.partition("/components/")[2] for url in asked if url.endswith(("/live", "/ws"))] == [
        "ws" if over_the_socket else "live"
    ]


def test_a_duplicated_tab_has_a_session_of_its_own(tab: Tab, place: Place) -> None:
    world, _ = place
    visit(tab, place, "stock:1")
    connected(tab)
    copy = tab(lambda page: _duplicate(page))
    try:
        tab(lambda page: copy.wait_for_function("() => components.open"))
        assert len({session.id for session in world.engine.sessions}) == 2
    finally:
        tab(lambda page: copy.close())


def _duplicate(page: Page) -> Page:
    """A tab that the page opens: it begins with a copy of its sessionStorage."""
    page.evaluate("sessionStorage.setItem('kept', 'yes')")
    with page.expect_popup() as popup:
        page.evaluate("open(location.href)")
    popup.value.wait_for_function("() => sessionStorage.getItem('kept') === 'yes'")
    return popup.value


def test_a_second_load_of_the_scripts_changes_nothing_and_the_object_cannot_be_changed(tab: Tab, place: Place) -> None:
    world, _ = place
    visit(tab, place, "stock:1")
    connected(tab)
    again = """async () => { const before = components;
      for (const script of [...document.querySelectorAll('script[src*="live.js"], script[src*="component.js"]')]) await new Promise(done => {
        const copy = document.createElement('script'); copy.src = script.src; copy.onload = done; document.head.append(copy); });
      components.send = 0;
      return [before === components, Object.isFrozen(components), typeof components.send]; }"""
    assert tab(lambda page: page.evaluate(again)) == [True, True, "function"]
    tab(lambda page: page.click("text=Count"))
    text(tab, "i", "1")
    assert len(world.engine.sessions) == 1


def test_the_server_calls_a_component_of_a_page_and_only_that_one_shows_itself_anew(tab: Tab, place: Place) -> None:
    visit(tab, place, "stock:1,stock:2,plain")
    connected(tab)
    tab(
        lambda page: page.evaluate(
            "window.swaps = []; document.addEventListener('htmx:after:swap', e => swaps.push(e.target.id || e.target.tagName))"
        )
    )
    drive = """([target, event, data]) => new Promise(done => { const off = components.on('driven', ({outcome}) => { off(); done(outcome); });
      components.send('drive', { target, event, data }); })"""
    second = tab(lambda page: page.evaluate("document.querySelectorAll('[data-component=stock]')[1].id"))
    assert tab(lambda page: page.evaluate(drive, [second, "count", {}])) is None
    text(tab, f"#{second} i", "1")
    text(tab, "[data-component=stock] i", "0")
    assert tab(lambda page: page.evaluate(drive, ["plain", "greet", {"name": 7}])) is None
    assert tab(lambda page: page.evaluate(drive, [second, "total", {"prices": [1, 2]}])) == 60
    tab.expected = ["404", "422"]
    assert "there is no component" in tab(lambda page: page.evaluate(drive, ["elsewhere", "count", {}]))
    assert "404" in tab(lambda page: page.evaluate(drive, [second, "no_such_event", {}]))
    assert "422" in tab(lambda page: page.evaluate(drive, ["plain", "greet", {"name": "x"}]))


def test_an_element_that_is_sent_is_its_component_there_and_an_element_again_when_it_comes_back(
    tab: Tab, place: Place
) -> None:
    visit(tab, place, "stock:1,plain")
    point = """new Promise(done => { const root = document.querySelector('[data-component=plain]');
      components.on('pointed', ({ at, all }) => done([at === root, all[0] === root]));
      components.send('point', { at: root.querySelector('button') }); })"""
    assert tab(lambda page: page.evaluate(point)) == [True, True]


@pytest.mark.parametrize("name", ["report", "sync_report", "stored_report"])
def test_work_goes_on_when_its_event_is_over_and_its_result_is_shown(tab: Tab, place: Place, name: str) -> None:
    world, _ = place
    visit(tab, place, name)
    tab(lambda page: page.click("text=Make"))
    while not world.working:
        tab(lambda page: page.wait_for_timeout(10))
    world.go_on.set()
    text(tab, "b", "14")
    if name == "report":
        tab(lambda page: page.click("text=Fail"))
        tab(
            lambda page: page.wait_for_function(
                "() => document.querySelector('em').textContent.startsWith('Something went wrong')"
            )
        )


def test_work_ends_when_its_component_is_taken_off_the_page(tab: Tab, place: Place) -> None:
    world, _ = place
    visit(tab, place, "report,plain")
    tab(lambda page: page.click("text=Make"))
    connected(tab)
    while not world.working:
        tab(lambda page: page.wait_for_timeout(10))
    tab(lambda page: page.evaluate("document.querySelector('[data-component=report]').remove()"))
    tab(lambda page: page.click("text=Add"))
    while world.working:
        tab(lambda page: page.wait_for_timeout(10))


def test_lifecycle_events_come_once_and_in_order_in_200_random_orders_of_script_and_connection(
    tab: Tab, place: Place
) -> None:
    visit(tab, place, "plain")
    fuzz = (Path(__file__).parent / "lifecycle_fuzz.js").read_text().partition("\nasync ")[2]
    source = tab(lambda page: page.evaluate("document.querySelector('script[src*=\"live.js\"]').src"))
    assert tab(lambda page: page.evaluate(f"async {fuzz}", source)) == []


def test_no_click_and_no_message_is_lost_or_doubled_when_the_connection_drops_in_the_middle(
    driver: Driver, place: Place
) -> None:
    world, address = place
    world.engine.limits = msgspec.structs.replace(world.engine.limits, grace=10)
    with dropping_proxy(address) as proxy:
        tab = Tab(driver)
        tab.expected = ["ERR_", "WebSocket"]
        try:
            visit(tab, (world, proxy.address), "stock:1,stock:2")
            connected(tab)
            for n in range(30):
                tab(lambda page: page.click("[data-component=stock] >> text=Take"))
                tab(lambda page, n=n: page.evaluate(f"components.send('say', {{ text: '{n}' }})"))
                if n % 5 == 2:
                    proxy.drop()
                if n % 10 == 9:
                    connected(tab)
            connected(tab)
            text(tab, "[data-component=stock] b", "-20")
            done = "new Promise(done => { components.on('entered', done); components.send('enter'); })"
            tab(lambda page: page.evaluate(done))
            assert world.stock[1] == -20
            assert [text for name, text in world.heard if name == "say"] == [str(n) for n in range(30)]
            assert proxy.dropped > 3
            world.stock[2] = 5
            world.engine.publish_sync("stock:2")
            text(tab, "[data-component=stock]:nth-of-type(2) b", "5")
            assert len(world.engine.sessions) == 1
        finally:
            driver.run(tab.page.close)
    assert tab.unexpected() == []
