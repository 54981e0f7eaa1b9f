"""The engine that the settings describe, built at its first use."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.shortcuts import resolve_url
from django.utils.module_loading import import_string

from ...core.component import Context
from ...core.engine import Engine
from ...core.limits import Limits
from .rendering import DjangoRenderer
from .transactions import Savepoint, atomic_aliases

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
    "BROKER": "a Broker, or the dotted path of one",
    "SOCKET": "True lets pages send their events down a WebSocket",
    "PROVIDERS": "a dict of what gives handlers what they ask for, by type, or its dotted path",
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
    engine: Engine = _load(options["ENGINE"]) if "ENGINE" in options else _made(options)
    engine.unit = Savepoint if atomic_aliases() else None
    return engine


def _made(options: dict[str, Any]) -> Engine:
    extra = {name.lower(): _load(options[name]) for name in _PLAIN if name in options}
    return Engine(
        renderer=_load(options.get("RENDERER")) or DjangoRenderer(),
        secret_key=[settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
        url=options.get("URL", "/components"),
        static_url=options.get("STATIC_URL", f"{settings.STATIC_URL or '/static/'}component_framework"),
        limits=Limits(**options.get("LIMITS", {})),
        login_url=_address(options.get("LOGIN_URL", settings.LOGIN_URL)),
        trusted_origins=options.get("TRUSTED_ORIGINS", settings.CSRF_TRUSTED_ORIGINS),
        debug=options.get("DEBUG", settings.DEBUG),
        identify=identify,
        **extra,
    )


_PLAIN = (
    "STORE",
    "STATE",
    "CIPHER",
    "TRUSTED_PROXIES",
    "AUTHORIZE",
    "RATE_LIMITER",
    "REGISTRY",
    "BROKER",
    "SOCKET",
    "PROVIDERS",
)


def identify(context: Context) -> str | None:
    """The user and the login session, so that a token is good until its user logs out.

    The mark of `_mark_login()` stays when SECRET_KEY rotates and when the session's key changes. A login from before
    this app was installed has none, and neither has a user that came without a session.
    """
    user, session = context.user, context.session
    if user is None or not user.is_authenticated:
        return None
    if session is not None and (mark := session.get(LOGIN)) is not None:
        return f"{user.pk}:{mark}"
    auth_hash = getattr(user, "get_session_auth_hash", str)()
    return f"{user.pk}:{auth_hash}:{getattr(session, 'session_key', None) or ''}"


LOGIN = "component_framework.login"
"""Where a login session keeps the mark that tokens are bound to."""


def _mark_login(request: Any, **kwargs: Any) -> None:
    if (session := getattr(request, "session", None)) is not None:
        session[LOGIN] = secrets.token_urlsafe(16)


user_logged_in.connect(_mark_login)


@cache
def has_middleware(kind: type) -> bool:
    """Whether settings.MIDDLEWARE has `kind`, or a subclass of it."""
    found = [import_string(name) for name in settings.MIDDLEWARE]
    return any(isinstance(middleware, type) and issubclass(middleware, kind) for middleware in found)


@cache
def login_is_required() -> bool:
    """Whether the site has Django's LoginRequiredMiddleware, which would answer an event with a redirect."""
    if not apps.is_installed("django.contrib.auth"):
        return False
    from django.contrib.auth.middleware import LoginRequiredMiddleware  # needs the models of that app

    return has_middleware(LoginRequiredMiddleware)


def _address(login_url: Any) -> str | None:
    """`login_url`, which may name a pattern of the URLconf, as an address."""
    if login_url is None:
        return None
    text = str(login_url)
    return text if "/" in text else resolve_url(text)


def _load(value: Any) -> Any:
    if not isinstance(value, str) or "." not in value:
        return value
    loaded = import_string(value)
    return loaded() if isinstance(loaded, type) else loaded


def _forget(*, setting: str, **kwargs: Any) -> None:
    get_engine.cache_clear()
    has_middleware.cache_clear()
    login_is_required.cache_clear()


setting_changed.connect(_forget)
