"""Components, and a page with some of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path


def page(request: HttpRequest) -> HttpResponse:
    return render(request, "page.html")


urlpatterns = [
    path("components/", include("component_framework.adapters.django.urls")),
    path("page", page),
]
