"""Who may: permissions, rates and time limits, on every path."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from component_framework import Component, Engine, Limits, Registry, Upload, limit_rate, requires
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.component import Context
from component_framework.core.errors import (
    ConfigurationError,
    Forbidden,
    NotFound,
    RequestError,
    StateInvalid,
    Unauthenticated,
    Unavailable,
)
from component_framework.core.intake import intake_for
from component_framework.core.request import HttpRequest
from component_framework.core.wire import Call


class User:
    is_authenticated = True

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    def has_perm(self, name: str) -> bool:
        return name in self.permissions


class Limiter:
    """Lets two pass."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []

    async def hit(self, limit: str, *key: str) -> float:
        self.seen.append((limit, *key))
        return 0 if self.seen.count((limit, *key)) <= 2 else 7


registry = Registry()
log: list[str] = []


@registry.register("vault")
class Vault(Component):
    template = "<p {{ on('look') }}></p>"
    permissions = ("vault.view",)

    def mount(self) -> None:
        log.append("mounted")

    def on_look(self) -> None:
        log.append("looked")

    @requires("vault.take")
    def on_take(self) -> None:
        log.append("took")


@registry.register("busy")
class Busy(Component):
    template = "<p></p>"
    rate_limit = "9/minute"

    @limit_rate("2/second")
    def on_knock(self) -> None:
        pass


@registry.register("slow")
class Slow(Component):
    template = "<p {{ on('wait') }}>{{ done }}</p>"
    done: bool = False

    async def on_wait(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("waited no longer")

    async def on_drip(self) -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()


@registry.register("payment")
class Payment(Component):
    template = "<p>{{ paid }}</p>"
    paid: int = 0

    @contextmanager
    def unit_of_work(self) -> Iterator[None]:
        log.append("begin")
        try:
            yield
        except BaseException:
            log.append("roll back")
            raise
        log.append("commit")

    def on_pay(self, amount: int) -> None:
        self.paid += amount
        if amount > 100:
            raise RuntimeError("declined")


def engine(**options: Any) -> Engine:
    log.clear()
    return Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry, **options)


async def answer(
    served: Engine, component: str, event: str | None = None, user: Any = None, **payload: Any
) -> tuple[int, str]:
    context = served.context(user=user, address="192.0.2.1")
    reply = await served.handle(Call(component=component, event=event, payload=payload, context=context))
    return reply.status, reply.headers.get("X-Component-Code", "")


async def test_without_a_permission_nothing_of_the_component_runs() -> None:
    served = engine()
    assert await answer(served, "vault") == (401, "unauthenticated")
    assert await answer(served, "vault", user=User()) == (403, "forbidden")
    assert await answer(served, "vault", "look", user=User("other")) == (403, "forbidden")
    assert log == []
    assert await answer(served, "vault", "look", user=User("vault.view")) == (200, "")
    assert log == ["mounted", "looked"]


async def test_a_handler_may_need_more_than_its_component() -> None:
    served = engine()
    assert await answer(served, "vault", "take", user=User("vault.view")) == (403, "forbidden")
    assert log == []
    assert await answer(served, "vault", "take", user=User("vault.view", "vault.take")) == (200, "")


async def test_a_page_that_outlived_its_login_is_sent_to_log_in() -> None:
    served = engine(login_url="/login", identify=lambda context: None if context.is_anonymous else "ada")
    page = served.mount("vault", context=served.context(user=User("vault.view")))
    token = re.search('data-state="([^"]*)"', page)
    assert token is not None
    log.clear()
    call = Call(component="vault", event="look", state=token[1], context=served.context())
    reply = await served.handle(call)
    assert (reply.status, reply.headers["X-Component-Code"]) == (401, "unauthenticated")
    assert reply.headers["HX-Redirect"] == "/login"
    assert log == []


