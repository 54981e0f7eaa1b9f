"""Files from a real browser: progress, cancelling, dropping, previews, under `default-src 'self'`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Tab
from tests.browser.site import app
from tests.browser.test_behaviour import text, visit
from tests.servers import uvicorn_thread

CHOOSE = """megabytes => {
  const chosen = new DataTransfer();
  chosen.items.add(new File(Array(megabytes).fill(new Uint8Array(1 << 20)), 'big.bin'));
  document.getElementById('file').files = chosen.files;
  window.progress = [];
  document.addEventListener('component:progress', ({ detail }) => window.progress.push(detail.loaded / detail.total));
}"""
DROP = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 200 });
  const blob = await new Promise(done => canvas.toBlob(done));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([blob], 'cat.png', { type: 'image/png' }));
  for (const name of ['dragover', 'drop'])
    document.getElementById('send').dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with uvicorn_thread(app) as address:
        yield address


def test_a_large_file_shows_its_progress_and_is_cancelled_and_sent_again(tab: Tab, address: str) -> None:
    visit(tab, address, "shelf")
    tab(lambda page: page.evaluate(CHOOSE, 200))
    cancel = "addEventListener('component:progress', () => document.getElementById('cancel').click(), { once: true })"
    tab(lambda page: page.evaluate(cancel))
    tab(lambda page: page.click("#send"))
    tab(lambda page: page.wait_for_function("() => window.progress.at(-1) === 1"))
    text(tab, "#said", "nothing")
    assert not tab(lambda page: page.is_visible("#cancel"))

    tab(lambda page: page.evaluate("window.progress.length = 0"))
    tab(lambda page: page.click("#send"))
    text(tab, "#said", "big.bin 209715200 application/octet-stream 209715200")
    progress = tab(lambda page: page.evaluate("window.progress"))
    assert any(0 < part < 1 for part in progress)
    assert progress == sorted(progress)
    assert not tab(lambda page: page.is_visible("progress"))


def test_a_picture_is_dropped_seen_and_sent(tab: Tab, address: str) -> None:
    visit(tab, address, "shelf")
    tab(lambda page: page.evaluate(DROP))
    tab(lambda page: page.wait_for_selector("#preview canvas[aria-label='cat.png']"))
    tab(lambda page: page.click("#send"))
    tab(lambda page: page.wait_for_function("() => document.getElementById('said').textContent.includes('image/png')"))


def test_a_form_without_a_file_shows_what_is_missing(tab: Tab, address: str) -> None:
    visit(tab, address, "shelf")
    tab.expected = ["422"]
    with_status = "document.getElementById('said').textContent"
    tab(lambda page: page.click("#send"))
    tab(lambda page: page.wait_for_function("() => document.querySelector('[data-version]')?.dataset.version > 1"))
    assert tab(lambda page: page.evaluate(with_status)) == "nothing"
