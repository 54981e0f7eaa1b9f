"""The page's script does something with every message that the server can send, and says nothing that the server does not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Driver, Tab, connected, text
from tests.live.site import World
from tests.live.test_frames import DOWN, UP
from tests.servers import uvicorn_thread

Place = tuple[World, str]

BEGIN = """() => {
  const heard = window.heard = [];
  const said = window.said = [];
  const names = ['component:connect', 'component:disconnect', 'component:resync', 'component:lost', 'component:error', 'found'];
  for (const name of names) addEventListener(name, ({ detail }) => heard.push([name, detail]), true);
  addEventListener('htmx:before:request', ({ detail }) => heard.push(['request', detail.ctx.request.action]), true);
  components.on('entered', (data) => heard.push(['entered', data]));
  components.on('position', (data) => ({ x: data.precise ? 1 : 2 }));
  components.use((query, receive, down) => {
    window.receive = receive;
    return { acknowledges: true, send: async (messages) => said.push(...messages), close: () => {} };
  }, fetch);
  window.root = document.querySelector('[data-live]');
  window.wait = Object.fromEntries(['reply', 'begin', 'chunk', 'end'].map((name) => [name, (data) => heard.push([name, data])]));
}"""

FEED = """([frame, seq]) => {
  heard.length = 0;
  receive({ ...frame, ...%s, seq });
  receive({ type: 'of another time', seq: seq + 1 });
}"""

EFFECTS: dict[str, tuple[str, str]] = {
    "hello": ("{ heartbeat: 60 }", "components.open && said.some(({ type }) => type == 'join')"),
    "ping": ("{}", "said.some(({ type }) => type == 'pong')"),
    "message": ("{}", "heard.some(([name, data]) => name == 'entered' && data.room == 'room')"),
    "emit": ("{}", "heard.some(([name, detail]) => name == 'found' && detail.ok)"),
    "call": ("{}", "said.some(({ type, ref, value }) => type == 'result' && ref == 1 && value.x == 1)"),
    "refresh: a topic": (
        "{ topic: root.dataset.live }",
        "heard.some(([name, url]) => name == 'request' && url.endsWith('/stock'))",
    ),
    "refresh: one": ("{ id: root.id }", "heard.some(([name, url]) => name == 'request' && url.endsWith('/stock'))"),
    "html": (
        "{ content: `<hx-partial hx-target='#${root.id} b' hx-swap='innerHTML'>pushed</hx-partial>` }",
        "document.querySelector('b').textContent == 'pushed'",
    ),
    "reply": (
        "{ to: (components.event({ component: 'stock' }, wait), said.at(-1).n) }",
        "heard.some(([name, frame]) => name == 'reply' && frame.status == 200)",
    ),
    "begin": (
        "{ to: (window.cancel = components.event({ component: 'stock' }, wait), said.at(-1).n) }",
        "heard.some(([name, frame]) => name == 'begin' && frame.status == 200)",
    ),
    "chunk": ("{ to: said.at(-1).n }", "heard.some(([name, body]) => name == 'chunk' && body == '<html>')"),
    "end": ("{ to: said.at(-1).n }", "heard.some(([name]) => name == 'end')"),
    "outcome": (
        "(root.dispatchEvent(new CustomEvent('component:work', { bubbles: true, detail: { work: 'w' } })), { id: root.id, work: 'w' })",
        "heard.some(([name, url]) => name == 'request' && url.endsWith('/stock?event=outcome%3Acounted'))",
    ),
    "error": ("{}", "heard.some(([name, { code }]) => name == 'component:error' && code == 'malformed')"),
    "error: of a component": (
        "{}",
        "heard.some(([name, { code }]) => name == 'component:error' && code == 'state_invalid')",
    ),
    "resync": ("{}", "heard.some(([name]) => name == 'component:resync') && said.some(({ type }) => type == 'join')"),
    "ack": (
        "(components.send('one'), components.send('two'), { n: said.at(-1).n })",
        "(receive({ type: 'hello', v: 1, session: '', resumed: false }), heard.filter(([name]) => name == 'component:lost').map(([, { message }]) => message.name) == 'two')",
    ),
    "close": ("{}", "heard.some(([name]) => name == 'component:disconnect') && !components.open"),
}
"""What of a golden is of this page, and what tells that its script took it."""


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


def visit(tab: Tab, place: Place, names: str) -> None:
    tab(lambda page: page.goto(f"{place[1]}/page/{names}"))


@pytest.mark.parametrize("place", ["stream"], indirect=True)  # this test is the server, whatever carries it
def test_the_script_takes_every_message_of_the_goldens_and_passes_over_what_it_does_not_know(
    tab: Tab, place: Place
) -> None:
    visit(tab, place, "stock:1")
    connected(tab)
    tab(lambda page: page.evaluate(BEGIN))
    tab(lambda page: page.wait_for_function("() => window.receive"))
    tab.expected.append("404")  # of the outcome, which no stock has
    assert EFFECTS.keys() == DOWN.keys()
    for number, (name, (values, effect)) in enumerate(EFFECTS.items(), 1):
        tab(lambda page: page.evaluate(FEED % values, [DOWN[name], 2 * number]))  # noqa: B023  # called at once
        tab(lambda page: page.wait_for_function(f"() => {effect}"))  # noqa: B023
    tab(lambda page: page.evaluate("() => window.cancel()"))


RECORD = """() => {
  const said = window.said = [];
  const { fetch } = window;
  window.fetch = (url, options) => {
    if (String(url).endsWith('/components/live')) said.push(...JSON.parse(options.body).messages);
    return fetch(url, options);
  };
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (text) { said.push(JSON.parse(text)); return send.call(this, text); };
  addEventListener('found', () => { window.found = true; }, true);
}"""


def test_the_script_says_what_the_goldens_have(tab: Tab, place: Place) -> None:
    tab(lambda page: page.add_init_script(f"({RECORD})()"))
    visit(tab, place, "stock:1,plain")
    connected(tab)
    tab(lambda page: page.click("text=Take"))
    text(tab, "b", "9")
    tab(lambda page: page.evaluate("() => { components.on('position', () => ({ x: 1 })); components.send('where'); }"))
    tab(lambda page: page.wait_for_function("() => window.found"))
    said: list[dict[str, Any]] = tab(lambda page: page.evaluate("said"))
    expected = {"join", "message", "result"} | ({"event"} if place[0].engine.socket else set())
    assert expected <= {message["type"] for message in said}
    for message in said:
        assert message.keys() <= UP[message["type"]].keys(), message


def test_a_page_of_another_version_of_the_protocol_hears_so_and_posts_its_events(
    tab: Tab, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("component_framework.core.live.VERSION", 2)
    tab(
        lambda page: page.add_init_script(
            "addEventListener('component:outdated', ({ detail }) => { window.outdated = detail.v; }, true)"
        )
    )
    visit(tab, place, "stock:1")
    tab(lambda page: page.wait_for_function("() => window.outdated == 2"))
    for left in ("9", "8"):
        tab(lambda page: page.click("text=Take"))
        text(tab, "b", left)
    assert tab(lambda page: page.evaluate("components.open")) is False
    lost = tab(
        lambda page: page.evaluate(
            "(() => { const heard = []; addEventListener('component:lost', ({ detail }) => heard.push(detail.message.name), true);"
            " components.send('say'); return heard; })()"
        )
    )
    assert lost == ["say"], "nobody will hear it any more"
    assert [name for name, _ in place[0].heard].count("connect") == 1
