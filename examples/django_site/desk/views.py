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


PAGES = {
    "sign-up": (
        "Sign up",
        "sign_up",
        "Every kind of field, from the types of a plain class; checked as you leave each.",
    ),
    "invoice": ("Invoice", "invoice", "A list of sub-forms: add lines, move them, and go on typing."),
    "room": ("Room", "room", "Who is there, what is said and who is typing: open it in a second window."),
    "machine": ("Machine", "machine", "How busy this machine is: read and rendered once, pushed to every open page."),
    "workshop": ("Workshop", "workshop", "Three steps that keep what you typed; the end gets all of them, validated."),
}


def component(request: HttpRequest, name: str) -> HttpResponse:
    """A page with one component."""
    title, component, lead = PAGES[name]
    return render(request, "desk/form.html", {"title": title, "component": component, "lead": lead})
