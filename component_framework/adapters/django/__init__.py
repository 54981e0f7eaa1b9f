"""Serve components from Django, under WSGI and ASGI alike.

INSTALLED_APPS = [..., "component_framework"]
urlpatterns = [path("components/", include("component_framework.adapters.django.urls"))]
COMPONENT_FRAMEWORK = {"LOGIN_URL": "/login/"}
"""

try:
    import django as django
except ImportError as exc:
    raise ImportError("Django is not installed. Run: pip install 'live-component-framework[django]'") from exc
