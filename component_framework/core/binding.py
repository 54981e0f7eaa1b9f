"""What `on()` writes into a template."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import BindingError, nearest
from .plain import require_json

if TYPE_CHECKING:
    from .spec import Spec

REMEMBERED = 1000
"""Bindings that a class remembers: most of its renderings say the same ones again."""


def bind(spec: Spec, address: str, event: str, trigger: str | None, args: Mapping[str, Any]) -> str:
    """The htmx attributes that send `event` with `args` to `address`; raises BindingError for what the class does not take."""
    if not isinstance(event, str):
        raise BindingError(f"on() takes the name of an event, not {event!r}.")
    key: Any = (address, event, trigger)
    for name, value in args.items():
        if type(value) not in _EXACT:
            key = None
            break
        key += (name, value)
    known: str | None = spec.bindings.get(key)
    if known is None:
        known = _written(spec, address, event, trigger, args)
        if key is not None and len(spec.bindings) < REMEMBERED:
            spec.bindings[key] = known
    return known


_EXACT = (int, str)
"""Values that equal no other: True is 1, and 1.0 is 1, but they are not written alike."""


def _written(spec: Spec, address: str, event: str, trigger: str | None, args: Mapping[str, Any]) -> str:
    handler = spec.handlers.get(event)
    if handler is None:
        raise BindingError(f"{spec.unknown(event)}.")
    text = f'hx-post="{address}?event={event}"'
    if args:
        if (unknown := args.keys() - handler.shape.names - spec.bound.names) and not handler.shape.open:
            name = min(unknown)
            raise BindingError(f"{spec.title}.on_{event} takes no {name!r} ({nearest(name, handler.shape.names)}).")
        text += f' hx-vals="{_vals(args)}"'
    if handler.uploads:
        text += ' hx-encoding="multipart/form-data"'
    elif spec.takes_files:  # or htmx would take that of the form around, and send its files along
        text += ' hx-encoding="application/x-www-form-urlencoded"'
    if trigger is not None:
        text += f' hx-trigger="{html.escape(trigger)}"'
    return text


def _vals(args: Mapping[str, Any]) -> str:
    """`args` as hx-vals: a form carries text only, so lists and objects go as JSON text, and None as nothing."""
    values = {name: value if type(value) in _SCALARS else _val(name, value) for name, value in args.items()}
    return html.escape(msgspec.json.encode(values).decode(), quote=True)


_SCALARS = (int, str, bool)


def _val(name: str, value: Any) -> Any:
    plain = msgspec.to_builtins(value)
    require_json(plain, name)
    if isinstance(plain, (list, dict)):
        return msgspec.json.encode(plain).decode()
    return "" if plain is None else plain
