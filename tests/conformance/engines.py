"""Engines that give the same bytes each time: a clock that stands still, and element ids that are counted."""

from dataclasses import dataclass
from pathlib import Path

import jinja2

from component_framework import Context, Engine, Limits, MemoryStateStore, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.state import Place

from . import components

TEMPLATES = Path(__file__).parent / "templates"
KEY = "canary-key-of-the-conformance-suite"


def templates() -> jinja2.BaseLoader:
    """The suite's templates; one without a suffix is an HTML file, as the specification writes it."""
    files = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.ChoiceLoader([files, jinja2.FunctionLoader(_without_suffix)])


def _without_suffix(name: str) -> str | None:
    path = TEMPLATES / f"{name}.html"
    return path.read_text() if path.exists() else None


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

    def __init__(
        self,
        registry: Registry = components.registry,
        *,
        place: Place = "token",
        store: MemoryStateStore | None = None,
    ) -> None:
        self.clock = Clock()
        self.ids = Ids()
        self.place: Place = place
        self.store = store or MemoryStateStore()
        self.engine = Engine(
            renderer=JinjaRenderer(templates()),
            secret_key=KEY,
            registry=registry,
            limits=Limits(),
            state=place,
            store=self.store if place == "store" else None,
            identify=identify,
            login_url="/login/",
            clock=self.clock,
            new_id=self.ids,
            providers={components.Drawer: components.Drawer.lend},
        )

    def reset(self) -> None:
        self.clock.now = Clock.now
        self.ids.given = 0
