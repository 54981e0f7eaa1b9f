"""Chromium for the browser tests: found or installed, driven by Playwright, and listened to."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # half a second of imports that only browser tests need
    from playwright.async_api import Browser, ConsoleMessage, Page

ROOT = Path(__file__).parent.parent.parent
SCREENSHOTS = ROOT / "screenshots"
NPM_FOLDER = ROOT / ".chromium"
INSTALL_SECONDS = 600

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

DESKTOP = (1280, 800)
PHONE = (390, 844)


def find_chromium() -> str | None:
    """The path of a Chromium: named by CHROMIUM, on the path, Debian's, or npm's. None if there is none to be had."""
    return os.environ.get("CHROMIUM") or on_path() or from_debian() or from_npm()


def on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def from_debian() -> str | None:
    """Debian's package, installed if we are allowed to."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    return on_path()


def from_npm() -> str | None:
    """The browser inside the package @sparticuz/chromium, unpacked by the package itself."""
    if not shutil.which("npm") or not run("npm", "install", "--prefix", str(NPM_FOLDER), "@sparticuz/chromium"):
        return None
    script = "import('@sparticuz/chromium').then(async m => console.log(await m.default.executablePath()))"
    unpacked = subprocess.run(["node", "-e", script], cwd=NPM_FOLDER, capture_output=True, text=True)
    return unpacked.stdout.strip() if unpacked.returncode == 0 else None


def run(*command: str) -> bool:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=env, capture_output=True, timeout=INSTALL_SECONDS).returncode == 0


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser. Without one, tests are skipped, and fail where CI=true."""
    if path := find_chromium():
        return path
    message = "No Chromium: set CHROMIUM to its path, or install Debian's package chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
async def browser(chromium: str, anyio_backend: str) -> AsyncIterator["Browser"]:
    """One Chromium for the session. The asynchronous API, as the other would leave its loop running in this thread."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def page_errors() -> Iterator[list[str]]:
    """What the test's pages wrote to the console as errors. It fails the test; one that expects errors clears it."""
    errors: list[str] = []
    yield errors
    assert not errors, "The browser's console has errors"


@pytest.fixture
async def page(browser: "Browser", page_errors: list[str]) -> AsyncIterator["Page"]:
    """A page in a context of its own: no cookies, no cache, nothing left of other tests."""
    width, height = DESKTOP
    context = await browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(10_000)
    page = await context.new_page()
    listen(page, page_errors)
    yield page
    await context.close()


def listen(page: "Page", errors: list[str]) -> None:
    """Collect what goes wrong in `page`."""

    def on_console(message: "ConsoleMessage") -> None:
        if message.type == "error":
            errors.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: errors.append(str(error)))


async def screenshot(page: "Page", name: str, size: tuple[int, int] = DESKTOP) -> Path:
    """Write screenshots/`name`.png at `size` (width and height in pixels), the whole page."""
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    path = SCREENSHOTS / f"{name}.png"
    await page.screenshot(path=path, full_page=True)
    return path
