"""The addresses of components: `path("components/", include("component_framework.adapters.django.urls"))`."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from django.urls.resolvers import ResolverMatch

from ...core.lifecycle import in_event_loop
from .views import async_event, event

app_name = "component_framework"


class EitherPattern(URLPattern):
    """A pattern with two views: the async one where an event loop resolves the path, as Django's ASGI handler does."""

    def resolve(self, path: str) -> ResolverMatch | None:
        """The match, with the view that fits the server."""
        match = super().resolve(path)
        if match is not None and in_event_loop():
            match.func = async_event
        return match


def _either(route: str, name: str, **kwargs: Any) -> EitherPattern:
    plain = path(route, event, kwargs, name=name)
    return EitherPattern(plain.pattern, event, kwargs, name)


urlpatterns = [
    _either("<str:name>", "event"),
    _either("<str:name>/stream", "stream", stream=True),
]
