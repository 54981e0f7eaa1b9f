"""A search over this repository's own Markdown: sections by heading, ranked by BM25 (Robertson and Zaragoza, 2009)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_WORD = re.compile(r"[a-z0-9_]{2,}")
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)
_K1, _B = 1.4, 0.75


@dataclass(frozen=True)
class Passage:
    """A section of a document, with how well it answers."""

    path: str
    heading: str
    excerpt: str
    score: float


@dataclass(frozen=True)
class Step:
    """How far the search is: `done` of `total` documents read; the passages come with the last step."""

    path: str
    done: int
    total: int
    passages: tuple[Passage, ...] = ()


def search(question: str, root: Path = ROOT, *, most: int = 5) -> Iterator[Step]:
    """Read every document, a step each, then rank their sections."""
    paths = sorted({*root.glob("*.md"), *root.glob("docs/**/*.md")})
    sections: list[tuple[str, str, str]] = []
    for done, path in enumerate(paths, start=1):
        sections += _sections(path, str(path.relative_to(root)))
        yield Step(str(path.relative_to(root)), done, len(paths))
    yield Step("", len(paths), len(paths), tuple(_rank(question, sections)[:most]))


def _sections(path: Path, name: str) -> Iterator[tuple[str, str, str]]:
    parts = _HEADING.split(path.read_text(encoding="utf-8"))
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        if text.strip():
            yield name, heading.strip("` "), text.strip()


def _rank(question: str, sections: list[tuple[str, str, str]]) -> list[Passage]:
    bags = [Counter(_words(f"{heading} {heading} {text}")) for _, heading, text in sections]
    wanted = set(_words(question))
    mean = sum(bag.total() for bag in bags) / max(len(bags), 1)
    weight = {word: _rarity(sum(word in bag for bag in bags), len(bags)) for word in wanted}
    passages = [
        Passage(name, heading, _excerpt(text, wanted), round(score, 2))
        for (name, heading, text), bag in zip(sections, bags, strict=True)
        if (score := sum(weight[word] * _saturation(bag, word, mean) for word in wanted)) > 0
    ]
    return sorted(passages, key=lambda passage: (-passage.score, passage.path, passage.heading))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _rarity(holding: int, total: int) -> float:
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def _saturation(bag: Counter[str], word: str, mean: float) -> float:
    count = bag[word]
    return count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * bag.total() / mean)) if count else 0.0


def _excerpt(text: str, wanted: set[str], *, width: int = 260) -> str:
    plain = re.sub(r"\s+", " ", re.sub(r"[`*|>]", "", text))
    places = [place for word in wanted if (place := plain.lower().find(word)) >= 0]
    begin = max(0, min(places, default=0) - 60)
    return ("… " if begin else "") + plain[begin : begin + width] + (" …" if len(plain) > begin + width else "")
