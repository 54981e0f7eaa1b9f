"""The code of README and tutorial runs, and what they name is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"(?:#|<!--) ([\w./]+\.(?:py|html))\b")


def blocks(name: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / name).read_text())


@pytest.mark.parametrize(
    "name", ["README.md", "docs/tutorial.md", "docs/dependencies.md", "docs/forms.md", "docs/models.md", "docs/realtime.md"]
)
def test_every_python_block_runs_as_the_file_that_it_names(name: str, tmp_path: Path) -> None:
    scripts = []
    for language, text in blocks(name):
        named = FILE.match(text)
        if language in ("python", "html") and named:
            path = tmp_path / named[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            scripts += [path] if language == "python" else []
        else:
            assert language != "python", f"a Python block of {name} names no file: {text[:60]!r}"
    assert scripts
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), environment.get("PYTHONPATH", "")])
    for path in scripts:
        done = subprocess.run(
            [sys.executable, "-W", "error", str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{name}, {path.name}: {done.stderr}"


def test_every_make_target_that_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for language, text in blocks("README.md")
        if language == "sh"
        for target in re.findall(r"make ([a-z-]+)", text)
    }
    assert named
    assert named <= targets


def test_every_document_that_a_document_links_to_exists() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_nothing_tells_anyone_to_install_the_other_project() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        assert not re.search(r"install\s+['\"]?component[-_]framework", document.read_text()), document


@pytest.mark.parametrize("document", ["security.md", "reliability.md"])
def test_every_promise_names_tests_that_exist(document: str) -> None:
    rows = re.findall(r"^\| (?!promise)(.+) \| (.+) \|$", (ROOT / "docs" / document).read_text(), re.MULTILINE)
    assert len(rows) > 5
    for promise, held_by in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", held_by)
        assert named, promise
        for path, test in named:
            assert re.search(rf"^(?:async )?def {test}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}::{test}"
