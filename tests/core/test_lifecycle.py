"""The lifecycle: whatever happens in between, the state is what the handlers that succeeded made it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from component_framework import Component, Forbidden, Invalid, NotFound, StreamingComponent
from component_framework.core.component import Context
from component_framework.core.errors import ConfigurationError, StateError, Unauthenticated

from .served import Page, attribute, engine_of, text, triggers

# -- a component against its model ---------------------------------------------------------------------------------


class Ledger(Component):
    template = "<ul>{len(entries)}</ul>"
    entries: list[int] = []
    total: int = 0

    def on_add(self, amount: int, times: int = 1) -> None:
        for _ in range(times):
            self.entries.append(amount)
            self.total += amount

    def on_undo(self) -> None:
        self.total -= self.entries.pop()

    def on_note(self, text: str | None = None) -> None:
        self.state["note"] = text

    def on_fail(self, amount: int) -> None:
        self.on_add(amount)
        self.state["note"] = "failed"
        self.emit("added")
        raise RuntimeError("on purpose")

    def on_refuse(self, amount: int) -> None:
        self.on_add(amount)
        self.state["note"] = "refused"
        self.emit("added")
        raise Invalid({"amount": ["Not this one."]})

    def on_count_down(self, steps: int) -> Iterator[None]:
        for _ in range(steps):
            self.total -= 1
            self.entries.append(-1)
            yield


engine = engine_of(Ledger)


class LedgerAgainstItsModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page(engine, "ledger")
        self.entries: list[int] = []
        self.note: Any = ()

    @rule(amount=st.integers(-5, 5), times=st.integers(0, 3))
    def add(self, amount: int, times: int) -> None:
        assert self.page.send("add", amount=amount, times=times).status == 200
        self.entries += [amount] * times

    @rule()
    def undo(self) -> None:
        status = self.page.send("undo").status
        assert status == (200 if self.entries else 500)
        del self.entries[-1:]

    @rule(text=st.sampled_from(["", "0", "é\u2028<b>", "x" * 500]))
    def note_something(self, text: str) -> None:
        assert self.page.send("note", text=text).status == 200
        self.note = text or None

    @rule(amount=st.integers(-5, 5))
    def fail(self, amount: int) -> None:
        reply = self.page.send("fail", amount=amount)
        assert reply.status == 500
        assert triggers(reply).keys() == {"component:error"}

    @rule(amount=st.integers(-5, 5))
    def be_refused(self, amount: int) -> None:
        reply = self.page.send("refuse", amount=amount)
        assert reply.status == 422
        assert "HX-Trigger" not in reply.headers

    @rule(
        form=st.sampled_from(
            [
                {},
                {"amount": "x"},
                {"amount": ["1", "2"]},
                {"amount": "1", "evil": "1"},
                {"amount": "1.5"},
                {"self": "1"},
            ]
        )
    )
    def send_what_does_not_fit(self, form: dict[str, Any]) -> None:
        assert (
            self.page.send(
                "add",
                **{name: value for name, value in form.items() if name != "self"}
                | ({"evil": 1} if "self" in form else {}),
            ).status
            == 422
        )

    @rule(event=st.sampled_from(["mount", "__init__", "on_add", "nothing"]))
    def send_no_event(self, event: str) -> None:
        assert self.page.send(event).status == 404

    @rule(steps=st.integers(0, 3))
    def count_down(self, steps: int) -> None:
        assert self.page.send("count_down", steps=steps).status == 200
        self.entries += [-1] * steps

    @invariant()
    def the_state_is_the_models(self) -> None:
        state = asyncio_free_state(self.page)
        assert state.pop("note", ()) == self.note
        assert state == {"entries": self.entries, "total": sum(self.entries)}


def asyncio_free_state(page: Page) -> dict[str, Any]:
    """The state in the token of `page`."""
    token = page.engine._page.signer.open(page.token, page.name, "", None)
    values, free = Ledger()._compiled.load(bytes(token.state))
    return values | free


TestLedgerAgainstItsModel = LedgerAgainstItsModel.TestCase
TestLedgerAgainstItsModel.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)


# -- mounting and coming back --------------------------------------------------------------------------------------


class Counter(Component):
    """The specification's counter, as it is written there."""

    template_name = "<div>{count}</div>"

    def mount(self) -> None:
        self.state["count"] = 0

    def on_increment(self) -> None:
        self.state["count"] += 1


def test_the_specifications_counter_counts_with_no_engine() -> None:
    assert Counter().dispatch(event="increment")["state"]["count"] == 1
    assert Counter().dispatch(event="increment", state={"count": 41})["state"] == {"count": 42}


def test_an_empty_state_is_a_state_and_is_not_mounted_again() -> None:
    assert Counter().dispatch(state={})["state"] == {}
    with pytest.raises(KeyError):
        Counter().dispatch("increment", state={})


class Packed(Component):
    """Remembers its rows in another form than it works with."""

    template = "<div>{state.rows}</div>"

    def mount(self) -> None:
        self.state["rows"] = [1, 2]

    def dehydrate(self) -> dict[str, Any]:
        return {"packed": ",".join(map(str, self.state["rows"]))}

    def hydrate(self, state: dict[str, Any]) -> None:
        self.state["rows"] = [int(row) for row in state["packed"].split(",")]

    def on_add(self, row: int) -> None:
        self.state["rows"].append(row)


def test_hydrate_gets_what_dehydrate_gave_after_a_wrong_payload_too() -> None:
    assert Packed().dispatch("add", {"row": "x"})["state"] == {"packed": "1,2"}
    assert Packed().dispatch("add", {"row": 3}, {"packed": "5"})["state"] == {"packed": "5,3"}
    page = Page(engine_of(Packed), "packed")
    assert page.send("add", row="x").status == 422
    assert "[1, 2]" in page.html
    assert "[1, 2, 3]" in text(page.send("add", row="3"))


