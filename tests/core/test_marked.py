"""Markup that is put together stays markup, and text in it stays text."""

from __future__ import annotations

import pytest
from markupsafe import Markup as OtherMarkup

from component_framework.core.marked import Markup


def test_markup_and_markup_is_markup() -> None:
    together = Markup("<b>a</b>") + Markup("<i>b</i>")
    assert (type(together), together) == (Markup, "<b>a</b><i>b</i>")
    assert Markup("<b>") + OtherMarkup("<i>") == "<b><i>"


def test_text_on_either_side_is_escaped() -> None:
    assert Markup("<b>") + "<script>" == "<b>&lt;script&gt;"
    assert '"&' + Markup("<b>") == "&quot;&amp;<b>"
    assert type("a" + Markup("b")) is Markup


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError):
        Markup("<b>") + 1  # type: ignore[operator]
