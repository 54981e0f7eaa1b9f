"""Which topics a component subscribes to, and how its element says so.

A topic is written with the component's own values, `topics = ("order:{pk}",)`, and filled in on the server, out of
signed params and state: a browser never names one. The page learns a handle of it, which says nothing and subscribes
to nothing; it only finds the elements that a push is for.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError, nearest

if TYPE_CHECKING:
    from .component import Component
    from .spec import Spec

PLACE = re.compile(r"\{(\w*)\}")
_NAME = re.compile(r"[^\s\x00-\x1f{}][^\x00-\x1f{}]{0,199}")


def check_topics(spec: Spec) -> bool:
    """Whether a component class subscribes to anything; raises ConfigurationError for a topic that cannot be filled in."""
    from .component import Component

    cls = spec.cls
    if isinstance(cls.topics, str):
        raise ConfigurationError(f"{spec.title}.topics is a str. Write a tuple: topics = ({cls.topics!r},).")
    known = spec.state.names | spec.mount.names
    for topic in cls.topics:
        for name in PLACE.findall(topic):
            if name not in known and not spec.mount.open:
                raise ConfigurationError(
                    f"{spec.title}.topics has {topic!r}, but there is no {name!r} ({nearest(name, known)})."
                )
        if not _NAME.fullmatch(PLACE.sub("x", topic)):
            raise ConfigurationError(f"{spec.title}.topics has {topic!r}, which is no name for a topic.")
    return bool(cls.topics) or cls.get_topics is not Component.get_topics


def topics_of(component: Component) -> tuple[str, ...]:
    """The topics of `component` as it is now, each once; raises ConfigurationError for one that is no name."""
    topics = tuple(dict.fromkeys(component.get_topics()))
    for topic in topics:
        require_topic(topic)
    return topics


def require_topic(topic: str) -> str:
    """`topic`, if it is one: up to 200 characters, no control characters; raises ConfigurationError."""
    if not isinstance(topic, str) or not _NAME.fullmatch(topic):
        raise ConfigurationError(f"{topic!r} is no name for a topic: up to 200 characters, no control characters.")
    return topic


def fill(topic: str, values: Mapping[str, Any]) -> str:
    """`topic` with `values` in its places; each value in one piece, so that "a:b" cannot look like two."""
    return PLACE.sub(lambda place: str(values[place[1]]).replace("%", "%25").replace(":", "%3A"), topic)


def handle(topic: str) -> str:
    """What the page knows `topic` by."""
    return "t" + hashlib.sha256(topic.encode()).hexdigest()[:16]


def share_key(name: str, params: bytes) -> str:
    """What the page knows a shared component by: the same for all that show the same."""
    return "s" + hashlib.sha256(f"{name}\0".encode() + params).hexdigest()[:16]


def digest_of(text: str) -> str:
    """A name that does not say what it stands for."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest(markup: str) -> str:
    """A short text that changes with the markup, so that a page can say what it shows."""
    return f"{zlib.crc32(markup.encode()):08x}"
