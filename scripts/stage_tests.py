"""Copy everything that the tests read, but not the package itself: `python scripts/stage_tests.py ROOT TARGET`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

FOLDERS = ("tests", "examples", "docs", "benchmarks", "scripts", "frontend")


def stage(root: Path, target: Path) -> None:
    """Make `target` anew from the checkout `root`."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for folder in FOLDERS:
        if (root / folder).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3")
            shutil.copytree(root / folder, target / folder, ignore=ignored)
    for file in (*root.glob("*.md"), root / "pyproject.toml", root / "Makefile", root / "tox.ini"):
        shutil.copy(file, target)


if __name__ == "__main__":
    stage(Path(sys.argv[1]), Path(sys.argv[2]))
