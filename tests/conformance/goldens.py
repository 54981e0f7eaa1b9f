"""The goldens: what every step of every scenario answered, as text files that a reviewer can read.

They are written from the in-process host only: `python -m tests.conformance.goldens`.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from .hosts import InProcess
from .play import play
from .scenarios import SCENARIOS, Scenario
from .wire import Answer, Host, Page, Sent

DIRECTORY = Path(__file__).parent / "goldens"
WIRE_VERSION = 1
"""Raised with every change of what the suite's answers look like from outside; `test_goldens.py` asks for it."""


def path_of(scenario: Scenario) -> Path:
    return DIRECTORY / (re.sub(r"[^a-z0-9]+", "-", scenario.title.lower()).strip("-") + ".txt")


def record(scenario: Scenario, host: Host) -> str:
    """The conversation of `scenario` with `host`, tokens and log ids hidden."""
    return "\n".join(_exchange(request, answer, page) for _, request, answer, page in play(scenario, host))


def _exchange(request: Sent, answer: Answer, page: Page) -> str:
    status, headers, body = answer.contract()
    lines = [f">>> {request.method} {request.path}", *_text(request.body), f"<<< {status}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\n".join([*lines, "", page.hide(body).rstrip("\n"), ""])


def _text(body: bytes) -> Iterator[str]:
    if body:
        text = re.sub(r'(?<="state": ")[^"]+|(?<=_state=)[^&]+', "TOKEN", body.decode())
        yield text if len(text) < 400 else f"{text[:60]}… ({len(text)} characters)"


def write() -> None:
    logging.disable()
    DIRECTORY.mkdir(exist_ok=True)
    kept = {path_of(scenario): record(scenario, InProcess()) for scenario in SCENARIOS}
    for path, text in kept.items():
        path.write_text(text)
    for path in set(DIRECTORY.iterdir()) - kept.keys():
        path.unlink()


if __name__ == "__main__":
    write()
