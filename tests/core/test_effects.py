"""Effects: what a handler asks of the browser is safe there, or refused at the handler's line."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component_framework import Component
from component_framework.core.effects import Emit, Navigate, emit, navigate, update
from component_framework.core.errors import ConfigurationError, PayloadError, UnsafeEffect

HERE = "https://shop.example/cart/"


@pytest.mark.parametrize(
    "url", ["/", "/a/b?c=d&e=f#g", "?page=2", "#top", "orders/7", "../up", "/a//b", "/@user", "/a:b"]
)
def test_an_address_of_this_site_goes_out_as_it_is(url: str) -> None:
    assert navigate("push", url, external=False) == Navigate("push", url)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)", "\tjavascript:alert(1)",
        "\x01javascript:alert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "blob:x", "view-source:/", "ftp://host/",
        "//evil.example", "///evil.example", "////evil.example/a", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\t/evil.example",
        "https:evil.example", "https:/evil.example", "http:///evil.example", "https://[::1", "https://shop.example@evil.example/",
        "https://user:password@evil.example/", "//user@evil.example/", "https://evil／.example/", "/a\r\nSet-Cookie: x=1", "/a\x00", "/a\x7f", "/a b", "/\ud800",
    ],
)  # fmt: skip
def test_an_address_that_a_browser_might_misread_is_refused(url: str) -> None:
    with pytest.raises(UnsafeEffect):
        navigate("redirect", url, external=False)


@pytest.mark.parametrize(
    "url",
    ["///evil.example", "https:evil.example", "javascript:x", "data:x", "ftp://host/", "https://a@b/", "//a:b@c/"],
)
def test_external_lets_other_sites_in_and_nothing_else(url: str) -> None:
    with pytest.raises(UnsafeEffect):
        navigate("redirect", url, external=True)


@given(st.text(alphabet=st.sampled_from("/\\:@?#.%ehtpsjavcri \t\n1é")) | st.text())
def test_what_is_accepted_as_an_address_here_never_leaves_this_site(url: str) -> None:
    try:
        out = navigate("redirect", url, external=False).url
    except UnsafeEffect:
        return
    assert out.isascii()
    assert out.isprintable()
    there = urlsplit(urljoin(HERE, out))
    assert (there.scheme, there.netloc) == ("https", "shop.example")
    assert not out.startswith("//"), "browsers take any number of slashes for the beginning of a host"
    assert unquote(out) == unquote(url)


@pytest.mark.parametrize(
    "url", ["https://other.example/a", "http://other.example:8080/", "https://münchen.example/ü?ä#ö"]
)
def test_another_site_has_to_be_meant_and_is_for_redirects_only(url: str) -> None:
    with pytest.raises(UnsafeEffect, match="external=True"):
        navigate("redirect", url, external=False)
    assert navigate("redirect", url, external=True).url.isascii()
    for how in ("push", "replace"):
        with pytest.raises(UnsafeEffect, match="history"):
            navigate(how, url, external=True)


@pytest.mark.parametrize("name", ["saved", "order:saved", "a.b-c_D9"])
def test_an_event_is_named_as_dom_events_are(name: str) -> None:
    assert emit(name, {"id": 7}) == Emit(name, {"id": 7})


@pytest.mark.parametrize(
    "name", ["", "a b", "a\nb", "a\r", "é", "1a", "-a", 'a"b', "a,b", "saved\n", "component:error", "htmx:load"]
)
def test_a_name_that_is_none_or_the_frameworks_own_is_the_developers_mistake(name: str) -> None:
    with pytest.raises(ConfigurationError):
        emit(name, {})


class Text(str):
    __slots__ = ()


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("detail", "path"),
    [
        ({"price": float("nan")}, "saved.price"), ({"rows": [1, float("-inf")]}, "saved.rows[1]"), ({1: "x"}, "saved"),
        ({"when": object()}, "saved.when"), ({"tags": {1, 2}}, "saved.tags"), ({"loop": CYCLE}, "saved.loop" + "[0]" * 31),
        ({"half": "\ud800"}, "saved.half"), ({"\udfff": 1}, "saved"), ({"large": 10**400}, "saved.large"), ({"text": Text("x")}, "saved.text"),
        ({"raw": b"x"}, "saved.raw"),
    ],
)  # fmt: skip
def test_a_detail_that_is_not_json_is_refused_with_its_path_where_it_is_given(detail: Any, path: str) -> None:
    with pytest.raises(PayloadError) as caught:
        emit("saved", detail)
    assert caught.value.path == path


def test_a_detail_is_what_it_was_when_it_was_given() -> None:
    rows = [1]
    effect = emit("saved", {"rows": rows})
    rows.append(2)
    assert effect.detail == {"rows": [1]}


@pytest.mark.parametrize("target", ["", "1", "a b", '"><script>', "#a", "é", "a" * 129])
def test_a_target_that_is_no_element_id_is_refused(target: str) -> None:
    with pytest.raises(UnsafeEffect):
        update("counter", target, {})


class Effects(Component):
    def on_go(self) -> None:
        self.emit("saved", id=7, name="x")
        self.emit("saved", id=8)
        self.push_url("/orders/7")
        self.redirect("https://other.example/", external=True)


def test_a_handler_asks_for_effects_in_their_order() -> None:
    assert Effects().dispatch("go")["effects"] == (
        Emit("saved", {"id": 7, "name": "x"}),
        Emit("saved", {"id": 8}),
        Navigate("push", "/orders/7"),
        Navigate("redirect", "https://other.example/"),
    )
