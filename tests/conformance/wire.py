"""What goes over the wire and what comes back, for every host alike, and the page in between."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .engines import Stage

FORM = "application/x-www-form-urlencoded"
CONTRACT = frozenset(
    {"allow", "cache-control", "content-type", "retry-after", "x-accel-buffering", "x-component-code", "x-content-type-options"}
)  # fmt: skip
"""The headers that WIRE.md promises, beside everything that begins with HX-."""

_STAMPED = re.compile(r'<[a-z][^>]*? data-component="([^"]+)" data-state="([^"]+)"[^>]*>')
_ID = re.compile(r'\sid="([^"]*)"')
_ERROR_ID = re.compile(r'(?<=<small>)[0-9a-f]{8}(?=</small>)|(?<="id":")[0-9a-f]{8}(?=")')


@dataclass(frozen=True)
class Sent:
    """A request: `path` with its query, header names in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    """What came back; header names in small letters. A stream's body is everything until its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> str:
        return self.headers.get("x-component-code", "")

    def contract(self) -> tuple[int, dict[str, str], str]:
        """What has to be the same on every host; ids of log lines are not, they are hidden."""
        kept = {
            name: _ERROR_ID.sub("00000000", value)
            for name, value in sorted(self.headers.items())
            if name in CONTRACT or name.startswith("hx-")
        }
        return self.status, kept, _ERROR_ID.sub("00000000", self.text)


class Host(Protocol):
    """Something that serves an engine."""

    name: str
    stage: Stage
    runs_async: bool
    """False for a host that has no event loop: it serves components whose methods do not wait."""

    def send(self, request: Sent) -> Answer:
        """The whole answer to `request`."""
        ...


@dataclass
class Page:
    """What a browser would know: every component on the page with its name and its token."""

    components: dict[str, tuple[str, str]] = field(default_factory=dict)
    root: str = ""

    def show(self, markup: str) -> None:
        """Take over the tokens of the components in `markup`; the first one ever is the root."""
        for tag in _STAMPED.finditer(markup):
            found = _ID.search(tag[0])
            assert found is not None, tag[0]
            self.components[found[1]] = (tag[1], tag[2])
            self.root = self.root or found[1]

    def take(self, answer: Answer) -> None:
        """Swap `answer` in, as htmx would: nothing of a refusal but a fresh render."""
        kind = answer.headers.get("content-type", "")
        if kind == "application/json":
            data = json.loads(answer.body)
            if data.get("state"):
                name = self.components.get(data["component_id"], ("", ""))[0]
                self.components[data["component_id"]] = (name or _name_in(data["html"]), data["state"])
                self.root = self.root or data["component_id"]
        elif answer.headers.get("hx-reswap") != "none":
            self.show(_without_sse(answer.text) if kind.startswith("text/event-stream") else answer.text)

    def hide(self, text: str) -> str:
        """`text` with every token of the page replaced: they depend on the compression library."""
        return re.sub(r'(?<=data-state=")[^"]+|(?<="state":")[^"]+|(?<=data-state=\\")[^"\\]+', "TOKEN", text)


def _name_in(markup: str) -> str:
    tag = _STAMPED.search(markup)
    return tag[1] if tag else ""


def _without_sse(text: str) -> str:
    return "\n".join(line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: <"))


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