def test_an_object_that_is_used_twice_forgets_the_errors_and_effects_of_the_first_time() -> None:
    ledger = Ledger()
    assert ledger.dispatch("add", {})["errors"]
    assert ledger.dispatch("add", {"amount": 1})["errors"] == {}
    with pytest.raises(RuntimeError):
        ledger.dispatch("fail", {"amount": 1})
    assert ledger.dispatch("add", {"amount": 1})["effects"] == ()


def test_a_component_whose_mount_forgets_a_field_says_so() -> None:
    class Forgetful(Component):
        template = "<div></div>"
        order: int

        def mount(self) -> None: ...

    with pytest.raises(StateError, match=r'live_component\("forgetful", order=…\)'):
        engine_of(Forgetful).mount("forgetful")
    assert "<div" in engine_of(Forgetful).mount("forgetful", order=7)


def test_an_unknown_event_names_the_nearest_one() -> None:
    with pytest.raises(NotFound, match="did you mean 'increment'"):
        Counter().dispatch("incremet")


# -- sync and async ------------------------------------------------------------------------------------------------


class Both(Component):
    def on_plain(self) -> None:
        self.state["ran"] = "plain"

    async def on_ready(self) -> None:
        self.state["ran"] = "ready"

    async def on_waiting(self) -> None:
        await asyncio.sleep(0)
        self.state["ran"] = "waiting"

    def on_steps(self) -> Iterator[None]:
        yield
        self.state["ran"] = "steps"

    async def on_async_steps(self) -> AsyncIterator[None]:
        yield
        self.state["ran"] = "async_steps"


@pytest.mark.parametrize("event", ["plain", "ready", "steps", "async_steps"])
def test_dispatch_runs_every_kind_of_handler_that_need_not_wait(event: str) -> None:
    assert Both().dispatch(event)["state"]["ran"] == event


@pytest.mark.parametrize("event", ["plain", "ready", "waiting", "steps", "async_steps"])
async def test_async_dispatch_runs_every_kind_of_handler(event: str) -> None:
    assert (await Both().async_dispatch(event))["state"]["ran"] == event


def test_dispatch_says_what_to_do_when_a_handler_has_to_wait() -> None:
    with pytest.raises(ConfigurationError, match="Use async_dispatch"):
        Both().dispatch("waiting")


# -- who may -------------------------------------------------------------------------------------------------------


class Guarded(Component):
    template = "<div></div>"
    count: int = 0

    def authorize(self, event: str | None) -> bool:
        return event != "delete" and self.count == 0

    def on_delete(self) -> None:
        raise AssertionError("not reached")

    def on_count(self, wrong: int) -> None:
        raise AssertionError("not reached")


def test_who_may_not_is_refused_before_the_payload_is_looked_at() -> None:
    with pytest.raises(Unauthenticated):
        Guarded().dispatch("delete")
    with pytest.raises(Unauthenticated):
        Guarded().dispatch("count", {"evil": 1}, {"count": 1})
    member = Guarded()
    member.context = Context(user="ada")
    with pytest.raises(Forbidden):
        member.dispatch("delete")


# -- handlers that yield -------------------------------------------------------------------------------------------


class Steps(StreamingComponent):
    template = "<div>{step}</div>"
    step: int = 0

    def on_run(self, refuse_at: int = 9, fail_at: int = 9) -> Iterator[None]:
        for self.step in range(1, 4):
            if self.step == refuse_at:
                raise Invalid({"": ["Enough."]})
            if self.step == fail_at:
                raise RuntimeError("on purpose")
            self.emit("step", number=self.step)
            yield


async def streamed(page: Page, **form: Any) -> list[str]:
    reply = await page.engine.answer(page.request("run", form, accept="text/event-stream"))
    if isinstance(reply.body, bytes):
        return [reply.body.decode()]
    return [
        message for part in [chunk.decode() async for chunk in reply.body] for message in part.split("\n\n") if message
    ]


async def test_each_yield_is_a_frame_with_its_own_effects_and_the_last_says_done() -> None:
    messages = await streamed(Page(engine_of(Steps), "steps"))
    shown = [message.splitlines()[0] for message in messages]
    assert shown == [
        "id: 2",
        "event: step",
        "id: 3",
        "event: step",
        "id: 4",
        "event: step",
        "id: 5",
        "event: component:done",
    ]


async def test_a_stream_that_is_refused_on_its_way_goes_back_in_state_but_never_in_version() -> None:
    messages = await streamed(Page(engine_of(Steps), "steps"), refuse_at=3)
    versions = [int(attribute(message, "data-version")) for message in messages if "data-version" in message]
    assert versions == [2, 3, 4], "a frame with an older version would be dropped by the page"
    assert ">0</div>" in messages[-2]


async def test_a_stream_that_fails_on_its_way_ends_with_an_error() -> None:
    messages = await streamed(Page(engine_of(Steps), "steps"), fail_at=3)
    assert [message.splitlines()[0] for message in messages[-2:]] == ["event: component:error", "event: component:done"]
    assert "on purpose" not in "".join(messages)


def test_without_a_stream_only_the_end_is_shown_with_all_effects() -> None:
    page = Page(engine_of(Steps), "steps")
    reply = page.send("run")
    assert ">3</div>" in page.html
    assert triggers(reply) == {
        "step": {"number": 1},
        "component:emit": [["step", {"number": 2}], ["step", {"number": 3}]],
    }
