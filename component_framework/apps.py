"""The Django app: `INSTALLED_APPS = [..., "component_framework"]`."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.utils.module_loading import autodiscover_modules


class ComponentFrameworkConfig(AppConfig):
    """Imports every app's `components` module, makes the tags known to all templates and registers the checks."""

    name = "component_framework"
    verbose_name = "Components"

    def ready(self) -> None:
        """Called by Django when every app is there."""
        from .adapters.django.checks import check_components

        autodiscover_modules("components")
        _add_builtin()
        checks.register(check_components)


def _add_builtin() -> None:
    """The tag library needs no {% load %}, in Cotton components either."""
    from django.template import engines
    from django.template.backends.django import DjangoTemplates

    library = "component_framework.templatetags.component_framework"
    for backend in engines.all():
        if isinstance(backend, DjangoTemplates) and library not in backend.engine.builtins:
            backend.engine.builtins.append(library)
            backend.engine.template_builtins = backend.engine.get_template_builtins(backend.engine.builtins)
