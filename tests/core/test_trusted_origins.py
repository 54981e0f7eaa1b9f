"""Which origins may send events."""

import pytest

from component_framework.core.errors import Forbidden
from component_framework.core.origin import require_same_origin

TRUSTED = frozenset({"https://partner.example", "https://*.example.org", "https://*.example.net:8443"})


@pytest.mark.parametrize(
    "origin",
    [
        "https://partner.example",
        "https://example.org",
        "https://app.example.org",
        "https://a.b.example.org",
        "https://app.example.net:8443",
    ],
)
def test_a_trusted_origin_may_be_a_domain_with_all_below_it(origin: str) -> None:
    require_same_origin({"origin": origin, "sec-fetch-site": "cross-site", "host": "shop.test"}, TRUSTED)


@pytest.mark.parametrize(
    "origin",
    [
        "http://app.example.org",
        "https://badexample.org",
        "https://app.example.org.evil.test",
        "https://app.example.org:444",
        "https://evil.test/.example.org",
        "https://evil.test#.example.org",
        "https://evil@app.example.org",
        "https://app.example.net",
        "https://app.partner.example",
        "https://*.org",
        "https://org",
        "https://",
        "null",
        "",
    ],
)
def test_an_origin_that_only_looks_like_a_trusted_one_is_refused(origin: str) -> None:
    with pytest.raises(Forbidden):
        require_same_origin({"origin": origin, "sec-fetch-site": "cross-site", "host": "shop.test"}, TRUSTED)
