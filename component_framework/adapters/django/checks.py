"""What `manage.py check` finds before a visitor does."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import NoReverseMatch, get_script_prefix, reverse

from ...core.errors import ConfigurationError
from .conf import get_engine, has_middleware
from .rendering import DjangoRenderer


def check_components(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The engine's settings, its address, and the templates of all components."""
    try:
        engine = get_engine()
        if isinstance(engine.renderer, DjangoRenderer):
            engine.renderer.engine()
        messages: list[CheckMessage] = [Error(text, id="component_framework.E003") for text in engine.check()]
    except (ConfigurationError, ImproperlyConfigured, ImportError, NoReverseMatch, TypeError, ValueError) as exc:
        return [Error(f"COMPONENT_FRAMEWORK: {exc}", id="component_framework.E001")]
    return [*_check_address(engine.url), *messages, *_check_request(), *_check_middleware()]


def _check_address(url: str) -> list[CheckMessage]:
    hint = "Write path('components/', include('component_framework.adapters.django.urls')) into the root URLconf."
    try:
        address = reverse("component_framework:event", kwargs={"name": "x"}).removesuffix("/x")
    except NoReverseMatch:
        return [Error("The addresses of components are not in the URLconf.", hint=hint, id="component_framework.E002")]
    except (ImproperlyConfigured, ImportError, AttributeError):
        return []  # the URLconf has troubles of its own, which Django reports
    address = "/" + address.removeprefix(get_script_prefix())  # a request brings the prefix with it
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


def _check_middleware() -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    try:
        if not has_middleware(CsrfViewMiddleware):
            text = "Events are refused without a CSRF token, and nothing sets its cookie: no CsrfViewMiddleware."
            hint = "Add django.middleware.csrf.CsrfViewMiddleware to settings.MIDDLEWARE."
            messages.append(Warning(text, hint=hint, id="component_framework.W002"))
        if apps.is_installed("django.contrib.auth") and not _knows_users():
            text = "Components do not know who is asking, and tokens are bound to nobody: no AuthenticationMiddleware."
            hint = "Add SessionMiddleware and AuthenticationMiddleware to settings.MIDDLEWARE, or uninstall django.contrib.auth."
            messages.append(Warning(text, hint=hint, id="component_framework.W003"))
    except ImportError:
        pass  # Django itself does not start with such a list
    return messages


def _knows_users() -> bool:
    from django.contrib.auth.middleware import AuthenticationMiddleware  # needs the models of that app

    return has_middleware(AuthenticationMiddleware)
