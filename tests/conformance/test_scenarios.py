"""Every scenario on every host: the facts that the data names, and the same bytes as in process."""

from collections.abc import Iterator

import pytest

from .hosts import HOSTS, SOCKETS, InProcess, start
from .play import play
from .scenarios import SCENARIOS, Scenario, Step
from .wire import Answer, Host


@pytest.fixture(scope="module", params=[*HOSTS, *SOCKETS])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    running = start(request.param)
    yield running
    getattr(running, "close", lambda: None)()


@pytest.fixture(params=SCENARIOS, ids=lambda scenario: scenario.title)
def scenario(request: pytest.FixtureRequest, host: Host) -> Scenario:
    """What this host can be asked: a socket's origin is looked at once, at its handshake."""
    chosen: Scenario = request.param
    own = {name for step in chosen.steps for name in step.headers}
    if not own.isdisjoint({"origin", "sec-fetch-site"}) and host.name in SOCKETS:
        return Scenario(chosen.title, chosen.component, steps=())
    return chosen


def test_every_step_is_answered_as_the_scenario_says(scenario: Scenario, host: Host) -> None:
    for step, _, answer, _ in play(scenario, host):
        require(step, answer)


def test_every_host_gives_the_same_bytes(scenario: Scenario, host: Host) -> None:
    given = [answer.contract() for _, _, answer, _ in play(scenario, host)]
    assert given == [answer.contract() for _, _, answer, _ in play(scenario, InProcess())]


def require(step: Step, answer: Answer) -> None:
    text = answer.text
    assert (answer.status, answer.code) == (step.status, step.code), text
    for part in step.has:
        assert part in text
    for part in step.lacks:
        assert part not in text
    if not answer.code:
        assert {name: value for name, value in answer.headers.items() if name.startswith("hx-")} == step.effects
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
