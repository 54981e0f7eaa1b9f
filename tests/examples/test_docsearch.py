"""The search through the documentation, on folders made for it and on this repository's own."""

from __future__ import annotations

from pathlib import Path

from examples.shared.docsearch import Passage, search


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def answer(question: str, root: Path, most: int = 5) -> tuple[Passage, ...]:
    return list(search(question, root, most=most))[-1].passages


def test_each_document_is_a_step_and_the_passages_come_last(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "# One\nkeys")
    write(tmp_path, "docs/deep/two.md", "# Two\nkeys")
    steps = list(search("keys", tmp_path))
    assert [(step.path, step.done, step.total) for step in steps] == [
        ("README.md", 1, 2),
        ("docs/deep/two.md", 2, 2),
        ("", 2, 2),
    ]
    assert [bool(step.passages) for step in steps] == [False, False, True]


def test_without_any_document_there_is_one_step_and_no_passage(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    assert [(step.done, step.total, step.passages) for step in search("anything", tmp_path)] == [(0, 0, ())]


def test_the_section_that_says_most_about_it_comes_first(tmp_path: Path) -> None:
    write(
        tmp_path,
        "docs/a.md",
        "# Keys\nKeys rotate. Old keys still verify.\n\n# Colours\nBlue, and a mention of keys among many other words.",
    )
    assert [passage.heading for passage in answer("rotating a key", tmp_path)] == ["Keys", "Colours"]


def test_no_more_passages_are_given_than_were_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "".join(f"# Part {number}\nkeys\n" for number in range(9)))
    assert len(answer("keys", tmp_path, most=3)) == 3


def test_a_question_of_common_words_or_of_none_finds_nothing(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "# How is the\nthis is how it is")
    assert answer("how is the", tmp_path) == answer("", tmp_path) == answer("?!.*(", tmp_path) == ()


def test_a_comment_in_a_block_of_code_is_no_heading(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "# Start\n```python\n# counter.py\nCounter()\n```\nmore")
    assert [passage.heading for passage in answer("counter", tmp_path)] == ["Start"]


def test_text_before_the_first_heading_goes_by_the_name_of_its_document(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "An opening about keys.\n\n# Later\nnothing")
    assert [passage.heading for passage in answer("keys", tmp_path)] == ["docs/a.md"]


def test_an_excerpt_shows_the_word_that_was_asked_for_without_markup_or_cut_words(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", f"# Long\n{'before ' * 80}\n> the [**needle**](b.md) `is` here\n{'after ' * 80}")
    excerpt = answer("needles", tmp_path)[0].excerpt
    assert "the needle is here" in excerpt
    assert set(excerpt.split()) == {"…", "before", "the", "needle", "is", "here", "after"}
    assert len(excerpt) < 300


def test_a_document_that_is_not_utf_8_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"# Caf\xe9\nkeys \xff")
    assert len(answer("keys", tmp_path)) == 1


def test_this_repository_says_how_state_is_signed() -> None:
    assert any("sign" in passage.excerpt for passage in list(search("How is state signed?"))[-1].passages)
