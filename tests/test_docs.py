"""The code of README and docs runs, and what they name is there."""

from __future__ import annotations

import configparser
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.servers import free_port, server_process

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"(?:#|<!--) ([\w./]+\.(?:py|html))\b")


SERVED = {"app_fastapi:app": "asgi", "app_litestar:app": "asgi", "mysite.wsgi:application": "wsgi"}


def blocks(name: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / name).read_text())


def write_blocks(name: str, folder: Path) -> list[Path]:
    """Every block of a document in the file that its first line names; what begins with "at its end" is added to that."""
    written = []
    for language, text in blocks(name):
        named = FILE.match(text)
        assert named or language != "python", f"a Python block of {name} names no file: {text[:60]!r}"
        if language in ("python", "html") and named:
            path = folder / named[1]
            path.parent.mkdir(exist_ok=True, parents=True)
            with path.open("a" if "at its end" in text.split("\n", 1)[0] else "w") as file:
                file.write(text)
            written.append(path)
    return written


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that README tells a newcomer to write."""
    folder = tmp_path_factory.mktemp("newcomer")
    for command in (["startproject", "mysite", "."], ["startapp", "shop"]):
        environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
        subprocess.run([sys.executable, "-m", "django", *command], cwd=folder, env=environment, check=True)
    write_blocks("README.md", folder)
    shutil.copy(folder / "counter.py", folder / "shop" / "components.py")
    return folder


@pytest.mark.parametrize("target", SERVED)
def test_the_counter_of_the_readme_counts_on_each_framework(
    newcomer: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    command = ["granian", "--interface", SERVED[target], "--port", str(port), target]
    environment = {"PYTHONPATH": f"{newcomer}{os.pathsep}{os.getcwd()}", "DJANGO_SETTINGS_MODULE": "mysite.settings"}
    monkeypatch.chdir(newcomer)  # the README's renderer looks for templates where it is started
    with (
        server_process(*command, port=port, **environment),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"HX-Request": "true"}) as client,
    ):
        page = client.get("/").raise_for_status().text
        own = re.search(r'name="component-headers" content="([^"]*)"', page)
        if own is not None:
            client.headers.update(json.loads(html.unescape(own[1])))
        for count in (40, 42, 44):
            assert f"Count: {count}" in page
            found = re.search(r'hx-post="([^"]*)" hx-vals="([^"]*)"', page)
            token = re.search(r'data-state="([^"]*)"', page)
            assert found is not None and token is not None  # noqa: PT018
            sent = json.loads(html.unescape(found[2]))
            answer = client.post(found[1], data=sent, headers={"X-Component-State": token[1]})
            page = answer.raise_for_status().text


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ("README.md", *(f"docs/{path.name}" for path in sorted(ROOT.glob("docs/*.md"))))
        if "```python" in (ROOT / name).read_text()
    ],
)
def test_every_python_block_runs_as_the_file_that_it_names(name: str, tmp_path: Path) -> None:
    written = write_blocks(name, tmp_path)
    scripts = [path for path in written if path.suffix == ".py" and path.parent.name != "mysite"]
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


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]


def test_every_document_that_a_document_links_to_exists() -> None:
    for document in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#:]+)\)", BLOCK.sub("", document.read_text())):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_nothing_tells_anyone_to_install_the_other_project() -> None:
    for document in DOCUMENTS:
        assert not re.search(r"install\s+['\"]?component[-_]framework", document.read_text()), document


def test_the_readme_leads_to_every_document() -> None:
    links = set(re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text()))
    wanted = {path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/images/*")]}
    assert wanted <= links


def test_one_test_file_can_be_run_as_contributing_says() -> None:
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini")
    assert (
        tox["testenv"]["args_are_paths"] == "false"
    )  # else tox rewrites the path, and the checkout is what is imported
    assert re.search(r"tox run -e py\d+-django\d+ -- tests/\S+\.py", (ROOT / "CONTRIBUTING.md").read_text())


@pytest.mark.parametrize("document", ["security.md", "reliability.md"])
def test_every_promise_names_tests_that_exist(document: str) -> None:
    rows = re.findall(r"^\| (?!promise)(.+) \| (.+) \|$", (ROOT / "docs" / document).read_text(), re.MULTILINE)
    assert len(rows) > 5
    for promise, held_by in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", held_by)
        assert named, promise
        for path, test in named:
            assert re.search(rf"^(?:async )?def {test}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}::{test}"
