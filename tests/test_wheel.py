import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import component_framework


@pytest.mark.parametrize(
    "path",
    [
        "py.typed",
        "static/component_framework/htmx.min.js",
        "static/component_framework/component.js",
        "templates/cotton/cf/live.html",
        "templatetags/__init__.py",
    ],
)
def test_the_wheel_brings_what_is_not_code(path: str) -> None:
    assert (files(component_framework) / path).is_file()


def test_the_version_is_written_in_one_more_place_and_they_agree() -> None:
    assert project()["version"] == component_framework.__version__


def test_the_core_needs_two_packages_and_no_framework() -> None:
    assert [line.split(">")[0] for line in project()["dependencies"]] == ["msgspec", "itsdangerous"]


def project() -> dict[str, Any]:
    path = Path(__file__).parent.parent / "pyproject.toml"
    table: dict[str, Any] = tomllib.loads(path.read_text())["project"]
    return table
