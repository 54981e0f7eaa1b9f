"""The engine that the settings describe, built at its first use."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.utils.module_loading import import_string

from ...core.component import Context
from ...core.engine import Engine
from ...core.limits import Limits
from .rendering import DjangoRenderer, with_tags

OPTIONS = {
    "ENGINE": "an Engine of your own, or its dotted path; no other option counts then",
    "URL": "the path of include('component_framework.adapters.django.urls'), /components if left out",
    "STATIC_URL": "where the assets are served; Django's static files if left out",
    "RENDERER": "a renderer, or the dotted path of one; Django's templates if left out",
    "STORE": "a StateStore, or the dotted path of one",
    "STATE": '"token" (the default) or "store"',
    "LIMITS": "a dict of core.limits.Limits fields",
    "LOGIN_URL": "where visitors that are not logged in are sent; settings.LOGIN_URL if left out",
    "TRUSTED_ORIGINS": "other origins whose pages may send events; settings.CSRF_TRUSTED_ORIGINS if left out",
    "AUTHORIZE": "a function of (component, event), or its dotted path",
    "CIPHER": "a Cipher for server-only fields, or its dotted path",
    "TRUSTED_PROXIES": "networks whose X-Forwarded-For is believed",
    "RATE_LIMITER": "a RateLimiter, or its dotted path",
    "REGISTRY": "a Registry, or its dotted path",
    "DEBUG": "settings.DEBUG if left out",
}


@cache
def get_engine() -> Engine:
    """The engine of this project; raises ImproperlyConfigured for settings that it does not know."""
    options: dict[str, Any] = dict(getattr(settings, "COMPONENT_FRAMEWORK", {}))
    if unknown := options.keys() - OPTIONS.keys():
        raise ImproperlyConfigured(
            f"COMPONENT_FRAMEWORK has no option {min(unknown)!r}. It has: {', '.join(sorted(OPTIONS))}."
        )
    if "ENGINE" in options:
        engine: Engine = _load(options["ENGINE"])
        return engine
    extra = {name.lower(): _load(options[name]) for name in _PLAIN if name in options}
    return Engine(
        renderer=_load(options.get("RENDERER")) or DjangoRenderer(),
        secret_key=[settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
        url=options.get("URL", "/components"),
        static_url=options.get("STATIC_URL", f"{settings.STATIC_URL or '/static/'}component_framework"),
        limits=Limits(**options.get("LIMITS", {})),
        login_url=options.get("LOGIN_URL", settings.LOGIN_URL),
        trusted_origins=options.get("TRUSTED_ORIGINS", settings.CSRF_TRUSTED_ORIGINS),
        debug=options.get("DEBUG", settings.DEBUG),
        identify=identify,
        **extra,
    )


_PLAIN = ("STORE", "STATE", "CIPHER", "TRUSTED_PROXIES", "AUTHORIZE", "RATE_LIMITER", "REGISTRY")


def identify(context: Context) -> str | None:
    """The hash of the login session, so that a token is good until its user logs out or changes the password."""
    user = context.user
    if user is None or not user.is_authenticated:
        return None
    session_key = getattr(context.session, "session_key", None) or ""
    return f"{user.pk}:{user.get_session_auth_hash()}:{session_key}"


def _load(value: Any) -> Any:
    if not isinstance(value, str) or "." not in value:
        return value
    loaded = import_string(value)
    return loaded() if isinstance(loaded, type) else loaded


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in ("COMPONENT_FRAMEWORK", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "DEBUG", "STATIC_URL", "TEMPLATES"):
        get_engine.cache_clear()
    if setting == "TEMPLATES":
        add_builtin()  # the template engines are made anew


def add_builtin() -> None:
    """Make the tags known to every template, so that it needs no {% load %}, in Cotton components either."""
    for backend in engines.all():
        if isinstance(backend, DjangoTemplates):
            with_tags(backend.engine)


setting_changed.connect(_forget)
