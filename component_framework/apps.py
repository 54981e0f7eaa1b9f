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
        from .adapters.django.rendering import add_builtin
        from .core.shutdown import listen

        listen()  # a WSGI server calls views in other threads than the one that hears signals
        autodiscover_modules("components")
        add_builtin()
        checks.register(check_components)
