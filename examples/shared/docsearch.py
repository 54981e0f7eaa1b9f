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
_HEADING = re.compile(r"#{1,6} +(.+)")
_FENCE = re.compile(r" *(```|~~~)")
_ENDING = re.compile(r"(?<=[a-z]{3})(ing|ment|ed|s)$")
_COMMON = frozenset(
    _WORD.findall("an and are as at be by can do does for from how in is it of on or the this to what when with")
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"^ *(?:```|~~~).*$|^ *> ?|[`*|]", re.MULTILINE)
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
        name = path.relative_to(root).as_posix()
        sections += (section for section in _sections(path, name) if section[2])
        yield Step(name, done, len(paths))
    yield Step("", len(paths), len(paths), tuple(_rank(question, sections)[:most]))


def _sections(path: Path, name: str) -> Iterator[tuple[str, str, str]]:
    """(document, heading, text); what comes before the first heading goes by the document's name."""
    heading, lines = name, list[str]()
    for line, found in _headings(path.read_text(encoding="utf-8", errors="replace")):
        if found is None:
            lines.append(line)
            continue
        yield name, heading, "\n".join(lines).strip()
        heading, lines = found, []
    yield name, heading, "\n".join(lines).strip()


def _headings(text: str) -> Iterator[tuple[str, str | None]]:
    """Each line, and the heading that it is; a comment in a block of code is none."""
    fenced = False
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        found = None if fenced else _HEADING.match(line)
        yield line, found[1].strip("` #") if found else None


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
    """The words that tell something, without the endings that "signs", "signed" and "signing" differ in."""
    return [_ENDING.sub("", word) for word in _WORD.findall(text.lower()) if word not in _COMMON]


def _rarity(holding: int, total: int) -> float:
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def _saturation(bag: Counter[str], word: str, mean: float) -> float:
    count = bag[word]
    return count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * bag.total() / mean)) if count else 0.0


def _excerpt(text: str, wanted: set[str], *, width: int = 260) -> str:
    """About `width` characters around the first word that was asked for, cut between words."""
    plain = " ".join(_MARKUP.sub("", _LINK.sub(r"\1", text)).split())
    place = re.search(rf"\b(?:{'|'.join(sorted(wanted))})", plain, re.IGNORECASE)
    begin = plain.rfind(" ", 0, max(0, place.start() - 60)) + 1 if place else 0
    end = _word_end(plain, begin, begin + width)
    return ("… " if begin else "") + plain[begin:end] + (" …" if end < len(plain) else "")


def _word_end(text: str, begin: int, end: int) -> int:
    space = text.rfind(" ", begin, end)
    return len(text) if len(text) <= end else space if space > begin else end
