"""The same scenarios with all state in a store: what a visitor sees is the same, on every host."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .hosts import HOSTS, SOCKETS, InProcess, start
from .play import play
from .scenarios import SCENARIOS, Scenario
from .test_scenarios import require
from .wire import Answer, Host

_OWN = re.compile(r' data-retry=\\?"1\\?"| data-version=\\?"\d+\\?"|(?m:^id: \d+$)|"version":\d+')
"""What a root has beside its token where the store remembers events, and versions: a page that sends an older token
goes on from it, a store from the newest state."""


@pytest.fixture(scope="module", params=[*HOSTS, *SOCKETS])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    running = start(request.param, "store")
    yield running
    getattr(running, "close", lambda: None)()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_state_in_a_store_shows_the_same_bytes_as_state_in_the_page(scenario: Scenario, host: Host) -> None:
    own = {name for step in scenario.steps for name in step.headers}
    if host.name in SOCKETS and not own.isdisjoint({"origin", "sec-fetch-site"}):
        return  # a socket's origin is looked at once, at its handshake
    in_page = list(play(scenario, InProcess()))
    stored = list(play(scenario, host))
    for (step, _, answer, _), (_, _, expected, _) in zip(stored, in_page, strict=True):
        require(step, answer)
        assert shown(answer) == shown(expected)


def shown(answer: Answer) -> tuple[int, dict[str, str], str]:
    """The contract without the tokens, the versions and the mark of components that may be sent again."""
    status, headers, body = answer.contract()
    body = re.sub(
        r'(?<=data-state=")[^"]+|(?<="state":")[^"]+|(?<=data-state=\\")[^"\\]+|(?<=_state" value=")[^"]+',
        "TOKEN",
        body,
    )
    return status, headers, _OWN.sub("", body)
