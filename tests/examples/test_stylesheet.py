"""The examples' stylesheets, and that their templates keep to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
CSS = (EXAMPLES / "shared" / "app.css").read_text(encoding="utf-8")
SPECIAL = "".join(
    (EXAMPLES / "shared" / name).read_text(encoding="utf-8") for name in ("forms.css", "live.css", "home.css")
)
"""What a page or two need, in colours of the first."""
README = (EXAMPLES / "shared" / "README.md").read_text(encoding="utf-8")
TEMPLATES = sorted([*EXAMPLES.glob("*/templates/*.jinja"), *EXAMPLES.glob("*/*/templates/**/*.html")])
COLOURS = {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", CSS)}

TEXT = [
    ("text", "bg"), ("text", "card"), ("text", "hover"), ("bg", "text"), ("quiet", "bg"), ("quiet", "card"), ("quiet", "hover"),
    ("brand", "bg"), ("brand", "card"), ("brand", "info-bg"), ("on-brand", "brand"), ("good", "good-bg"), ("warn", "warn-bg"),
    ("bad", "bad-bg"), ("bad", "card"), ("bad", "hover"),
]  # fmt: skip
"""Which colour is written on which."""


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_can_be_read(front: str, back: str, scheme: int) -> None:
    assert contrast(COLOURS[front][scheme], COLOURS[back][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_edges_of_fields_and_focus_rings_can_be_seen(scheme: int) -> None:
    for colour in ("edge", "brand", "bad"):
        assert contrast(COLOURS[colour][scheme], COLOURS["card"][scheme]) >= 3


def test_the_stylesheet_is_small_and_asks_for_nothing_else() -> None:
    assert len(CSS.encode()) <= 8192
    assert not re.search(r"url\(|@import|@font-face|https?:", CSS + SPECIAL)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_inline_style_or_script_and_no_class_without_a_rule(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)|https?://", text)
    assert _classes(text) <= _rules(CSS + SPECIAL)


def test_every_class_that_the_readme_names_has_a_rule_and_the_other_way_round() -> None:
    named = _classes(README) | set(re.findall(r"`([\w-]+)`", README))
    assert _classes(README) <= _rules(CSS)
    assert _rules(CSS) - named == set()


def _classes(text: str) -> set[str]:
    """The class names in `text`, but for those that a template computes."""
    fixed = (re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", value) for value in re.findall(r'class="([^"]*)"', text))
    return {name for value in fixed for name in value.split()}


def _rules(css: str) -> set[str]:
    selectors = re.sub(r"\{[^{}]*\}", "{}", css)
    return set(re.findall(r"\.([a-z][\w-]*)", selectors))
