"""The framework's files over ASGI: cached for good under the address that names their content, and only there."""

from __future__ import annotations

from typing import Any

import pytest

from component_framework.core import assets
from component_framework.core.asgi import AssetEndpoint


def _script() -> assets.Asset:
    script = assets.find("component.js")
    assert script is not None
    return script


SCRIPT = _script()
FRESH = f"v={SCRIPT.version}"


async def ask(method: str = "GET", query: str = "", file: str = "component.js", **headers: str) -> Any:
    """The status, headers and body of an answer."""
    sent: list[Any] = []
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": method, "path_params": {"file": file}, "query_string": query.encode(), "headers": pairs}

    async def receive() -> Any:
        raise AssertionError("a file needs no body")

    async def send(message: Any) -> None:
        sent.append(message)

    await AssetEndpoint()(scope, receive, send)
    names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], names, sent[1]["body"]


async def test_a_file_is_cached_for_good_under_the_address_that_names_its_content() -> None:
    status, headers, body = await ask(query=FRESH)
    assert (status, body) == (200, SCRIPT.content)
    assert headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "v=", "v=000000000000", f"{FRESH}0", "\xff"])
async def test_a_file_is_not_kept_under_the_address_of_another_release(query: str) -> None:
    status, headers, body = await ask(query=query)
    assert (status, body) == (200, SCRIPT.content)
    assert headers["cache-control"] == "no-cache"  # a deploy under way: the next worker may have the right one


@pytest.mark.parametrize("known", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
async def test_a_file_that_the_browser_has_is_not_sent_again(known: str) -> None:
    status, headers, body = await ask(if_none_match=known.replace("{}", SCRIPT.version))
    assert (status, body) == (304, b"")
    assert headers["etag"] == f'"{SCRIPT.version}"'
    assert "content-length" not in headers


async def test_a_file_that_has_changed_is_sent() -> None:
    status, headers, _ = await ask(if_none_match='"other"')
    assert (status, headers["etag"]) == (200, f'"{SCRIPT.version}"')


async def test_asking_for_the_head_tells_the_length_without_the_body() -> None:
    status, headers, body = await ask("HEAD", FRESH)
    assert (status, body) == (200, b"")
    assert headers["content-length"] == str(len(SCRIPT.content))


@pytest.mark.parametrize(
    "file", ["", "..", "../component.js", "component.js\0", "COMPONENT.JS", "vendored.json", "x" * 9000]
)
async def test_nothing_else_is_found(file: str) -> None:
    assert (await ask(file=file))[0] == 404
