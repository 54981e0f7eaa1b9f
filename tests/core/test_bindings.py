"""The attributes that `on()` writes, for each kind of trigger: what htmx reads, to the letter."""

from __future__ import annotations

import html

import pytest

from component_framework import Component
from component_framework.core.binding import bind
from component_framework.core.spec import spec_of


class Panel(Component):
    def on_save(self, by: int = 1, name: str = "", tags: list[str] | None = None) -> None: ...


POST = 'hx-post="/components/panel?event=save"'

GOLDEN = [
    (None, {}, POST),
    ("click", {}, f'{POST} hx-trigger="click"'),
    ("input changed delay:200ms", {}, f'{POST} hx-trigger="input changed delay:200ms"'),
    ("change", {}, f'{POST} hx-trigger="change"'),
    ("submit", {}, f'{POST} hx-trigger="submit"'),
    ("picked from:'closest section'", {}, f'{POST} hx-trigger="picked from:&#x27;closest section&#x27;"'),
    (None, {"by": 2}, f'{POST} hx-vals="{{&quot;by&quot;:2}}"'),
    ("click", {"name": '<"&'}, f'{POST} hx-vals="{{&quot;name&quot;:&quot;&lt;\\&quot;&amp;&quot;}}" hx-trigger="click"'),
    (None, {"tags": ["a"]}, f'{POST} hx-vals="{{&quot;tags&quot;:&quot;[\\&quot;a\\&quot;]&quot;}}"'),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "args", "expected"), GOLDEN)
def test_a_binding_is_written_as_it_always_was(trigger: str | None, args: dict[str, object], expected: str) -> None:
    assert bind(spec_of(Panel), "/components/panel", "save", trigger, args) == expected


def test_what_was_written_once_is_not_written_for_what_only_equals_it() -> None:
    class Equal(Component):
        def on_pick(self, what: bool | float | str) -> None: ...

    spec = spec_of(Equal)
    values = [1, True, 1.0, "1", 1, 0, False]
    written = [html.unescape(bind(spec, "/c", "pick", None, {"what": value})) for value in values]
    assert [text.split('"what":')[1].split("}")[0] for text in written] == [
        "1",
        "true",
        "1.0",
        '"1"',
        "1",
        "0",
        "false",
    ]
