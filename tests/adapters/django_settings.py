"""Settings for the tests on Django."""

import os
import tempfile
from pathlib import Path

SECRET_KEY = "a secret of the tests, and of nothing else"
ROOT_URLCONF = "tests.adapters.django_urls"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_cotton",
    "component_framework",
    "tests.adapters.shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
# the tests' is a file: Django never closes what is in memory, and what a thread leaves open is a warning, and so an error
_FILE = Path(tempfile.gettempdir()) / f"component-tests-{os.getpid()}.sqlite3"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "TEST": {"NAME": _FILE}}}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
STATIC_URL = "/static/"
USE_TZ = True
