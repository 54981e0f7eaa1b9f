"""Where a request comes from."""

from __future__ import annotations

import pytest

from component_framework.core.errors import Forbidden
from component_framework.core.origin import require_same_origin

TRUSTED = {"https://partner.example"}


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"host": "shop.example"}, {"sec-fetch-site": "same-origin", "origin": "https://shop.example"}, {"sec-fetch-site": "none"},
        {"origin": "https://shop.example", "host": "shop.example"}, {"origin": "https://shop.example", "host": "shop.example:443"},
        {"origin": "http://shop.example:8000", "host": "shop.example:8000"}, {"origin": "http://[::1]:80", "host": "[::1]"},
        {"origin": "https://SHOP.example", "host": "shop.example"}, {"sec-fetch-site": "cross-site", "origin": "https://partner.example"},
        {"origin": "https://partner.example", "host": "shop.example"}, {"sec-fetch-site": "same-origin"},
    ],
)  # fmt: skip
def test_this_site_trusted_ones_and_programs_are_let_in(headers: dict[str, str]) -> None:
    require_same_origin(headers, TRUSTED)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin", "same-origin, none", "none "])
def test_a_browser_that_says_anything_else_is_refused(site: str) -> None:
    with pytest.raises(Forbidden):
        require_same_origin({"sec-fetch-site": site, "origin": "https://shop.example", "host": "shop.example"}, TRUSTED)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "null", "", "https://shop.example.evil.example", "https://evil-shop.example", "https://shop.example:8443", "http://shop.example:443",
        "https://shop.example@evil.example", "//shop.example", "shop.example", "file://", "https://", "https://partner.example.evil.example", "https://partner.example:8443",
        "http://partner.example", "https://shop.example:x", "https://[", "javascript:shop.example", "ftp://shop.example", "https://shop.example\u3002evil.example",
    ],
)  # fmt: skip
def test_an_older_browser_on_another_site_is_refused(origin: str) -> None:
    with pytest.raises(Forbidden):
        require_same_origin({"origin": origin, "host": "shop.example"}, TRUSTED)


def test_without_a_host_nothing_is_the_same() -> None:
    for headers in ({"origin": "https://shop.example"}, {"origin": "https://", "host": ""}):
        with pytest.raises(Forbidden):
            require_same_origin(headers, TRUSTED)
