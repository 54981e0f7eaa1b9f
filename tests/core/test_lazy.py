"""Components that load after the first paint."""

from __future__ import annotations

import re
from typing import Any

import pytest

from component_framework import Component, Engine, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import BindingError
from component_framework.core.request import HttpRequest
from component_framework.core.wire import Reply

registry = Registry()
trouble: list[str] = []


@registry.register("report")
class Report(Component):
    template = '<section><b>{{ year }}: {{ total }}</b><button {{ on("again") }}>Again</button></section>'
    year: int
    total: int = 0

    def mount(self) -> None:
        if trouble:
            raise RuntimeError(trouble[0])
        self.total = self.year * 2

    def on_again(self) -> None:
        self.total += 1


@registry.register("page")
class Page(Component):
    template = '<main>{{ n }}{{ live_component("report", lazy=True, year=2026) }}</main>'
    n: int = 0

    def on_count(self) -> None:
        self.n += 1


@registry.register("stored_report")
class StoredReport(Report):
    pass


def engine() -> Engine:
    trouble.clear()
    return Engine(renderer=JinjaRenderer("."), secret_key="k" * 32, registry=registry)


def part(markup: str, attribute: str) -> str:
    found = re.search(f' {attribute}="([^"]*)"', markup)
    assert found is not None
    return found[1]


def post(engine: Engine, markup: str, event: str = "", name: str = "report") -> Reply:
    headers = {
        "hx-request": "true",
        "x-component-state": part(markup, "data-state"),
        "x-component-id": part(markup, "id"),
    }
    return engine.answer_sync(HttpRequest(component=name, headers=headers, query=f"event={event}" if event else ""))


def text(reply: Reply) -> str:
    assert isinstance(reply.body, bytes)
    return reply.body.decode()


def test_a_placeholder_loads_its_component_with_the_params_of_the_page() -> None:
    here = engine()
    waiting = here.mount("report", lazy=True, year=2026)
    assert "Loading" in waiting
    assert 'hx-trigger="load"' in waiting
    loaded = text(post(here, waiting))
    assert "<b>2026: 4052</b>" in loaded
    assert part(loaded, "id") == part(waiting, "id")
    assert "<b>2026: 4053</b>" in text(post(here, loaded, "again"))


def test_a_child_may_come_later_and_is_kept_by_its_parents_next_render() -> None:
    here = engine()
    page = here.mount("page")
    child = page[page.index("<div") :]
    assert "2026: 4052" in text(post(here, child))
    assert "hx-preserve" in text(post(here, page, "count", name="page"))


@pytest.mark.parametrize(
    "change",
    [lambda state: state[:-1] + ("E" if state[-1] == "A" else "A"), lambda state: state[5:], lambda state: "lazy.x"],
)
def test_params_cannot_be_changed_on_the_way(change: Any) -> None:
    here = engine()
    waiting = here.mount("report", lazy=True, year=2026)
    state = part(waiting, "data-state")
    forged = waiting.replace(state, change(state))
    assert post(here, forged).status == 400


def test_a_state_is_no_placeholder_and_a_placeholder_of_another_component_is_refused() -> None:
    here = engine()
    shown = here.mount("report", year=2026)
    assert post(here, shown.replace('data-state="', 'data-state="lazy.')).status == 400
    waiting = here.mount("report", lazy=True, year=2026)
    assert post(here, waiting, name="stored_report").status == 400


def test_what_cannot_be_loaded_says_so_and_offers_to_try_again() -> None:
    here = engine()
    waiting = here.mount("report", lazy=True, year=2026)
    trouble.append("a secret")
    failed = post(here, waiting)
    assert failed.status == 500
    assert 'role="alert"' in text(failed)
    assert "a secret" not in text(failed)
    assert "HX-Reswap" not in failed.headers
    trouble.clear()
    assert "2026: 4052" in text(post(here, text(failed)))


def test_params_that_do_not_fit_are_told_when_the_page_is_made() -> None:
    with pytest.raises(BindingError, match="year"):
        engine().mount("report", lazy=True, year="next")
