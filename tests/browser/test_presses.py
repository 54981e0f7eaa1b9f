"""A click counts, and counts once: whatever arrives while the button is down, and if a form is clicked twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Tab, text
from tests.browser.site import PAYMENTS, app
from tests.browser.test_behaviour import visit
from tests.servers import uvicorn_thread

PRESS = 300  # ms: long enough for an answer to arrive while the button is down


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with uvicorn_thread(app) as address:
        yield address


def hint_is_gone(tab: Tab) -> None:
    tab(lambda page: page.wait_for_selector("#hint", state="detached"))


def down_on(tab: Tab, selector: str) -> None:
    """Press the mouse button in the middle of an element, and hold it."""
    box = tab(lambda page: page.locator(selector).bounding_box())
    tab(lambda page: page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    tab(lambda page: page.mouse.down())


def test_a_button_that_moves_away_while_it_is_pressed_gets_its_click(tab: Tab, address: str) -> None:
    visit(tab, address, "shifting")
    tab(lambda page: page.fill("#word", "something"))
    tab(lambda page: page.click("#press", delay=PRESS))
    text(tab, "#press", "1")
    hint_is_gone(tab)


def test_a_checkbox_whose_label_moves_away_while_it_is_pressed_is_checked(tab: Tab, address: str) -> None:
    visit(tab, address, "shifting")
    tab(lambda page: page.fill("#word", "something"))
    tab(lambda page: page.click("#text", delay=PRESS))
    tab(lambda page: page.wait_for_selector("#box[checked]"))
    hint_is_gone(tab)


def test_what_arrives_during_a_press_is_shown_after_it_in_the_order_of_its_arrival(tab: Tab, address: str) -> None:
    visit(tab, address, "shifting")
    down_on(tab, "#press")
    arrive = """async () => {
      window.order = [];
      const target = document.querySelector('output');
      new MutationObserver((changes) => changes.forEach(({addedNodes}) => addedNodes.forEach((node) => order.push(node.data))))
        .observe(target, {childList: true});
      for (const text of ['first', 'second', 'third']) {
        htmx.swap({text, target, sourceElement: target, swap: 'innerHTML'});
        await htmx.timeout(5);
      }
    }"""
    tab(lambda page: page.evaluate(arrive))
    assert tab(lambda page: page.text_content("output")) == "50"
    tab(lambda page: page.mouse.up())
    tab(lambda page: page.wait_for_function("() => window.order.length == 3"))
    assert tab(lambda page: page.evaluate("window.order")) == ["first", "second", "third"]


def test_a_slider_shows_its_results_while_it_is_dragged(tab: Tab, address: str) -> None:
    visit(tab, address, "shifting")
    down_on(tab, "#range")
    tab(lambda page: page.keyboard.press("End"))
    text(tab, "output", "100")
    tab(lambda page: page.mouse.up())


def test_a_press_that_ends_elsewhere_is_no_click_and_holds_nothing_back(tab: Tab, address: str) -> None:
    visit(tab, address, "shifting")
    tab(lambda page: page.fill("#word", "something"))
    down_on(tab, "#press")
    tab(lambda page: page.mouse.move(5, 5))
    tab(lambda page: page.mouse.up())
    hint_is_gone(tab)
    assert tab(lambda page: page.text_content("#press")) == "0"


def settled(tab: Tab) -> None:
    """Wait until nothing is on its way, and nothing waits for its turn."""
    tab(lambda page: page.wait_for_load_state("networkidle"))
    tab(lambda page: page.wait_for_function("() => !document.querySelector('[aria-busy]')"))


@pytest.mark.parametrize("name", ["till", "till_once"])
@pytest.mark.parametrize("again", ["click", "Enter"])
def test_a_double_click_pays_once(tab: Tab, address: str, name: str, again: str) -> None:
    PAYMENTS.clear()
    visit(tab, address, name)
    tab(lambda page: page.click("#pay"))
    tab(lambda page: page.click("#pay") if again == "click" else page.press("#amount", "Enter"))
    text(tab, "#paid", "5")
    settled(tab)
    assert PAYMENTS == [5]


def test_a_form_that_was_changed_before_its_answer_is_sent_again(tab: Tab, address: str) -> None:
    PAYMENTS.clear()
    visit(tab, address, "till")
    for amount in ("5", "6", "7"):
        tab(lambda page, amount=amount: page.fill("#amount", amount))
        tab(lambda page: page.press("#amount", "Enter"))
    text(tab, "#paid", "5,6,7")
    assert PAYMENTS == [5, 6, 7]


def test_the_same_may_be_paid_again_after_the_answer(tab: Tab, address: str) -> None:
    PAYMENTS.clear()
    visit(tab, address, "till")
    for paid in ("5", "5,5"):
        tab(lambda page: page.click("#pay"))
        text(tab, "#paid", paid)
    assert PAYMENTS == [5, 5]
