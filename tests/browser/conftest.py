"""A page in a real Chromium, driven from a thread of its own so that no event loop is left in the main thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from . import chromium

T = TypeVar("T")


class Driver:
    """Runs every call of the browser's API in the one thread that it was started in."""

    def __init__(self, executable: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self.playwright: Playwright = self.run(lambda: sync_playwright().start())
        self.browser: Browser = self.run(
            lambda: self.playwright.chromium.launch(executable_path=executable, args=chromium.FLAGS)
        )

    def run(self, action: Any) -> Any:
        """What `action` gives, called in the browser's thread."""
        return self._thread.submit(action).result(60)

    def close(self) -> None:
        """End the browser."""
        self.run(self.browser.close)
        self.run(self.playwright.stop)
        self._thread.shutdown()


class Tab:
    """A page whose script errors and CSP violations fail the test; `expected` lists what a test provokes on purpose."""

    def __init__(self, driver: Driver, **options: Any) -> None:
        self.driver = driver
        self.size = "desktop"
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self.page: Page = driver.run(lambda: driver.browser.new_page(**options))
        driver.run(self._listen)

    def __call__(self, action: Any) -> Any:
        """`tab(lambda page: page.title())`."""
        return self.driver.run(lambda: action(self.page))

    def _listen(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def unexpected(self) -> list[str]:
        """What the page complained about and the test did not expect."""
        return [text for text in self.complaints if not any(part in text for part in self.expected)]

    def shoot(self, name: str) -> None:
        """A picture of the page, where SCREENSHOTS names a folder for them."""
        if folder := os.environ.get("SCREENSHOTS"):
            path = Path(folder) / f"{name}.png"
            self(lambda page: page.screenshot(path=path, full_page=True))


def text(tab: Tab, selector: str, expected: str) -> None:
    """Wait until `selector` reads `expected`."""
    script = "([selector, expected]) => document.querySelector(selector)?.textContent.trim() === expected"
    tab(lambda page: page.wait_for_function(script, arg=[selector, expected]))


def connected(tab: Tab) -> None:
    """Wait until the page has its connection."""
    tab(lambda page: page.wait_for_function("() => components.open"))


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    executable = chromium.find()
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium, and none could be installed")
        pytest.skip("there is no Chromium: install one, or set CHROMIUM")
    driver = Driver(executable)
    yield driver
    driver.close()


@pytest.fixture
def tab(driver: Driver) -> Iterator[Tab]:
    tab = Tab(driver)
    yield tab
    driver.run(tab.page.close)
    assert tab.unexpected() == []
