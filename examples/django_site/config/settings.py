"""Settings of the example site: SQLite, unless DATABASE_URL names a PostgreSQL.

`postgres://user:password@host:port/name?sslmode=require`. `make demo-django` installs its driver then (the dependency group
"postgres" of pyproject.toml). An address like this is a few lines of the standard library, so no package is needed to read it.
"""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SITE = Path(__file__).resolve().parent.parent
SHARED = SITE.parent / "shared"

SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_hex()
DEBUG = os.environ.get("DEBUG", "") == "1"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_cotton",
    "component_framework",
    "desk",
]
MIDDLEWARE = [
    "config.middleware.security_policy",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
        },
    }
]


def database(url: str) -> dict[str, object]:
    """The database that `url` names; ImproperlyConfigured for one that is no PostgreSQL."""
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("SQLITE", SITE / "site.sqlite3")}
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL must begin with postgres://, got {parts.scheme}://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


DATABASES = {"default": database(os.environ.get("DATABASE_URL", ""))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATICFILES_DIRS = [("shared", SHARED)]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login"
USE_TZ = True
TIME_ZONE = "UTC"

COMPONENT_FRAMEWORK = {"URL": "/components", "LOGIN_URL": LOGIN_URL, "SOCKET": True}
