"""Mistakes in a template are found at its first rendering, before a visitor's click finds them."""

from __future__ import annotations

from typing import Any

import pytest

from component_framework import Component
from component_framework.core.errors import BindingError, ConfigurationError
from component_framework.core.inspection import examine
from component_framework.core.spec import spec_of

from .served import engine_of


class Desk(Component):
    def on_save(self, name: str, agreed: bool, note: str = "") -> None: ...

    def on_clear(self) -> None: ...

    def on_any(self, **fields: Any) -> None: ...


SAVE = 'hx-post="/components/desk?event=save"'
CLEAR = 'hx-post="/components/desk?event=clear"'
ANY = 'hx-post="/components/desk?event=any"'


def inspect(inner: str) -> None:
    examine(f"<div>{inner}</div>", spec_of(Desk), "/components")


@pytest.mark.parametrize(
    "inner",
    [
        f"<form {SAVE}><input name=name><input type=checkbox name=agreed><button>ok</button></form>",
        f"<form><input name=name><input name=note><button {SAVE}>ok</button></form>",
        f"<form {SAVE}><select name=name></select><textarea name=note></textarea></form>",
        f"<form id=f {SAVE}></form><input name=name form=f>",
        f"""<button {SAVE} hx-vals='{{"name": "x"}}'>ok</button>""",
        f"<input name=name {SAVE}>", f"<button {CLEAR}>x</button>", f"<a {SAVE} hx-include='#other'>x</a>", f'<div {SAVE} hx-trigger="saved from:body"></div>',
        f"<form {ANY}><input name=whatever></form>", f"<form {CLEAR}><input name=_state><input name=csrfmiddlewaretoken></form>",
        '<form hx-post="/components/desk"><input name=event value=save></form>', '<a hx-post="/components/other?event=nothing">x</a>',
        '<a hx-post="/elsewhere?event=nothing">x</a>', f"<form {CLEAR}><input name=x disabled></form>", "<br><img src=x><input>",
        """<button hx-post="/components/desk" hx-vals='{"event": "save", "name": 1}'>x</button>""",
        f"<form method=POST {ANY}><input type=password name=secret></form>", f"<form {ANY}><input name=whatever></form><input type=password>",
    ],
)  # fmt: skip
def test_a_binding_that_sends_what_its_handler_takes_is_good(inner: str) -> None:
    inspect(inner)


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ('<a hx-post="/components/desk?event=svae">x</a>', r"Desk has no event 'svae' \(did you mean 'save'\?\)"),
        ('<a hx-post="/components/desk?event=mount">x</a>', "Desk has no event 'mount'"),
        (f"<button {SAVE}>x</button>", r"Desk\.on_save needs 'name', which <button> does not send"),
        (f"<form {SAVE}><input name=note></form>", "needs 'name'"), (f"<form {SAVE}><input name=name disabled></form>", "needs 'name'"),
        (f"<form {ANY}><input type=password name=secret></form>", r'on_any has a password.* write <form method="post"'),
        (f"<form method=get><input type=Password name=secret><button {ANY}>x</button></form>", "has a password"),
        (f"<form><input name=name><button {CLEAR}>x</button></form>", r"on_clear takes no 'name', but <button> sends it"),
        (f"<form {SAVE}><input name=name><input name=evil></form>", "takes no 'evil'"),
        (f"""<button {SAVE} hx-vals='{{"name": "x", "evil": 1}}'>x</button>""", "takes no 'evil'"),
        (f"<form {SAVE} hx-trigger='submit'><input name=note></form>", "needs 'name'"),
    ],
)  # fmt: skip
def test_a_binding_that_would_be_refused_is_told(inner: str, message: str) -> None:
    with pytest.raises(BindingError, match=message):
        inspect(inner)


@pytest.mark.parametrize("markup", ["<p></p><p></p>", "<p></p>text", "text", "", "<br><br>"])
def test_more_or_less_than_one_root_is_told(markup: str) -> None:
    with pytest.raises(ConfigurationError, match="must give one root element"):
        examine(markup, spec_of(Desk), "/components")


class Changing(Component):
    broken: bool = False

    def render(self) -> str:
        return "<p></p><p></p>" if self.broken else "<p></p>"


def test_every_rendering_is_looked_at_while_debugging_and_the_first_of_a_class_otherwise() -> None:
    served = engine_of(Changing, debug=True)
    served.mount("changing")
    with pytest.raises(ConfigurationError):
        served.mount("changing", broken=True)
    with pytest.raises(ConfigurationError):
        engine_of(Changing).mount("changing", broken=True)
