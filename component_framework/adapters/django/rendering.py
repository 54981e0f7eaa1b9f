"""Render components with Django's templates, Cotton components in them included."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.template import Engine as TemplateEngine
from django.template import Template, engines
from django.template.backends.django import DjangoTemplates
from django.template.context import make_context

from ...core.errors import ConfigurationError

_TAGS = "component_framework.templatetags.component_framework"

rendering: ContextVar[Mapping[str, Any] | None] = ContextVar("rendering", default=None)
"""The variables of the component that is being rendered: tags find them where a Cotton component hides its context."""


class DjangoRenderer:
    """Renders with a Django template engine, every variable escaped; the request's context processors apply.

    `using` names one of settings.TEMPLATES; None takes the first one for Django templates.
    """

    blocking = True
    """A template may ask the database, so an async component renders in a worker thread."""

    def __init__(self, using: str | None = None) -> None:
        self._using = using
        self._inline = lru_cache(maxsize=256)(self._compile)

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of the template `template_name`."""
        return self._render(self.engine().get_template(template_name), context)

    def render_inline(self, source: str, context: Mapping[str, Any]) -> str:
        """The markup of a template written into a component class; compiled once."""
        return self._render(self._inline(source), context)

    def render_part(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of a part of a form; the tags in it are those of the component around it."""
        template = self.engine().get_template(template_name)
        return str(template.render(make_context(dict(context), None, autoescape=True)))

    def source(self, template_name: str) -> str:
        """The text of a template, for `Engine.check()`."""
        return str(self.engine().get_template(template_name).source)

    def _compile(self, source: str) -> Template:
        if "<c-" in source and apps.is_installed("django_cotton"):
            source = _compile_cotton(
                source
            )  # Cotton's own place for this is the loader, which an inline source passes by
        return self.engine().from_string(source)

    def _render(self, template: Template, context: Mapping[str, Any]) -> str:
        request = getattr(context.get("component"), "request", None)
        bound = make_context(dict(context), request, autoescape=True)
        token = rendering.set(context)
        try:
            return str(template.render(bound))
        finally:
            rendering.reset(token)

    def engine(self) -> TemplateEngine:
        """The template engine; raises ConfigurationError for one that does not escape."""
        backend: Any = engines[self._using] if self._using else _first()
        engine: TemplateEngine = backend.engine
        if not engine.autoescape:
            raise ConfigurationError(
                "This template engine has autoescape off. Components show what visitors typed: remove "
                "OPTIONS['autoescape'] from settings.TEMPLATES, or give components an engine of their own."
            )
        return with_tags(engine)


def add_builtin() -> None:
    """Make the tags known to every template, so that it needs no {% load %}, in Cotton components either."""
    if _TAGS not in TemplateEngine.default_builtins:
        TemplateEngine.default_builtins.append(_TAGS)
    for backend in engines.all():  # those that were made before
        if isinstance(backend, DjangoTemplates):
            with_tags(backend.engine)


def with_tags(engine: TemplateEngine) -> TemplateEngine:
    """`engine`, with the framework's tags among those that need no {% load %}."""
    if _TAGS not in engine.builtins:
        engine.builtins.append(_TAGS)
        engine.template_builtins = engine.get_template_builtins(engine.builtins)
    return engine


def _compile_cotton(source: str) -> str:
    from django_cotton.compiler_regex import CottonCompiler

    return str(CottonCompiler().process(source))


def _first() -> Any:
    for backend in engines.all():
        if isinstance(backend, DjangoTemplates):
            return backend
    raise ConfigurationError(
        "settings.TEMPLATES has no DjangoTemplates backend. Add one, or set COMPONENT_FRAMEWORK['RENDERER']."
    )
