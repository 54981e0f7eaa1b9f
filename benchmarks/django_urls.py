"""The component endpoint beside views by hand."""

from django.urls import include, path

from .apps import async_hand_view, hand_view

urlpatterns = [
    path("components/", include("component_framework.adapters.django.urls")),
    path("hand", async_hand_view),
    path("hand-sync", hand_view),
]