def test_a_page_shows_what_the_component_declares_for_those_who_may_not_see_it() -> None:
    import jinja2

    pages = Registry()

    @pages.register("club")
    class Club(Component):
        template = "<b>welcome</b>"
        permissions = ("authenticated",)
        refused_template = "members.html"

    @pages.register("page")
    class Page(Component):
        template = "<div>{{ live_component('club') }}{{ renders }}</div>"
        renders: int = 0

        def on_again(self) -> None:
            self.renders += 1

    renderer = JinjaRenderer(jinja2.DictLoader({"members.html": "<i>members only</i>"}))
    served = Engine(renderer=renderer, secret_key="k", registry=pages)
    assert served.mount("club") == "<i>members only</i>"
    assert "welcome" in served.mount("club", context=Context(user=User()))
    assert served.component("page").dispatch("again")["html"].endswith("<i>members only</i>1</div>")


def test_a_page_cannot_show_what_its_visitor_may_not_see() -> None:
    served = engine()
    with pytest.raises(Unauthenticated):
        served.mount("vault")
    with pytest.raises(Forbidden):
        served.mount("vault", context=Context(user=User()))


async def test_an_application_may_say_how_permissions_are_asked_for() -> None:
    served = engine(has_permission=lambda context, name: name == context.user)
    assert (await answer(served, "vault", "look", user="vault.view"))[0] == 200
    assert (await answer(served, "vault", "look", user="nobody"))[0] == 403


def test_a_user_that_cannot_be_asked_is_the_developers_mistake() -> None:
    with pytest.raises(ConfigurationError, match="has_permission"):
        engine().mount("vault", context=Context(user="just a name"))


async def test_too_many_events_are_refused_with_the_seconds_to_wait() -> None:
    limiter = Limiter()
    served = engine(rate_limiter=limiter)
    assert [(await answer(served, "busy", "knock"))[0] for _ in range(3)] == [200, 200, 429]
    assert ("2/second", "busy", "knock", "192.0.2.1") in limiter.seen
    context = served.context(address="192.0.2.1")
    reply = await served.handle(Call(component="busy", event="knock", context=context))
    assert reply.headers["Retry-After"] == "7"


async def test_a_rate_without_a_limiter_is_the_developers_mistake() -> None:
    assert await answer(engine(), "busy", "knock") == (500, "failed")


async def test_a_handler_over_its_time_is_cancelled_and_its_state_not_saved() -> None:
    served = engine(limits=Limits(handler=0.05))
    assert await answer(served, "slow", "wait") == (504, "timeout")
    assert log == ["waited no longer"]


async def test_a_unit_of_work_is_committed_with_the_event_and_rolled_back_with_a_failure() -> None:
    served = engine()
    assert await answer(served, "payment", "pay", amount=5) == (200, "")
    assert log == ["begin", "commit"]
    log.clear()
    assert await answer(served, "payment", "pay", amount=500) == (500, "failed")
    assert log == ["begin", "roll back"]


