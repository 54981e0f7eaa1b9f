"""The addresses of components: `path("components/", include("component_framework.adapters.django.urls"))`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path
from django.urls.resolvers import ResolverMatch

from ...core.lifecycle import in_event_loop
from .live import live, no_live, socket
from .views import async_event, event

View = Callable[..., Any]

app_name = "component_framework"


class EitherPattern(URLPattern):
    """A pattern with two views: the async one where an event loop resolves the path, as Django's ASGI handler does."""

    async_view: View

    def resolve(self, path: str) -> ResolverMatch | None:
        """The match, with the view that fits the server."""
        match = super().resolve(path)
        if match is not None and in_event_loop():
            match.func = self.async_view
        return match


def _either(route: str, name: str, view: View, async_view: View, **kwargs: Any) -> EitherPattern:
    plain = path(route, view, kwargs, name=name)
    pattern = EitherPattern(plain.pattern, view, kwargs, name)
    pattern.async_view = async_view
    return pattern


urlpatterns = [
    _either("live", "live", no_live, live),
    _either("ws", "ws", no_live, socket),
    _either("<str:name>", "event", event, async_event),
    _either("<str:name>/stream", "stream", event, async_event, stream=True),
]
