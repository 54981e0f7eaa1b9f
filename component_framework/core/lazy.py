"""Children that are loaded after the first paint: a placeholder that asks for its component, and shows why it did not come."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from .component import Component, Context
from .errors import ConfigurationError, Invalid, RequestError, unmountable
from .signing import Token, raw
from .spec import spec_of
from .state import revive
from .wire import HTML, Call, Frame, Reply, error_headers

if TYPE_CHECKING:
    from .engine import Engine

MARK = "lazy."
"""What the state of a component begins with that was not mounted yet: its token has params only."""


def is_lazy(call: Call) -> bool:
    """Whether `call` comes from a placeholder."""
    return call.state is not None and call.state.startswith(MARK)


def placeholder(engine: Engine, name: str, target: str | None, params: dict[str, Any], context: Context) -> Frame:
    """What stands for the component `name` until it has loaded; raises BindingError for params that do not fit."""
    cls = engine.registry.find(name)
    spec = spec_of(cls)
    params.pop("lazy")
    if engine._page.cipher is None and not spec.secret_params.isdisjoint(params):
        raise ConfigurationError(
            f"{spec.title} is lazy, so that its server-only params have to wait in the page. Encrypt them: Engine(cipher=AesGcmCipher(…))."
        )
    try:
        target = target or engine.new_id(cls(**params))
        fitting = raw(spec.fit_params(params))
    except Invalid as exc:
        raise unmountable(name, exc, spec.mount.names) from exc
    token = engine._page.conceal(Token(int(engine.clock()), target, spec.schema, 0, fitting, {}, raw({})), spec)
    state = MARK + engine.signer.seal(token, _purpose(name), context.identity)
    inner = "<p>Loading …</p>"
    renderer = cls.renderer or engine.renderer
    if cls.placeholder_template is not None and renderer is not None:
        inner = str(renderer.render(cls.placeholder_template, {"name": name, "params": params}))
    markup = _element(engine, name, target, state, context.root_path, 'hx-trigger="load" aria-busy="true"', inner)
    return Frame(html=markup, component_id=target, token=state)


def opened(engine: Engine, call: Call, cls: type[Component]) -> Component:
    """The component that a placeholder asks for, not mounted yet; raises StateInvalid or StateExpired."""
    assert call.state is not None
    text = call.state[len(MARK) :]
    token = engine.signer.open(text, _purpose(call.component), call.context.identity, engine.clock())
    return revive(cls, engine._page.reveal(token))


def excuse(engine: Engine, call: Call, error: RequestError, error_id: str) -> Reply:
    """What a placeholder shows when its component could not be loaded, with a button to try again."""
    address = f"{call.context.root_path}{engine.url}/{call.component}"
    inner = (
        f'<p role="alert">{html.escape(error.public)} <small>{error_id}</small></p>'
        f'<button type="button" hx-post="{address}">Try again</button>'
    )
    target = html.escape(call.component_id or "")
    markup = _element(
        engine, call.component, target, call.state or "", call.context.root_path, 'hx-trigger="never"', inner
    )
    return Reply(error.status, {**error_headers(error), "Content-Type": HTML}, markup.encode())


def _element(engine: Engine, name: str, target: str, state: str, root_path: str, how: str, inner: str) -> str:
    return (
        f'<div id="{target}" data-component="{name}" data-state="{html.escape(state)}" data-version="0" '
        f'hx-post="{root_path}{engine.url}/{name}" {how} hx-target:inherited="this" hx-swap:inherited="outerMorph" '
        f'hx-sync:inherited="this:queue all" hx-status:5xx:inherited="swap:outerMorph">{inner}</div>'
    )


def _purpose(name: str) -> str:
    return f"{name}?lazy"
