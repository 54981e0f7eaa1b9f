"""Render components with JinjaX: a component's template is a JinjaX component.

    engine = Engine(renderer=JinjaxRenderer("templates"), secret_key=SECRET)

`template_name` is the name of the JinjaX component ("Counter", "orders.Row"); a path to its file ("orders/Row.jinja")
names the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

try:
    import jinjax
except ImportError as exc:
    raise ImportError("JinjaX is not installed. Run: pip install 'live-component-framework[jinjax]'") from exc

from jinja2 import Environment, FileSystemLoader
from jinjax.component import Component as Declaration

from ..core.errors import ConfigurationError
from .jinja_compiler import speed_up
from .jinja_parts import Parts


class JinjaxRenderer:
    """Renders with a JinjaX catalog, every variable escaped.

    `templates` is a folder, several, or a Catalog of yours, whose environment must have autoescape on. Files of a folder
    are read once; `auto_reload` looks at them before every render, while you write them. What a template declares by
    `{#def …#}` is taken from the component's variables; a template that declares nothing sees all of them.
    """

    def __init__(
        self, templates: str | Path | Sequence[str | Path] | jinjax.Catalog, *, auto_reload: bool = False
    ) -> None:
        self.catalog = templates if isinstance(templates, jinjax.Catalog) else _catalog(templates, auto_reload)
        self._names: dict[str, tuple[str, ...]] = {}
        self._require_autoescape()

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of the JinjaX component `template_name`."""
        self._require_autoescape()
        name = component_name(template_name)
        given = {key: context[key] for key in self._declared(name) if key in context}
        # never the whole context as keywords: a state field called _source would be compiled as a template
        return str(self.catalog.render(name, _globals=dict(context), **given))

    def render_inline(self, source: str, context: Mapping[str, Any]) -> str:
        """The markup of a template written into a component class."""
        self._require_autoescape()
        given = {key: context[key] for key in _declared_in(source) if key in context}
        return str(self.catalog.render("Inline", _source=source, _globals=dict(context), **given))

    def render_part(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of a part of a form: a plain Jinja template in one of the catalog's folders, or the framework's."""
        return self._parts.render(template_name, context)

    @cached_property
    def _parts(self) -> Parts:
        self._require_autoescape()
        return Parts(self.catalog.jinja_env, [FileSystemLoader([str(path) for path in self.catalog.paths])])

    def source(self, template_name: str) -> str:
        """The text of a template, for `Engine.check()`."""
        return str(self.catalog.get_source(component_name(template_name)))

    def _declared(self, name: str) -> tuple[str, ...]:
        """The names in the template's `{#def …#}`; asked of the file again where the catalog reloads files."""
        known = self._names.get(name)
        if known is None or self.catalog.auto_reload:
            known = self._names[name] = _declared_in(self.catalog.get_source(name))
        return known

    def _require_autoescape(self) -> None:
        if self.catalog.jinja_env.autoescape is not True:
            raise ConfigurationError(
                "Autoescape is off in this JinjaX catalog (it is by default). Components show what visitors typed: "
                "jinjax.Catalog(jinja_env=jinja2.Environment(autoescape=True))."
            )


def component_name(template_name: str) -> str:
    """`orders/Row.jinja` as JinjaX says it: `orders.Row`."""
    return template_name.removesuffix(".jinja").replace("/", ".")


@lru_cache(maxsize=1024)
def _declared_in(source: str) -> tuple[str, ...]:
    declaration = Declaration(name="Declared", source=source)
    return (*declaration.required, *declaration.optional)


def _catalog(folders: str | Path | Sequence[str | Path], auto_reload: bool) -> jinjax.Catalog:
    catalog = jinjax.Catalog(jinja_env=Environment(autoescape=True), auto_reload=auto_reload)
    speed_up(catalog.jinja_env)
    for folder in [folders] if isinstance(folders, (str, Path)) else folders:
        catalog.add_folder(folder)
    return catalog
