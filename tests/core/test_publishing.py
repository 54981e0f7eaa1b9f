"""The topics of rows, and what becomes of a publication that nobody carries."""

from __future__ import annotations

import pytest

from component_framework.core.errors import ConfigurationError, Unavailable
from component_framework.core.lifecycle import run_sync
from component_framework.core.publishing import announce, async_announce, require_row_topic, row_topic


class Order:
    pk = 7
    place = "a:b"


class Away:
    async def publish(self, *topics: str) -> None:
        raise Unavailable("the broker is away")

    def publish_sync(self, *topics: str) -> None:
        raise Unavailable("the broker is away")


def test_a_topic_has_the_values_of_its_row() -> None:
    assert row_topic("order:{pk}:{place}", Order()) == "order:7:a%3Ab"


def test_a_topic_that_names_what_a_row_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'place'"):
        require_row_topic("order:{plase}", Order)


def test_what_was_committed_stands_although_nobody_can_be_told(caplog: pytest.LogCaptureFixture) -> None:
    announce(Away(), ["order:7"])
    run_sync(async_announce(Away(), ["order:8"]))
    assert "order:7 changed, but nobody could be told of it" in caplog.text
    assert "order:8 changed" in caplog.text
