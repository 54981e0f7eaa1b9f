"""The pages: each is a template with components in it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def orders(request: HttpRequest) -> HttpResponse:
    """The order desk."""
    return render(request, "desk/orders.html")


def ask(request: HttpRequest) -> HttpResponse:
    """Ask the docs."""
    return render(request, "desk/ask.html")
