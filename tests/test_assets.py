"""The files that pages load are the ones that the record beside them names."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from component_framework.core import assets

ROOT = Path(__file__).parent.parent
OURS = sorted(path.name for path in (ROOT / "frontend").glob("*.js"))
RECORD = json.loads((assets.DIRECTORY / "vendored.json").read_text())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_vendored_files_are_unmodified() -> None:
    assert {name: sha256(assets.DIRECTORY / name) for name in RECORD["sha256"]} == RECORD["sha256"]


@pytest.mark.parametrize("name", OURS)
def test_a_script_of_ours_was_made_from_its_source(name: str) -> None:
    made = {"source": sha256(ROOT / "frontend" / name), "sha256": sha256(assets.DIRECTORY / name)}
    assert made == RECORD[name]


def test_every_script_is_vendored_or_ours() -> None:
    scripts = {path.name for path in assets.DIRECTORY.glob("*.js")}
    assert scripts == {*OURS, *(name for name in RECORD["sha256"] if name.endswith(".js"))}


def test_component_js_is_under_a_kilobyte() -> None:
    assert len(gzip.compress((assets.DIRECTORY / "component.js").read_bytes(), 9)) <= 1024


@pytest.mark.parametrize("name", OURS)
def test_our_scripts_evaluate_nothing_and_write_no_markup(name: str) -> None:
    source = (assets.DIRECTORY / name).read_text()
    assert "eval(" not in source
    assert "innerHTML" not in source
    assert "Function(" not in source


def test_the_licence_of_htmx_lies_beside_it() -> None:
    assert "Zero-Clause BSD" in (assets.DIRECTORY / "LICENSE-htmx.txt").read_text()
    assert RECORD["licence"] == "0BSD"


def test_docs_and_record_agree_on_the_version() -> None:
    assert f"htmx {RECORD['version']}" in (ROOT / "docs" / "assets.md").read_text()
    assert f'HTMX_VERSION = "{RECORD["version"]}"' in (ROOT / "scripts" / "build_assets.py").read_text()


def test_the_tags_name_files_by_their_content_and_their_integrity() -> None:
    tags = assets.tags("/static", "abc", (("X-CSRFToken", '"<t>"'),))
    for name in (*assets.SCRIPTS, *assets.STYLES):
        asset = assets.find(name)
        assert asset is not None
        assert f'/static/{name}?v={asset.version}" integrity="{asset.integrity}"' in tags
    assert tags.count('nonce="abc"') == len(assets.SCRIPTS)
    assert "<t>" not in tags


def test_only_listed_files_are_assets() -> None:
    assert assets.find("../component.py") is None
    assert assets.find("vendored.json") is None


def test_the_accessibility_checker_of_the_tests_is_unmodified_and_has_its_licence() -> None:
    folder = ROOT / "tests" / "browser" / "vendored"
    record = json.loads((folder / "vendored.json").read_text())
    assert {name: sha256(folder / name) for name in record["sha256"]} == record["sha256"]
    assert record["licence"] == "MPL-2.0"
    assert "Mozilla Public License" in (folder / "LICENSE-axe-core.txt").read_text()
    assert f'AXE_VERSION = "{record["version"]}"' in (ROOT / "scripts" / "build_assets.py").read_text()
