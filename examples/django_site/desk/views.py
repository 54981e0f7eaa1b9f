"""The pages: each is a template with components in it."""

import msgspec
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from examples.shared.gallery import served
from examples.shared.view import View


@login_required
def orders(request: HttpRequest) -> HttpResponse:
    """The order desk."""
    view = msgspec.to_builtins(View.of(request.GET.dict()))
    return render(request, "desk/orders.html", {"view": view})


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
    "gallery": (
        "Gallery",
        "gallery",
        "Pictures dropped, previewed, sent with a progress bar, and served by names that the server made.",
    ),
}


def component(request: HttpRequest, name: str) -> HttpResponse:
    """A page with one component."""
    title, component, lead = PAGES[name]
    return render(request, "desk/form.html", {"title": title, "component": component, "lead": lead})


def picture(request: HttpRequest, name: str) -> HttpResponse:
    """A picture of the gallery."""
    found = served(name)
    if found is None:
        raise Http404
    return HttpResponse(found[0], headers=found[1])
