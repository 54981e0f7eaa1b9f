"""Server-only fields: not in the page, not in a template that did not ask, and back again at the next event."""

from __future__ import annotations

import base64
import re
import zlib
from typing import Any

import pytest

from component_framework import Component, Engine, MemoryStateStore, Registry, ServerOnly
from component_framework.adapters.crypto import AesGcmCipher
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.errors import ConfigurationError, StateInvalid
from component_framework.core.lifecycle import run_sync
from component_framework.core.wire import Call, Reply

CANARY = "canary-of-the-secret"
registry = Registry()


@registry.register("account")
class Account(Component):
    template = "<p>{{ name }} {{ state|list }} {{ key is defined }} {{ attempts }}</p>"
    name: str = ""
    key: ServerOnly[str] = ""
    attempts: int = 0

    def mount(self, name: str) -> None:
        self.key = CANARY

    def on_use(self) -> None:
        assert self.key == CANARY
        self.attempts += 1


@registry.register("purse")
class Purse(Component):
    template = "<p>{{ owner }} {{ state|list }} {{ key is defined }}</p>"
    key: ServerOnly[str]
    owner: str = ""

    def on_use(self) -> None:
        assert self.key == CANARY


@registry.register("safe")
class Safe(Component):
    template = "<p>{{ opened }}</p>"
    opened: int = 0

    def mount(self, code: ServerOnly[str]) -> None:
        assert code == CANARY

    def on_open(self) -> None:
        assert self.params == {"code": CANARY}
        self.opened += 1


HOMES: dict[str, dict[str, Any]] = {
    "a store": {"store": MemoryStateStore(), "state": "store"},
    "an encrypted token": {"cipher": AesGcmCipher("k")},
}


def engine(**options: Any) -> Engine:
    return Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry, **options)


def token(markup: str) -> str:
    found = re.search('data-state="([^"]*)"', markup)
    assert found is not None
    return found[1]


def readable(text: str) -> bytes:
    """All that a visitor can make of a token."""
    body = base64.urlsafe_b64decode(text.partition(".")[0] + "==")
    return body[1:] if body[:1] == b"1" else zlib.decompress(body[1:])


def use(served: Engine, state: str) -> Reply:
    return run_sync(served.handle(Call(component="account", event="use", state=state)))


@pytest.mark.parametrize("home", HOMES)
def test_a_secret_comes_back_and_never_leaves(home: str) -> None:
    served = engine(**HOMES[home])
    markup = served.mount("account", name="ada")
    for count in (1, 2):
        assert CANARY not in markup
        assert CANARY.encode() not in readable(token(markup))
        reply = use(served, token(markup))
        assert isinstance(reply.body, bytes)
        markup = reply.body.decode()  # type: ignore[assignment]  # a str where a Markup was
        assert f"ada ['name', 'attempts'] False {count}</p>" in markup.replace("&#39;", "'")


def test_without_a_store_or_a_cipher_a_secret_is_the_developers_mistake() -> None:
    with pytest.raises(ConfigurationError, match="server-only"):
        engine().mount("account", name="ada")


def test_keys_of_the_cipher_rotate() -> None:
    text = AesGcmCipher("old").encrypt(b"x", b"c-1")
    assert AesGcmCipher("new", "old").decrypt(text, b"c-1") == b"x"
    for cipher, bound in ((AesGcmCipher("new"), b"c-1"), (AesGcmCipher("old"), b"c-2")):
        with pytest.raises(StateInvalid):
            cipher.decrypt(text, bound)
    with pytest.raises(StateInvalid):
        AesGcmCipher("old").decrypt("not base64 at all", b"c-1")


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize(
    ("name", "event", "params"), [("purse", "use", {"key": CANARY}), ("safe", "open", {"code": CANARY})]
)
def test_a_secret_that_a_page_gives_as_a_param_never_leaves_either(
    home: str, name: str, event: str, params: dict[str, Any]
) -> None:
    served = engine(**HOMES[home])
    markup: str = served.mount(name, **params)
    for _ in range(2):
        assert CANARY not in markup
        assert CANARY.encode() not in readable(token(markup))
        reply = run_sync(served.handle(Call(component=name, event=event, state=token(markup))))
        assert reply.status == 200
        assert isinstance(reply.body, bytes)
        markup = reply.body.decode()


def test_a_fresh_render_after_an_expired_token_has_the_secret_that_the_page_gave() -> None:
    now = [0.0]
    served = engine(cipher=AesGcmCipher("k"), clock=lambda: now[0])
    markup = served.mount("purse", key=CANARY, owner="ada")
    now[0] = 1e6
    reply = run_sync(served.handle(Call(component="purse", event="use", state=token(markup))))
    assert isinstance(reply.body, bytes)
    assert (reply.status, b">ada [" in reply.body, CANARY.encode() in reply.body) == (409, True, False)


def test_a_placeholder_waits_with_its_secret_encrypted_or_not_at_all() -> None:
    served = engine(cipher=AesGcmCipher("k"))
    markup = served.mount("purse", key=CANARY, lazy=True)
    assert CANARY.encode() not in readable(token(markup).removeprefix("lazy."))
    reply = run_sync(served.handle(Call(component="purse", state=token(markup))))
    assert reply.status == 200
    with pytest.raises(ConfigurationError, match=r"Engine\(cipher="):
        engine(**HOMES["a store"]).mount("purse", key=CANARY, lazy=True)


def test_a_secret_is_not_in_what_a_log_or_a_debugger_prints() -> None:
    purse = Purse(key=CANARY)
    purse.key = CANARY
    assert CANARY not in f"{purse!r} {purse.state!r}"
    assert purse.state["key"] == CANARY


def test_a_secret_that_only_mount_takes_needs_a_store_or_a_cipher_as_well() -> None:
    with pytest.raises(ConfigurationError, match="server-only"):
        engine().mount("safe", code=CANARY)


def test_a_secret_of_a_watched_component_comes_back_and_never_leaves() -> None:
    watching = Registry()

    @watching.register("watched")
    class Watched(Purse):
        replay = "refuse"

    served = Engine(
        renderer=JinjaRenderer(), secret_key="k", registry=watching, store=MemoryStateStore(), cipher=AesGcmCipher("k")
    )
    markup: str = served.mount("watched", key=CANARY)
    for event_id in ("click-1", "click-2"):
        call = Call(component="watched", event="use", state=token(markup), event_id=event_id)
        for _ in range(2):  # a retry is answered from the token that the store kept
            reply = run_sync(served.handle(call))
            assert reply.status == 200
            assert isinstance(reply.body, bytes)
            markup = reply.body.decode()
            assert CANARY.encode() not in reply.body + readable(token(markup))


@registry.register("till")
class Till(Component):
    template = "<p>{{ owner }}</p>"
    pin: ServerOnly[str]
    owner: str = ""


@registry.register("wallet")
class Wallet(Component):
    template = """<div>{{ live_component("till", pin=code, owner="ann") }}</div>"""

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "code": self.params["code"]}

    def mount(self, code: str) -> None: ...


def test_a_childs_id_says_nothing_of_what_is_secret() -> None:
    ids = [
        re.findall(' id="[^"]*-(till[^"]*)"', engine(cipher=AesGcmCipher("k")).mount("wallet", code=code))
        for code in (CANARY, "another")
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 1
