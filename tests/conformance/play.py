"""Plays a Scenario on a Host, one request after the other, as a browser would."""

from collections.abc import Iterator
from urllib.parse import quote

from .components import earlier
from .engines import Stage, visitor
from .scenarios import Scenario, Step
from .wire import FORM, Answer, Host, Page, Sent, as_json


def play(scenario: Scenario, host: Host) -> Iterator[tuple[Step, Sent, Answer, Page]]:
    """Each step with the request that it became, its answer, and the page after it."""
    page = open_page(scenario, host.stage)
    for step in scenario.steps:
        host.stage.clock.now += step.later
        request = as_request(step, scenario, page)
        answer = host.send(request)
        page.take(answer)
        yield step, request, answer, page


def open_page(scenario: Scenario, stage: Stage) -> Page:
    """The page before the first step, rendered by the host's own engine."""
    stage.reset()
    page = Page()
    if scenario.page == "none":
        return page
    engine = stage.engine if scenario.page == "now" else Stage(earlier, place=stage.place, store=stage.store).engine
    context = engine.context(user=visitor(scenario.user))
    page.show(engine.mount(scenario.component, context=context, **scenario.params))
    return page


def as_request(step: Step, scenario: Scenario, page: Page) -> Sent:
    """`step` as it stands on the wire."""
    target = step.to or page.root
    name, token = page.components.get(target, (step.to or scenario.component, ""))
    known = bool(token) and not step.bare
    headers = {"accept": step.accept}
    if step.user:
        headers["x-user"] = step.user
    if step.json is not None:
        headers["content-type"] = "application/json"
        carried = {"state": token, "component_id": target} if known else {}
        body = as_json({**carried, **step.json})
    else:
        headers |= {"content-type": FORM, "hx-request": "true"}
        if known and not step.fallback:
            headers |= {"x-component-state": token, "x-component-id": target}
        fields = f"&_id={quote(target)}&_state={quote(token)}" if known and step.fallback else ""
        body = (step.body + fields).removeprefix("&").encode()
    query = "&".join(part for part in (f"event={step.event}" if step.event else "", step.query) if part)
    path = f"/components/{name}{'/stream' if step.stream else ''}" + (f"?{query}" if query else "")
    return Sent(path, headers | dict(step.headers), body)
