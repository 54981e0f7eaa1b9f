"""Files from a real browser: progress, cancelling, dropping, previews, under `default-src 'self'`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from component_framework.core import shutdown
from tests.browser.conftest import Tab, text
from tests.browser.cutting_proxy import cutting_proxy
from tests.browser.site import app
from tests.browser.test_behaviour import visit
from tests.servers import uvicorn_thread

CHOOSE = """megabytes => {
  const chosen = new DataTransfer();
  chosen.items.add(new File(Array(megabytes).fill(new Uint8Array(1 << 20)), 'big.bin'));
  document.getElementById('file').files = chosen.files;
  window.progress = [];
  document.addEventListener('component:progress', ({ detail }) => window.progress.push(detail.loaded / detail.total));
}"""
CANCEL_AT_HALF = """document.addEventListener('component:progress', function half({ detail }) {
  if (detail.loaded < detail.total * 0.4) return;
  document.removeEventListener('component:progress', half);
  window.cancelled = true;
  document.getElementById('cancel').click();
})"""
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


def test_a_large_file_shows_its_progress_is_cancelled_and_goes_on_where_it_was(tab: Tab, address: str) -> None:
    visit(tab, address, "shelf")
    tab(lambda page: page.evaluate(CHOOSE, 200))
    tab(lambda page: page.evaluate(CANCEL_AT_HALF))
    tab(lambda page: page.click("#send"))
    tab(lambda page: page.wait_for_function("() => window.cancelled && document.getElementById('cancel').hidden"))
    text(tab, "#said", "nothing")
    assert not tab(lambda page: page.is_visible("progress"))
    half = tab(lambda page: page.evaluate("window.progress.at(-1)"))
    assert 0.4 <= half < 0.7

    tab(lambda page: page.evaluate("window.progress.length = 0"))
    tab(lambda page: page.click("#send"))
    text(tab, "#said", "big.bin 209715200 application/octet-stream 209715200")
    progress = tab(lambda page: page.evaluate("window.progress"))
    assert progress[0] >= 0.4, "what had arrived was sent again"
    assert progress == sorted(progress)
    assert any(half < part < 1 for part in progress)
    assert not tab(lambda page: page.is_visible("#cancel"))
    assert tab(lambda page: page.evaluate("sessionStorage.length")) == 0
    assert tab(lambda page: page.evaluate("document.getElementById('file').files.length")) == 0


def test_an_upload_whose_connection_breaks_again_and_again_goes_on_by_itself(tab: Tab, address: str) -> None:
    tab.expected = ["ERR_EMPTY_RESPONSE", "409"]
    with cutting_proxy(address) as proxy:
        visit(tab, proxy.address, "shelf")
        tab(lambda page: page.evaluate(CHOOSE, 5))
        proxy.cuts.extend(("before", "after", "before", "after"))  # one was announced twice, one piece arrived unheard
        tab(lambda page: page.click("#send"))
        text(tab, "#said", "big.bin 5242880 application/octet-stream 5242880")
        assert proxy.events < 18
    progress = tab(lambda page: page.evaluate("window.progress"))
    assert progress == sorted(progress)


def test_an_unfinished_file_that_the_server_has_forgotten_is_sent_anew(tab: Tab, address: str) -> None:
    visit(tab, address, "shelf")
    tab.expected = ["404"]
    tab(lambda page: page.evaluate(CHOOSE, 20))
    tab(lambda page: page.evaluate(CANCEL_AT_HALF))
    tab(lambda page: page.click("#send"))
    tab(lambda page: page.wait_for_function("() => window.cancelled && document.getElementById('cancel').hidden"))
    shutdown.stop()  # as a server does that is started anew
    tab(lambda page: page.click("#send"))
    text(tab, "#said", "big.bin 20971520 application/octet-stream 20971520")


def test_a_long_file_of_the_wrong_type_is_told_at_its_field_after_its_first_piece(tab: Tab, address: str) -> None:
    visit(tab, address, "shelf")
    tab.expected = ["422"]
    tab(lambda page: page.evaluate(CHOOSE, 20))
    tab(lambda page: page.evaluate("document.getElementById('file').name = 'picture'"))
    tab(
        lambda page: page.evaluate(
            "document.getElementById('form').setAttribute('hx-post', '/components/shelf?event=hang')"
        )
    )
    tab(lambda page: page.click("#send"))
    text(tab, "#wrong", "Files of this type are not accepted here.")
    assert tab(lambda page: page.evaluate("document.getElementById('file').files.length")) == 1
    assert tab(lambda page: page.evaluate("window.progress.every(part => part <= 0.1 || part === 1)"))


def test_a_file_that_is_too_long_is_told_at_its_field_and_not_sent(tab: Tab, address: str) -> None:
    sent: list[int] = []
    tab(lambda page: page.on("request", lambda request: sent.append(len(request.post_data_buffer or b""))))
    visit(tab, address, "shelf")
    tab.expected = ["422"]
    tab(lambda page: page.evaluate(CHOOSE, 6))
    tab(lambda page: page.evaluate("document.getElementById('file').name = 'picture'"))
    tab(
        lambda page: page.evaluate(
            "document.getElementById('form').setAttribute('hx-post', '/components/shelf?event=crop')"
        )
    )
    tab(lambda page: page.click("#send"))
    text(tab, "#wrong", "This file is larger than 5 MB.")
    text(tab, "#said", "nothing")
    assert sum(sent) < 20_000


def test_a_script_that_is_loaded_twice_does_everything_once(tab: Tab, address: str) -> None:
    visit(tab, address, "shelf")
    again = """() => Promise.all([...document.scripts].filter(({ src }) => /(component|upload)[.]js/.test(src)).map(({ src }) => new Promise(done => {
      document.head.append(Object.assign(document.createElement('script'), { src: src + '&again', onload: done }));
    })))"""
    tab(lambda page: page.evaluate(again))
    tab(
        lambda page: page.evaluate(
            "() => { window.changes = 0; document.addEventListener('change', () => window.changes++) }"
        )
    )
    tab(lambda page: page.evaluate(DROP))
    tab(lambda page: page.wait_for_selector("#preview canvas[aria-label='cat.png']"))
    assert tab(lambda page: page.evaluate("window.changes")) == 1
    tab(lambda page: page.click("#send"))
    tab(lambda page: page.wait_for_function("() => document.getElementById('said').textContent.includes('image/png')"))
    assert tab(lambda page: page.evaluate("document.querySelector('[data-version]').dataset.version")) == "2"


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
