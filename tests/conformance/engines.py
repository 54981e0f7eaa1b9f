"""Engines that give the same bytes each time: a clock that stands still, and element ids that are counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from component_framework import Context, Engine, Limits, Registry

from . import components

TEMPLATES = Path(__file__).parent / "templates"
KEY = "canary-key-of-the-conformance-suite"


class TenLineRenderer:
    """What a user would write by hand around the template engine of their choice."""

    def __init__(self) -> None:
        loader = jinja2.FileSystemLoader(TEMPLATES)
        self.environment = jinja2.Environment(loader=loader, autoescape=True)

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        name = template_name if "." in template_name else f"{template_name}.html"
        return self.environment.get_template(name).render(context)

    def render_inline(self, source: str, context: Mapping[str, Any]) -> str:
        return self.environment.from_string(source).render(context)


@dataclass
class Clock:
    """Seconds since 1970, moved by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Ids:
    """Element ids in order: c-1, c-2, …"""

    given: int = 0

    def __call__(self) -> str:
        self.given += 1
        return f"c-{self.given}"


@dataclass(frozen=True)
class Visitor:
    """Whoever the `X-User` header names; every host puts one where its framework keeps the user."""

    name: str
    is_authenticated: bool = True


def visitor(name: str) -> Visitor | None:
    return Visitor(name) if name else None


def identify(context: Context) -> str | None:
    return context.user.name if isinstance(context.user, Visitor) else None


class Stage:
    """An engine with what makes it repeatable; `reset()` before each scenario."""

    def __init__(self, registry: Registry = components.registry) -> None:
        self.clock = Clock()
        self.ids = Ids()
        self.engine = Engine(
            renderer=TenLineRenderer(),
            secret_key=KEY,
            registry=registry,
            limits=Limits(),
            identify=identify,
            login_url="/login/",
            clock=self.clock,
            new_id=self.ids,
        )

    def reset(self) -> None:
        self.clock.now = Clock.now
        self.ids.given = 0
