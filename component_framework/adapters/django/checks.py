"""What `manage.py check` finds before a visitor does."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, reverse

from ...core.errors import ConfigurationError
from .conf import get_engine


def check_components(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The engine's settings, its address, and the templates of all components."""
    try:
        engine = get_engine()
        messages: list[CheckMessage] = [Error(text, id="component_framework.E003") for text in engine.check()]
    except (ConfigurationError, ImproperlyConfigured, TypeError, ImportError) as exc:
        return [Error(str(exc), id="component_framework.E001")]
    return [*_check_address(engine.url), *messages, *_check_request()]


def _check_address(url: str) -> list[CheckMessage]:
    hint = "Write path('components/', include('component_framework.adapters.django.urls')) into the root URLconf."
    try:
        address = reverse("component_framework:event", kwargs={"name": "x"}).removesuffix("/x")
    except NoReverseMatch:
        return [Error("The addresses of components are not in the URLconf.", hint=hint, id="component_framework.E002")]
    except (ImproperlyConfigured, ImportError, AttributeError):
        return []  # the URLconf has troubles of its own, which Django reports
    if address != url:
        hint = f'Set COMPONENT_FRAMEWORK = {{"URL": "{address}"}}, or change the path of the include().'
        return [
            Error(
                f"Components answer under {address}, but pages send to {url}.", hint=hint, id="component_framework.E002"
            )
        ]
    return []


def _check_request() -> list[CheckMessage]:
    processor = "django.template.context_processors.request"
    templates: list[dict[str, Any]] = settings.TEMPLATES
    for config in templates:
        known = config.get("OPTIONS", {}).get("context_processors", [])
        if config["BACKEND"].endswith("DjangoTemplates") and processor not in known:
            text = f"{{% live_component %}} needs the request: {processor} is not among the context processors."
            return [Warning(text, hint="Add it to settings.TEMPLATES.", id="component_framework.W001")]
    return []
