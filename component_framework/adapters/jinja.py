"""Render components with Jinja2.

engine = Engine(renderer=JinjaRenderer("templates"), secret_key=SECRET)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

try:
    import jinja2
except ImportError as exc:
    raise ImportError("Jinja2 is not installed. Run: pip install 'live-component-framework[jinjax]'") from exc

from ..core.errors import ConfigurationError
from .jinja_compiler import render_light, speed_up
from .jinja_parts import Parts

Templates = str | Path | Sequence[str | Path] | jinja2.BaseLoader | jinja2.Environment


class JinjaRenderer:
    """Renders with Jinja2, every variable escaped whatever the template's name ends with.

    `templates` is a folder, several, a loader, or an Environment of yours, whose autoescape must be on. An environment
    of ours raises UndefinedError for a name that the template does not get, and escapes faster than the stock one.
    """

    def __init__(self, templates: Templates = (), *, globals: Mapping[str, Any] | None = None) -> None:
        self.environment = templates if isinstance(templates, jinja2.Environment) else _environment(templates)
        self.environment.globals.update(globals or {})
        self._render = _render_stock if self.environment is templates else render_light
        require_autoescape(self.environment)
        self._inline = lru_cache(maxsize=256)(self.environment.from_string)

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of the template `template_name`."""
        require_autoescape(self.environment, template_name)
        return self._render(self.environment.get_template(template_name), context)

    def render_inline(self, source: str, context: Mapping[str, Any]) -> str:
        """The markup of a template written into a component class; compiled once."""
        require_autoescape(self.environment)
        return self._render(self._inline(source), context)

    def render_part(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of a part of a form: the application's template of that name, or the framework's."""
        return self._parts.render(template_name, context)

    @cached_property
    def _parts(self) -> Parts:
        loader = self.environment.loader
        return Parts(self.environment, [] if loader is None else [loader], self._render)

    def source(self, template_name: str) -> str:
        """The text of a template, for `Engine.check()`."""
        if self.environment.loader is None:
            raise ConfigurationError("the environment has no loader")
        return self.environment.loader.get_source(self.environment, template_name)[0]


def _render_stock(template: jinja2.Template, context: Mapping[str, Any]) -> str:
    return template.render(context)


def require_autoescape(environment: jinja2.Environment, template_name: str | None = None) -> None:
    """Raise ConfigurationError unless `environment` escapes the variables of `template_name`."""
    autoescape = environment.autoescape
    if autoescape is not True and not (callable(autoescape) and autoescape(template_name)):
        raise ConfigurationError(
            f"Autoescape is off for {template_name or 'templates without a name'}. Components show what visitors typed: "
            "build the environment with jinja2.Environment(autoescape=True)."
        )


def _environment(templates: str | Path | Sequence[str | Path] | jinja2.BaseLoader) -> jinja2.Environment:
    loader = templates if isinstance(templates, jinja2.BaseLoader) else jinja2.FileSystemLoader(templates)
    return speed_up(jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, cache_size=-1))


@cache
def inline_renderer() -> JinjaRenderer:
    """What shows an inline template where no renderer was chosen."""
    return JinjaRenderer()
