"""Forms and rows as components, beside views by hand."""

from django.urls import include, path

from .forms import django_parts

engine, form_by_hand, row_by_hand = django_parts()
urlpatterns = [
    path("components/", include("component_framework.adapters.django.urls")),
    path("form/hand", form_by_hand),
    path("row/hand", row_by_hand),
]
