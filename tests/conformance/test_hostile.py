"""Every attack on every host: the status that the data names, nothing changed, nothing told, and the page still works."""

import logging
import re
from collections.abc import Iterator

import pytest

from .attacks import ATTACKS, Attack
from .engines import KEY
from .hosts import HOSTS, start
from .play import open_page
from .scenarios import Scenario
from .wire import FORM, Answer, Host, Page, Sent

LEAKS = re.compile(
    r"Traceback|File &quot;|File \"|site-packages|/component_framework/|\.py\b|canary|msgspec|jinja2|Exception|"
    r"RuntimeError|ValueError|TypeError|object at 0x|<script>",
)


PARAMS = {"tally": {"count": 40}, "book": {"pk": 9}}


@pytest.fixture(scope="module", params=HOSTS)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    running = start(request.param)
    yield running
    getattr(running, "close", lambda: None)()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.title)
def test_an_attack_is_refused_changes_nothing_and_tells_nothing(
    attack: Attack, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "component_framework")
    page = open_page(Scenario("", attack.component, (), PARAMS.get(attack.component, {})), host.stage)
    answer = host.send(as_request(attack, page))
    assert answer.status == attack.status, answer.text
    if not attack.path.startswith("/components/tally?"):
        assert answer.code in (attack.code, ""), "a host's own router may have refused it"
    else:
        assert answer.code == attack.code
    require_silence(attack, answer)
    require_one_line(caplog.records)
    if attack.component == "tally":
        assert "<b>41</b>" in host.send(good_request(page)).text
    elif attack.component == "book":
        saved = host.send(good_request(page, path="/components/book?event=save", body=b"title=Ann"))
        assert (saved.status, 'value="Ann"' in saved.text) == (200, True), "a 409 would say that the row was written"


def test_a_token_with_any_one_character_changed_is_refused(host: Host) -> None:
    page = open_page(Scenario("", "tally", (), {"count": 40}), host.stage)
    _, token = page.components[page.root]
    for place in range(0, len(token), 7 if "server" in host.name else 1):
        forged = f"{token[:place]}{'B' if token[place] != 'B' else 'C'}{token[place + 1 :]}"
        answer = host.send(good_request(page, token=forged))
        assert (answer.status, answer.code) == (400, "state_invalid"), place


def test_only_post_is_answered(host: Host) -> None:
    if host.name.startswith("in process"):
        return
    page = open_page(Scenario("", "tally", ()), host.stage)
    for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD"):
        request = good_request(page)
        assert host.send(Sent(request.path, request.headers, b"", method)).status == 405


def as_request(attack: Attack, page: Page) -> Sent:
    _, token = page.components[page.root]
    carried = attack.forge(token) if attack.forge else token

    def fill(text: str) -> str:
        return text.replace("{token}", carried).replace("{id}", page.root)

    headers = {"host": "testserver", "content-type": attack.kind}
    if not (attack.kind == "application/json" and attack.path == "/components/tally"):
        headers["hx-request"] = "true"
        if not attack.bare:
            headers |= {"x-component-state": carried, "x-component-id": page.root}
    body = attack.body if isinstance(attack.body, bytes) else fill(attack.body).encode()
    return Sent(attack.path, headers | dict(attack.headers), body)


def good_request(page: Page, token: str = "", path: str = "/components/tally?event=add", body: bytes = b"by=1") -> Sent:
    headers = {
        "host": "testserver",
        "content-type": FORM,
        "hx-request": "true",
        "x-component-state": token or page.components[page.root][1],
        "x-component-id": page.root,
    }
    return Sent(path, headers, body)


def require_silence(attack: Attack, answer: Answer) -> None:
    """Nothing of the inside is in the answer, and nothing of the attack in a header."""
    assert KEY not in answer.text
    assert not LEAKS.search(answer.text), answer.text
    for name, value in answer.headers.items():
        assert "\r" not in value
        assert "\n" not in value
        assert "set-cookie" not in name
    assert "x-evil" not in answer.headers


def require_one_line(records: list[logging.LogRecord]) -> None:
    """A refusal is one line in the log, or none where a host's own router refused: no traceback, nothing that could forge a second."""
    ours = [record for record in records if record.name == "component_framework"]
    assert len(ours) <= 1
    for record in ours:
        assert record.levelno == logging.INFO
        assert record.exc_info is None
        assert record.getMessage().isprintable()
        assert len(record.getMessage()) < 1000
