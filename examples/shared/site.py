"""What the FastAPI and the Litestar example share: the pages, their renderer and their security policy."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from component_framework import Context, Engine
from component_framework.adapters.jinjax import JinjaxRenderer

from .basics import Counter
from .view import View

SHARED = Path(__file__).parent
TEMPLATES = SHARED.parent / "fastapi_app" / "templates"
CSP = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

PAGES = {
    "": ("Counter", "counter", "A plain Python class owns the number; htmx swaps the HTML."),
    "orders": (
        "Order desk",
        "order_desk",
        "A thousand orders in a database, searched, sorted, paged and edited in place.",
    ),
    "ask": (
        "Ask the docs",
        "ask_docs",
        "A generator handler streams each step of a search through this project's documentation.",
    ),
    "packing": (
        "Packing list",
        "packing_list",
        "A parent with children: what is being typed in one survives the render of the other.",
    ),
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

renderer = JinjaxRenderer(TEMPLATES, auto_reload=os.environ.get("DEBUG") == "1")


class SecurityPolicy:
    """An ASGI middleware: every answer of `app` carries the policy, and the client's leaving goes through at once."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", CSP.encode())]
            await send(message)

        await self.app(scope, receive, send_with_policy)


def sources() -> list[tuple[str, str]]:
    """The counter of the first page, as it is written: the class and the template."""
    template = TEMPLATES / "Counter.jinja"
    return [
        ("examples/shared/basics.py", inspect.getsource(Counter).rstrip()),
        ("examples/fastapi_app/templates/Counter.jinja", template.read_text().rstrip()),
    ]


async def page(engine: Engine, context: Context, name: str, query: Mapping[str, str]) -> str | None:
    """The page under `name`, showing what `query` asks for; None where there is none."""
    if name not in PAGES:
        return None
    title, component, lead = PAGES[name]
    params = {"view": msgspec.to_builtins(View.of(query))} if name == "orders" else {}
    variables = {
        "title": title,
        "lead": lead,
        "pages": [(path, label, about, path == name) for path, (label, _, about) in PAGES.items()],
        "body": await engine.async_mount(component, context=context, **params),
        "sources": sources() if name == "" else [],
        **engine.page_functions(context),
    }
    return renderer.render("Page", variables)
