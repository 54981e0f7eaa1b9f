"""A connection that breaks: the click is sent once more where the server remembers what it has applied, and only there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Tab, text
from tests.browser.cutting_proxy import Cut, CuttingProxy, cutting_proxy
from tests.browser.site import app
from tests.browser.test_behaviour import RECORD, heard, visit
from tests.servers import uvicorn_thread


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with uvicorn_thread(app) as address:
        yield address


@pytest.fixture
def proxy(address: str, tab: Tab) -> Iterator[CuttingProxy]:
    tab.expected = ["ERR_EMPTY_RESPONSE", "Failed to fetch"]
    with cutting_proxy(address) as proxy:
        yield proxy


@pytest.mark.parametrize("name", ["stored", "watched"])
@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_click_whose_connection_breaks_is_counted_exactly_once(
    tab: Tab, proxy: CuttingProxy, name: str, cut: Cut
) -> None:
    visit(tab, proxy.address, name)
    proxy.cuts.append(cut)
    tab(lambda page: page.click("#add"))
    text(tab, "#add", "1")
    assert proxy.events == 2, "it was sent once more"
    tab(lambda page: page.click("#add"))
    text(tab, "#add", "2")


def test_a_second_broken_connection_is_told(tab: Tab, proxy: CuttingProxy) -> None:
    visit(tab, proxy.address, "stored")
    tab(lambda page: page.evaluate(RECORD, "component:error"))
    proxy.cuts.extend(("before", "before"))
    tab(lambda page: page.click("#add"))
    assert heard(tab, 1) == [["component:error", {"code": "network"}]]
    assert proxy.events == 2
    tab(lambda page: page.click("#add"))
    text(tab, "#add", "1")


def test_state_in_the_page_is_not_sent_again_for_nobody_remembers_what_was_done(tab: Tab, proxy: CuttingProxy) -> None:
    visit(tab, proxy.address, "form")
    tab(lambda page: page.evaluate(RECORD, "component:error"))
    proxy.cuts.append("after")
    tab(lambda page: page.click("#tick"))
    assert heard(tab, 1) == [["component:error", {"code": "network"}]]
    assert proxy.events == 1
