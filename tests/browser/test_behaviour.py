"""What a visitor sees of components in a real browser, under `default-src 'self'`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Driver, Tab, text
from tests.browser.site import app
from tests.servers import uvicorn_thread

RECORD = """name => {
  window.heard ??= [];
  document.addEventListener(name, event => window.heard.push([name, event.detail]));
}"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with uvicorn_thread(app) as address:
        yield address


def visit(tab: Tab, address: str, name: str) -> None:
    tab(lambda page: page.goto(f"{address}/page/{name}"))


def heard(tab: Tab, count: int) -> Any:
    tab(lambda page: page.wait_for_function("count => window.heard.length >= count", arg=count))
    return tab(lambda page: page.evaluate("window.heard"))


def test_ten_clicks_within_200_ms_arrive_as_ten_in_order(tab: Tab, address: str) -> None:
    visit(tab, address, "clicks")
    clicks = "for (let n = 0; n < 10; n++) setTimeout(() => document.getElementById('go').click(), n * 20)"
    tab(lambda page: page.evaluate(clicks))
    text(tab, "#go", "1,2,3,4,5,6,7,8,9,10")


def test_the_specifications_own_markup_works_again_and_again(tab: Tab, address: str) -> None:
    visit(tab, address, "spec_counter")
    for count in (1, 2, 3):
        tab(lambda page: page.click("#counter button"))
        text(tab, "#counter button", f"Count: {count}")


