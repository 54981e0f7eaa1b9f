"""The part of a browser that `testing` needs: elements by id in markup, the values of fields, messages of a stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

TAG = re.compile(r"""<(/?)([a-zA-Z][\w-]*)((?:\s+[^\s=>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?)*)\s*(/?)>""")
KEPT = re.compile(r"""<([a-zA-Z][\w-]*) id="([^"]*)" hx-preserve(?:="")?></\1>""")
_COMMENTS = re.compile(r"\A\s*(?:<!--.*?-->\s*)+", re.DOTALL)
_PARTIAL = re.compile(r"<hx-partial [^>]*>(.*?)</hx-partial>", re.DOTALL)


def pieces(markup: str) -> list[str]:
    """The roots in an answer: the component's own, and those of its partials, without comments before them."""
    return [_COMMENTS.sub("", piece) for piece in (_PARTIAL.sub("", markup).strip(), *_PARTIAL.findall(markup))]


def attribute(text: str, name: str) -> str:
    found = re.search(rf"""\s{name}=(?:"([^"]*)"|'([^']*)')""", text)
    return unescape(found[1] or found[2] or "") if found else ""


def span(html: str, id: str) -> tuple[int, int] | None:
    """Where the element with `id` begins and ends in `html`."""
    if not id:
        return None
    tags = TAG.finditer(html)
    opening = next((tag for tag in tags if not tag[1] and attribute(tag[3], "id") == id), None)
    if opening is None:
        return None
    depth = 1
    for tag in tags:
        if tag[2] == opening[2] and not tag[4]:
            depth += -1 if tag[1] else 1
            if depth == 0:
                return opening.start(), tag.end()
    return opening.start(), opening.end()


def trigger_of(node: LexborNode) -> str:
    """What htmx listens to on an element: its hx-trigger's first event, or the default of its kind."""
    own = node.attributes.get("hx-trigger")
    if own:
        return own.replace(",", " ").split()[0]
    if node.tag == "form":
        return "submit"
    return "change" if node.tag in ("input", "select", "textarea") else "click"


def vals(node: LexborNode) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(node.attributes.get("hx-vals") or "{}")
    return values


def plain(value: Any) -> str:
    """A value as FormData would have it."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def field_values(node: LexborNode) -> list[str]:
    attributes = node.attributes
    if node.tag == "textarea":
        return [node.text()]
    if node.tag == "select":
        options = node.css("option")
        chosen = [option_value(option) for option in options if "selected" in option.attributes]
        return chosen or ([] if "multiple" in attributes else [option_value(option) for option in options[:1]])
    if attributes.get("type") in ("checkbox", "radio"):
        return [attributes.get("value") or "on"] if "checked" in attributes else []
    return [attributes.get("value") or ""]


def option_value(node: LexborNode) -> str:
    value = node.attributes.get("value")
    return value if value is not None else " ".join(node.text().split())


def set_attribute(node: LexborNode, name: str, value: str | None) -> None:
    if value is None:
        if name in node.attributes:
            del node.attrs[name]
    else:
        node.attrs[name] = value


def messages(text: str) -> Iterator[tuple[str | None, str]]:
    """The messages of an event stream: their names (None: to be swapped) and data."""
    for block in text.split("\n\n"):
        lines = block.split("\n")
        name = next((line.removeprefix("event: ") for line in lines if line.startswith("event: ")), None)
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        if data:
            yield name, "\n".join(data)
