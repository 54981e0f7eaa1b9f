"""Django with the middleware of a usual project; where SQLITE names a database, with forms and rows."""

import os

SECRET_KEY = "benchmark"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.django_form_urls" if "SQLITE" in os.environ else "benchmarks.django_urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "component_framework",
    "benchmarks",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SQLITE", ":memory:"),
        "CONN_MAX_AGE": None,
    }
}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
COMPONENT_FRAMEWORK = {
    "ENGINE": "benchmarks.django_form_urls.engine" if "SQLITE" in os.environ else "benchmarks.subject.engine"
}
STATIC_URL = "/static/"