def test_field_errors_are_shown_and_typed_text_and_focus_survive(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    tab.expected = ["422"]
    tab(lambda page: page.fill("#name", "Ada"))
    tab(lambda page: page.fill("#age", "old"))
    tab(lambda page: page.press("#age", "Enter"))
    text(tab, "em", "Enter a whole number.")
    assert tab(lambda page: page.input_value("#name")) == "Ada"
    assert tab(lambda page: page.evaluate("document.activeElement.id")) == "age"
    tab(lambda page: page.fill("#age", "36"))
    tab(lambda page: page.press("#age", "Enter"))
    text(tab, "#saved", "Ada is 36")
    assert tab(lambda page: page.query_selector("em")) is None


def test_a_failure_leaves_the_page_as_it_was_and_says_so(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    tab.expected = ["500"]
    tab(lambda page: page.evaluate(RECORD, "component:error"))
    tab(lambda page: page.click("#tick"))
    text(tab, "#tick", "1")
    before = tab(lambda page: page.evaluate("document.querySelector('section').dataset.state"))
    tab(lambda page: page.click("#fail"))
    [[_, detail]] = heard(tab, 1)
    assert detail["code"] == "failed"
    assert len(detail["id"]) == 8
    assert tab(lambda page: page.evaluate("document.querySelector('section').dataset.state")) == before
    tab(lambda page: page.click("#tick"))
    text(tab, "#tick", "2")


def test_an_unreachable_server_is_told_and_the_next_click_works(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    tab.expected = ["Failed to fetch", "ERR_INTERNET_DISCONNECTED"]
    tab(lambda page: page.evaluate(RECORD, "component:error"))
    tab(lambda page: page.context.set_offline(True))
    tab(lambda page: page.click("#tick"))
    assert heard(tab, 1) == [["component:error", {"code": "network"}]]
    tab(lambda page: page.context.set_offline(False))
    tab(lambda page: page.click("#tick"))
    text(tab, "#tick", "1")


def test_a_stream_shows_each_frame_and_its_events_have_the_detail_of_a_posts(tab: Tab, address: str) -> None:
    visit(tab, address, "steps")
    tab(lambda page: page.evaluate(RECORD, "step"))
    observe = """() => {
      window.shown = [];
      new MutationObserver(() => window.shown.push(document.querySelector('output').textContent))
        .observe(document.body, {subtree: true, childList: true, characterData: true});
    }"""
    tab(lambda page: page.evaluate(observe))
    tab(lambda page: page.click("#start"))
    text(tab, "output", "4")
    assert list(dict.fromkeys(tab(lambda page: page.evaluate("window.shown")))) == ["1", "2", "3", "4"]
    assert heard(tab, 3) == [["step", {"number": number}] for number in (1, 2, 3)]


def test_an_event_of_a_post_has_the_detail_that_the_handler_gave(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    tab(lambda page: page.evaluate(RECORD, "ticked"))
    tab(lambda page: page.click("#tick"))
    assert heard(tab, 1) == [["ticked", {"ticks": 1}]]


def test_a_pushed_address_is_shown(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    tab(lambda page: page.click("#away"))
    tab(lambda page: page.wait_for_url("**/away"))
    assert tab(lambda page: page.url) == f"{address}/away"


def test_a_child_survives_its_parents_render_and_its_event_reaches_the_parent(tab: Tab, address: str) -> None:
    visit(tab, address, "parent")
    tab(lambda page: page.fill("#typed", "half a wor"))
    for count in ("1", "2"):
        tab(lambda page: page.click("#again"))
        text(tab, "#again", count)
        assert tab(lambda page: page.input_value("#typed")) == "half a wor"
    for told in (1, 2):
        tab(lambda page: page.click("#tell"))
        text(tab, "#heard", f"hello {told}")
    assert tab(lambda page: page.input_value("#typed")) == "half a wor"


def test_a_frame_older_than_the_page_is_dropped(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    for count in ("1", "2", "3"):
        tab(lambda page: page.click("#tick"))
        text(tab, "#tick", count)
    late = """async () => {
      const root = document.querySelector('section');
      const text = root.outerHTML.replace(/data-version="\\d+"/, 'data-version="2"').replace('>3</button>', '>old</button>');
      await htmx.swap({text, target: root, sourceElement: root, swap: 'outerMorph'});
    }"""
    tab(lambda page: page.evaluate(late))
    text(tab, "#tick", "3")


def test_a_lost_token_gives_a_fresh_component_and_says_so(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    tab.expected = ["409"]
    tab(lambda page: page.click("#tick"))
    text(tab, "#tick", "1")
    tab(lambda page: page.evaluate(RECORD, "component:reset"))
    tab(lambda page: page.evaluate("document.querySelector('section').dataset.state = ''"))
    tab(lambda page: page.click("#tick"))
    [[_, detail]] = heard(tab, 1)
    assert detail["code"] == "state_required"
    text(tab, "#tick", "0")
    tab(lambda page: page.click("#tick"))
    text(tab, "#tick", "1")


def test_without_component_js_a_form_with_component_fields_carries_the_state_and_a_bare_button_begins_anew(
    tab: Tab, address: str
) -> None:
    tab.expected = ["ERR_FAILED"]
    tab(lambda page: page.route("**/component.js*", lambda route: route.abort()))
    visit(tab, address, "plain")
    for count in ("1", "2", "3"):
        tab(lambda page: page.click("#kept"))
        text(tab, "output", count)
    tab(lambda page: page.click("#bare"))
    text(tab, "output", "1")


def test_without_any_script_a_form_with_component_fields_and_an_action_carries_the_state(
    driver: Driver, address: str
) -> None:
    tab = Tab(driver, java_script_enabled=False)
    visit(tab, address, "plain")
    for count in ("1", "2", "3"):
        tab(lambda page: page.click("#kept"))
        assert tab(lambda page: page.inner_text("output")) == count
    driver.run(tab.page.close)


def test_back_shows_the_page_that_was_left_and_its_components_work(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    tab(lambda page: page.click("#away"))
    tab(lambda page: page.wait_for_function("() => location.pathname === '/away'"))
    tab(lambda page: page.evaluate("history.back()"))
    tab(lambda page: page.wait_for_function("() => location.pathname === '/page/form'"))
    tab(lambda page: page.wait_for_function("() => document.querySelector('[data-version]')?.dataset.version === '1'"))
    tab(lambda page: page.click("#tick"))
    text(tab, "#tick", "1")


def test_a_click_without_a_network_is_told_and_the_next_one_works(tab: Tab, address: str) -> None:
    tab.expected = ["ERR_INTERNET_DISCONNECTED", "Failed to fetch"]
    visit(tab, address, "form")
    tab(lambda page: page.evaluate(RECORD, "component:error"))
    tab(lambda page: page.context.set_offline(True))
    tab(lambda page: page.click("#tick"))
    assert heard(tab, 1) == [["component:error", {"code": "network"}]]
    tab(lambda page: page.context.set_offline(False))
    tab(lambda page: page.click("#tick"))
    text(tab, "#tick", "1")
    assert tab(lambda page: page.get_attribute("[data-component]", "aria-busy")) is None


def test_three_hundred_swaps_leave_no_listener_and_no_node_behind(tab: Tab, address: str) -> None:
    visit(tab, address, "form")
    devtools = tab(lambda page: page.context.new_cdp_session(page))

    def kept() -> tuple[float, float]:
        tab(lambda page: devtools.send("HeapProfiler.collectGarbage"))
        tab(lambda page: devtools.send("Performance.enable"))
        found = tab(lambda page: devtools.send("Performance.getMetrics"))["metrics"]
        values = {metric["name"]: metric["value"] for metric in found}
        return values["JSEventListeners"], values["Nodes"]

    def click(times: int) -> None:
        script = """async times => {
          const value = () => document.getElementById('tick').textContent;
          for (; times; times--) {
            const before = value();
            const swapped = new Promise(done => document.addEventListener('htmx:after:swap', done, { once: true }));
            document.getElementById('tick').click();
            await swapped;
            if (value() === before) throw new Error('nothing was counted');
          }
        }"""
        tab(lambda page: page.evaluate(script, times))

    click(50)
    before = kept()
    click(300)
    listeners, nodes = kept()
    assert listeners <= before[0]
    assert nodes <= before[1] + 5


def test_back_and_forward_go_through_the_addresses_that_streams_have_pushed(tab: Tab, address: str) -> None:
    visit(tab, address, "trail")
    tab(lambda page: page.click("#walk"))
    tab(lambda page: page.wait_for_url("**/page/trail?step=1"))
    text(tab, "output", "1")
    tab(lambda page: page.evaluate("window.same = true"))
    for move, end in ((Page.go_back, ""), (Page.go_forward, "?step=1")):
        tab(lambda page: page.evaluate("document.querySelector('output').textContent = 'before'"))
        tab(move)
        tab(lambda page: page.wait_for_url(f"**/page/trail{end}"))  # noqa: B023  # called at once
        text(tab, "output", "0")  # a page of this site begins anew, whatever its address
    assert tab(lambda page: page.evaluate("window.same")) is True
