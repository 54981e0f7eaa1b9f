"""What a page around components needs of their engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from . import assets
from .component import Context
from .marked import Markup

if TYPE_CHECKING:
    from .engine import Engine


class Pages:
    """The part of an Engine that templates of pages use."""

    def page_functions(self: Engine, context: Context) -> dict[str, Callable[..., Markup]]:  # type: ignore[misc]  # all Pages are Engines
        """`live_component` and `component_scripts` for the template of a page that `context` asked for."""

        def component_scripts(nonce: str | None = None) -> Markup:
            return Markup(self.scripts(nonce, context))

        return {"live_component": partial(self.mount, context=context), "component_scripts": component_scripts}

    def scripts(self: Engine, nonce: str | None, context: Context) -> str:  # type: ignore[misc]  # all Pages are Engines
        here = f"{context.root_path}{self.url}"
        own = f"{here}/static" if self.static_url is None else self.static_url
        return assets.tags(
            own, nonce, context.headers, live=here if self.is_live() else None, pushes=context.pushes, socket=self.socket,
            uploads=self.takes_files(), session=context.live_token,
        )  # fmt: skip