async def test_a_rate_counts_calls_and_no_page_that_shows_the_component() -> None:
    limiter = Limiter()
    served = engine(rate_limiter=limiter)
    for _ in range(5):
        await served.async_mount("busy", context=served.context(address="192.0.2.1"))
    assert limiter.seen == []
    assert [(await answer(served, "busy"))[0] for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("bad", [{"component_id": "c-1"}, {"state": "expired"}, {"state": "forged"}])
async def test_a_call_that_will_be_refused_counts_before_anything_is_shown(bad: dict[str, str]) -> None:
    now = [0.0]
    limiter = Limiter()
    served = engine(rate_limiter=limiter, clock=lambda: now[0])
    if bad.get("state") == "expired":
        found = re.search('data-state="([^"]+)"', served.mount("busy"))
        assert found is not None
        bad, now[0] = {"state": found[1]}, 1e7
    call = Call(component="busy", event="knock", context=served.context(address="192.0.2.1"), **bad)  # type: ignore[arg-type]
    statuses = [(await served.handle(call)).status for _ in range(3)]
    assert statuses[0] in (400, 409)
    assert statuses[2] == 429


async def test_one_address_that_sends_many_forged_tokens_has_to_wait_and_others_do_not() -> None:
    served = engine(rate_limiter=Limiter())
    headers = {"x-component-state": "forged", "content-type": "application/x-www-form-urlencoded", "hx-request": "true"}

    async def forge(address: str, **more: Any) -> int:
        context = served.context(address=address)
        request = HttpRequest(component="payment", headers=headers, query="event=pay", context=context, **more)
        return (await served.answer(request)).status

    assert [await forge("192.0.2.1") for _ in range(3)] == [400, 400, 429]
    assert await forge("192.0.2.2") == 400
    refused = StateInvalid("found by the adapter, before a body with files was read")
    assert [await forge("192.0.2.3", refused=refused) for _ in range(3)] == [400, 400, 429]
    assert await answer(served, "payment", "pay", amount=5) == (200, "")


class Away:
    async def hit(self, limit: str, *key: str) -> float:
        raise Unavailable("no Redis")


async def test_without_what_counts_a_limited_component_waits_and_a_forged_token_is_refused_all_the_same() -> None:
    served = engine(rate_limiter=Away())
    assert await answer(served, "busy", "knock") == (503, "unavailable")
    assert await answer(served, "payment", "pay", amount=5) == (200, "")
    reply = await served.handle(Call(component="payment", event="pay", state="forged"))
    assert reply.status == 400


def staff_only(context: Context) -> bool:
    if context.user != "staff":
        raise NotFound("for this visitor there is no such component")
    return True


@registry.register("hidden")
class Hidden(Component):
    template = "<p {{ on('look') }}></p>"
    permissions = (staff_only,)
    public_params = ("page",)
    rate_limit = "9/minute"

    def mount(self, page: int = 1) -> None: ...

    def on_look(self, at: int = 0) -> None: ...

    def on_bring(self, file: Upload) -> None: ...


URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("query", "headers", "body"),
    [
        ("", {}, b""),
        ("event=look", {}, b""),
        ("event=look", {}, b"at=x"),
        ("event=boom", {}, b""),
        ("page=x", {}, b""),
        ("pages=1", {}, b""),
        ("", {"x-component-id": "c-1"}, b""),
        ("", {"x-component-state": "forged"}, b""),
        ("", {"x-component-state": "lazy.forged"}, b""),
        ("", {"accept": "text/event-stream"}, b""),
        ("event=look", {"content-type": "text/plain"}, b"x"),
        ("event=bring", {"content-type": "multipart/form-data; boundary=x"}, b"x"),
        ("", {"content-type": "application/json"}, b'{"event": "look", "params": {"page": "x"}}'),
    ],
)
async def test_a_component_that_a_visitor_may_not_know_of_is_answered_as_one_that_is_missing(
    query: str, headers: dict[str, str], body: bytes
) -> None:
    served = engine(rate_limiter=Limiter())

    async def ask(name: str) -> tuple[int, dict[str, str], str]:
        sent = {"content-type": URLENCODED, **headers}
        request = HttpRequest(component=name, headers=sent, query=query, body=body, context=served.context(user="eve"))
        try:
            intake_for(served, request)
        except RequestError as exc:
            request = msgspec.structs.replace(request, refused=exc)
        reply = await served.answer(request, asyncio.to_thread)
        assert isinstance(reply.body, bytes)
        hide = re.compile("[0-9a-f]{8}")
        told = {name: hide.sub("ID", value) for name, value in reply.headers.items()}
        return reply.status, told, hide.sub("ID", reply.body.decode())

    assert await ask("hidden") == await ask("no-such-thing")
    assert (await answer(served, "hidden", "look", user="staff"))[0] == 200


async def test_who_may_not_see_a_component_learns_nothing_of_its_events_and_tokens() -> None:
    served = engine()
    for call in (
        Call(component="vault", event="no_such_event"),
        Call(component="vault", component_id="c-1"),
        Call(component="vault", state="forged"),
        Call(component="vault", params={"x": 1}),
    ):
        reply = await served.handle(call)
        assert (reply.status, reply.headers["X-Component-Code"]) == (401, "unauthenticated")
