"""The engine: what every transport has, whatever carried the call."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlencode

import pytest

from component_framework import Component, Context, Engine, MemoryStateStore, Registry
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.asgi import offload
from component_framework.core.errors import ConfigurationError, TooLarge, Unauthenticated, UnsafeEffect
from component_framework.core.limits import Limits
from component_framework.core.request import HttpRequest
from component_framework.core.wire import Call, Reply

from .served import Page, Percent, engine_of, text, triggers


class Desk(Component):
    template = "<div>{count}</div>"
    count: int = 0
    public_params = ("count",)

    def on_add(self, by: int = 1) -> None:
        self.count += by

    def on_save(self) -> None:
        self.emit("saved", id=7)
        self.push_url("/orders/7")
        self.skip_render()

    def on_muddle(self) -> None:
        self.count += 1
        self.skip_render()

    def on_mix(self) -> None:
        self.update("desk", target="other")
        self.skip_render()

    def on_search(self) -> Iterator[None]:
        self.emit("found", n=1)
        yield
        self.emit("found", n=2)
        self.skip_render()

    def on_fail(self) -> None:
        raise RuntimeError("secret detail")


class Stored(Desk):
    lives_in = "store"


class Watched(Desk):
    replay = "refuse"


engine = engine_of(Desk, Stored, Watched, store=MemoryStateStore())


# -- nothing to show -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["desk", "stored"])
def test_a_handler_may_have_nothing_to_show(name: str) -> None:
    page = Page(engine, name)
    reply = page.send("save")
    assert (reply.status, reply.body) == (204, b"")
    assert triggers(reply) == {"saved": {"id": 7}}
    assert reply.headers["HX-Push-Url"] == "/orders/7"
    assert "Content-Type" not in reply.headers
    assert page.send("add").status == 200, "the token on the page is still the good one"
    assert ">1</div>" in page.html


def test_a_retry_of_an_event_with_nothing_to_show_is_not_handled_again() -> None:
    page = Page(engine, "stored")
    request = page.request("save", {}, x_component_event_id="e-1")
    assert engine.answer_sync(request).status == 204
    again = engine.answer_sync(request)
    assert triggers(again) == {"saved": {"id": 7}}
    assert again.status == 200, "a retry shows the component, too"


@pytest.mark.parametrize(("event", "reason"), [("muddle", "changed its state"), ("mix", r"called update\(\)")])
def test_what_the_page_has_to_learn_of_cannot_be_skipped(event: str, reason: str) -> None:
    assert Page(engine, "desk").send(event).status == 500
    with pytest.raises(ConfigurationError, match=reason):
        engine.component("desk").dispatch(event)


def test_a_component_that_needs_a_new_token_each_time_cannot_skip_it() -> None:
    component = engine.component("watched")
    with pytest.raises(ConfigurationError, match="replay"):
        component.dispatch("save")


async def test_a_stream_may_end_with_nothing_to_show() -> None:
    reply = await engine.answer(Page(engine, "desk").request("search", {}, accept="text/event-stream"))
    assert not isinstance(reply.body, bytes)
    messages = b"".join([chunk async for chunk in reply.body]).decode().split("\n\n")
    assert [message.splitlines()[0] for message in messages if message] == [
        "id: 2",
        "event: found",
        "event: found",
        "event: component:done",
    ]


# -- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [(), "", b"", [], [""], ["new", ""]])
def test_without_a_key_an_engine_refuses_to_start(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret_key"):
        Engine(renderer=Percent(), secret_key=key)


def test_a_debug_engine_makes_its_own_key_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    first, second = engine_of(Desk, secret_key=(), debug=True), engine_of(Desk, secret_key=(), debug=True)
    assert caplog.text.count("No secret_key") == 2
    assert second.answer_sync(Page(first, "desk").request("add", {})).status == 400


def test_keys_rotate_without_a_reset() -> None:
    old, both, new = (engine_of(Desk, secret_key=key) for key in ("old", ["new", "old"], "new"))
    page = Page(old, "desk")
    page.engine = both
    page.send("add")
    page.engine = new
    page.send("add")
    assert ">2</div>" in page.html


def test_two_engines_do_not_see_each_other() -> None:
    assert engine_of(Desk, registry=Registry()).answer_sync(HttpRequest(component="desk", headers={})).status == 404


# -- where a token is good -----------------------------------------------------------------------------------------


def answer(served: Engine, page: Page, event: str = "add", **changes: Any) -> Reply:
    asked = page.request(event, {})
    fields = {name: getattr(asked, name) for name in HttpRequest.__struct_fields__}
    return served.answer_sync(HttpRequest(**(fields | changes)))


def test_a_token_is_refused_for_another_component_element_or_visitor() -> None:
    class Other(Desk): ...

    served = engine_of(Desk, Other, identify=lambda context: context.user)
    page = Page(served, "desk", context=served.context(user="ada"))
    ada, ben = served.context(user="ada"), served.context(user="ben")
    headers = page.request("add", {}).headers
    assert answer(served, page, context=ada).status == 200
    refused: list[dict[str, Any]] = [
        {"context": ben}, {"context": served.context()}, {"context": ada, "component": "other"},
        {"context": ada, "headers": {**headers, "x-component-id": "c-other"}},
        {"context": ada, "headers": {**headers, "x-component-state": headers["x-component-state"][:-2]}},
    ]  # fmt: skip
    for changes in refused:
        reply = answer(served, page, **changes)
        assert (reply.status, reply.headers["X-Component-Code"]) == (400, "state_invalid")
        assert reply.headers["HX-Reswap"] == "none"


@pytest.mark.parametrize(
    ("age", "status"), [(0, 200), (24 * 3600 + 600, 200), (24 * 3600 + 601, 409), (-600, 200), (-601, 409)]
)
def test_a_token_of_another_time_is_answered_with_a_fresh_render(age: int, status: int) -> None:
    now = [1_800_000_000]
    served = engine_of(Desk, clock=lambda: now[0])
    page = Page(served, "desk", count=40)
    now[0] += age
    reply = page.send("add")
    assert reply.status == status
    if status == 409:
        assert triggers(reply)["component:reset"]["code"] == "state_expired"
        assert ">40</div>" in page.html
    assert page.send("add").status == 200


def test_a_token_of_an_older_class_is_answered_with_a_fresh_render() -> None:
    page = Page(engine_of(Desk), "desk", count=40)
    changed = type("Desk", (Desk,), {"__annotations__": {"note": str}, "note": "", "__module__": __name__})
    page.engine = engine_of(changed)
    reply = page.send("add")
    assert (reply.status, triggers(reply)["component:reset"]["code"]) == (409, "state_outdated")
    assert ">40</div>" in page.html


def test_an_id_without_a_token_never_runs_its_event() -> None:
    reply = engine.answer_sync(HttpRequest(component="desk", headers={"x-component-id": "c-1"}, query="event=add"))
    assert (reply.status, triggers(reply)["component:reset"]["code"]) == (409, "state_required")
    assert 'id="c-1"' in text(reply)
    assert ">0</div>" in text(reply)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("count=5", 200),
        ("event=add&count=5", 200),
        ("count=x", 422),
        ("evil=1", 422),
        ("self=1", 422),
        ("component_id=x", 422),
    ],
)
def test_a_visitor_chooses_public_params_only(query: str, status: int) -> None:
    assert engine.answer_sync(HttpRequest(component="desk", headers={}, query=query)).status == status


# -- failures ------------------------------------------------------------------------------------------------------


def test_a_bug_is_logged_once_with_the_id_that_the_visitor_reads(caplog: pytest.LogCaptureFixture) -> None:
    page = Page(engine, "desk")
    before = page.html
    reply = page.send("fail")
    [record] = caplog.records
    [error_id] = re.findall(r"<small>(\w+)</small>", text(reply))
    assert (reply.status, record.levelno) == (500, logging.ERROR)
    assert error_id in record.getMessage()
    assert "secret detail" in caplog.text
    assert not re.search("secret|Error|Traceback|Desk|desk", text(reply) + json.dumps(dict(reply.headers)))
    assert page.html == before


@pytest.mark.parametrize("event", ["x\r\nERROR forged", "\x1b[31m", "\u2028", "é" * 10_000])
def test_a_refusal_is_one_line_of_the_log(event: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    form = {"content-type": "application/x-www-form-urlencoded"}
    engine.answer_sync(HttpRequest(component="desk" + event, headers=form, body=urlencode({"event": event}).encode()))
    [record] = caplog.records
    assert record.getMessage().isprintable()
    assert len(record.getMessage()) < 1000
    assert record.exc_info is None


@pytest.mark.parametrize(("url", "sent"), [("/login?next=/a", "/login?next=/a"), ("/login?next=/é", "/login?next=/%C3%A9"),
                                           ("/login?next=\r\nSet-Cookie: a=1", "/sign-in"), ("javascript:alert(1)", "/sign-in"), (None, "/sign-in")])  # fmt: skip
def test_where_to_log_in_is_an_address_like_any_other(url: str | None, sent: str) -> None:
    class Members(Component):
        template = "<div></div>"

        def authorize(self, event: str | None) -> bool:
            raise Unauthenticated(login_url=url)

    reply = engine_of(Members, login_url="/sign-in").answer_sync(HttpRequest(component="members", headers={}))
    assert (reply.status, reply.headers["HX-Redirect"]) == (401, sent)
    with pytest.raises(UnsafeEffect):
        engine_of(Members, login_url="javascript:alert(1)")


# -- sizes ---------------------------------------------------------------------------------------------------------


class Large(Component):
    template = "<div></div>"
    data: str = ""

    def mount(self, size: int = 0) -> None:
        self.data = "x" * size


def test_a_large_state_is_logged_once_and_an_oversized_one_refused(caplog: pytest.LogCaptureFixture) -> None:
    served = engine_of(Large)
    served.mount("large", size=60_000)
    assert not caplog.records
    served.mount("large", size=70_000)
    served.mount("large", size=70_000)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    with pytest.raises(TooLarge, match="the limit is 524288"):
        served.mount("large", size=600_000)
    assert "<div" in engine_of(Large, limits=Limits(state=1_000_000)).mount("large", size=600_000)


# -- asking before anybody clicks ----------------------------------------------------------------------------------


class Nothing(Component): ...


def test_check_finds_bindings_of_nothing_and_classes_without_a_template() -> None:
    assert engine.check() == []
    messages = engine_of(
        type("Dead", (Desk,), {"template": "<a {{ on('ad') }}></a>{% on 'add' %}", "__module__": __name__}), Nothing
    ).check()
    assert [message[:50] for message in messages] == [
        "Dead has no event 'ad' (did you mean 'add'?), but ",
        "Nothing has no template. Set template_name or temp",
    ]


def test_describe_says_which_events_there_are() -> None:
    assert engine_of(Desk).describe()["desk"]["add"] == {"where": "server", "trigger": "event"}


async def test_a_call_may_be_handled_without_http() -> None:
    reply = await engine.handle(Call(component="desk", event="add", payload={"by": 2}, envelope="json"))
    assert isinstance(reply.body, bytes)
    assert json.loads(reply.body)["html"].endswith(">2</div>")


def test_a_context_is_the_visitors() -> None:
    assert Context().is_anonymous
    assert not Context(user="ada").is_anonymous
    assert Context(user=type("User", (), {"is_authenticated": False})()).is_anonymous


asking: ContextVar[str] = ContextVar("asking", default="nobody")


@pytest.mark.parametrize("waits", [False, True])
async def test_a_sync_handler_in_its_worker_thread_finds_what_the_request_has_set(waits: bool) -> None:
    names = Registry()

    async def on_wait(self: Component) -> None: ...

    def on_ask(self: Any) -> None:
        self.who, self.thread = asking.get(), threading.get_ident()

    body: dict[str, Any] = {"template": "<p>{{ who }} {{ thread }}</p>", "who": "", "thread": 0, "on_ask": on_ask}
    kinds = {"__annotations__": {"who": str, "thread": int}} | ({"on_wait": on_wait} if waits else {})
    names.register("asker")(type("Asker", (Component,), body | kinds))
    served = Engine(renderer=JinjaRenderer(), secret_key="k", registry=names)
    asking.set("ann")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = await served.answer(HttpRequest(component="asker", headers=headers, query="event=ask"), offload)
    assert isinstance(reply.body, bytes)
    assert b">ann " in reply.body
    assert f" {threading.get_ident()}<".encode() not in reply.body
