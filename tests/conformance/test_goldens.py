"""The goldens are what the in-process host answers, and their shape is the contract's.

Regenerating the goldens follows every change; the digest below does not. It covers what a client could rely on: which
statuses, headers, codes, attributes, keys and event names there are. A change of it is a change of the contract:
raise WIRE_VERSION, note the new digest beside it, and say so in the changelog.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from .goldens import DIRECTORY, WIRE_VERSION, path_of, record
from .hosts import InProcess
from .play import play
from .scenarios import SCENARIOS, Scenario
from .wire import Answer

SHAPES = {1: "3cfc5d415c0539da"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_the_conversation_is_the_golden_one(scenario: Scenario) -> None:
    assert record(scenario, InProcess()) == path_of(scenario).read_text(), "python -m tests.conformance.goldens"


def test_there_are_no_goldens_without_a_scenario() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == {path_of(scenario).name for scenario in SCENARIOS}


def test_titles_are_different() -> None:
    assert len({path_of(scenario) for scenario in SCENARIOS}) == len(SCENARIOS)


def test_the_contract_has_the_shape_of_its_version() -> None:
    assert digest(all_shapes()) == SHAPES[WIRE_VERSION], "\n".join(sorted(all_shapes()))


def test_a_header_more_or_an_attribute_less_changes_the_shape() -> None:
    body = b'<p id="c" data-component="x" data-state="t" data-version="1"></p>'
    plain = Answer(200, {"content-type": "text/html"}, body)
    more = Answer(200, {"content-type": "text/html", "hx-redirect": "/"}, body)
    less = Answer(200, {"content-type": "text/html"}, body.replace(b' data-version="1"', b""))
    assert len({digest(set(shape(answer))) for answer in (plain, more, less)}) == 3


def all_shapes() -> set[str]:
    return {part for scenario in SCENARIOS for _, _, answer, _ in play(scenario, InProcess()) for part in shape(answer)}


def shape(answer: Answer) -> Iterator[str]:
    """What `answer` is made of, without its values."""
    status, headers, body = answer.contract()
    kind = headers["content-type"]
    fixed = {name: value for name, value in headers.items() if not name.startswith("hx-")}
    yield f"{status} {json.dumps(fixed)} {sorted(headers.keys() - fixed.keys())}"
    if trigger := headers.get("hx-trigger"):
        yield from (f"HX-Trigger {keys_of({name: it})}" for name, it in json.loads(trigger).items() if ":" in name)
    if kind == "application/json":
        yield f"{status} JSON {keys_of(json.loads(body))}"
    elif kind.startswith("text/event-stream"):
        for message in body.split("\n\n"):
            fields = [line.partition(": ") for line in message.split("\n")]
            yield f"SSE {[name if name != 'event' else value for name, _, value in fields if name not in ('', 'data')]}"
    else:
        for tag in re.findall(r"<[a-z][^>]* data-component=[^>]*>|<hx-partial[^>]*>|<[^>]* hx-preserve>", body):
            yield f"HTML {sorted(re.findall(r' ((?:data|hx)-[a-z0-9:-]+)', tag))}"


def keys_of(value: Any) -> Any:
    """The framework's own keys in `value`; what components put into `detail` and `errors` is theirs."""
    if isinstance(value, dict):
        return {key: keys_of(item) for key, item in sorted(value.items()) if key not in ("detail", "errors")}
    return [keys_of(item) for item in value] if isinstance(value, list) else "…"


def digest(shapes: set[str]) -> str:
    return hashlib.sha256("\n".join(sorted(shapes)).encode()).hexdigest()[:16]
