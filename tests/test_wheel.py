import re
import subprocess
import sys
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


NEEDS = {
    "adapters.jinja": "jinja2", "adapters.jinjax": "jinjax", "adapters.starlette": "starlette", "adapters.fastapi": "fastapi",
    "adapters.litestar": "litestar", "adapters.django": "django", "adapters.redis": "redis", "adapters.redis_broker": "redis",
    "adapters.crypto": "cryptography", "adapters.ratelimit": "limits", "adapters.sqlalchemy": "sqlalchemy",
    "adapters.sqlalchemy_publishing": "sqlalchemy", "testing": "selectolax",
}  # fmt: skip


@pytest.mark.parametrize(("module", "needed"), NEEDS.items(), ids=NEEDS)
def test_what_is_not_installed_is_named_with_the_line_that_installs_it(module: str, needed: str) -> None:
    script = f"import sys; sys.modules[{needed!r}] = None; import component_framework.{module}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    found = re.fullmatch(
        r"ImportError: [\w ]+ is not installed\. Run: pip install 'live-component-framework\[(\w+)\]'", last
    )
    assert found is not None, last
    brought = project()["optional-dependencies"][found[1]]
    assert needed in [re.split(r"[\[>=]", line)[0] for line in brought]


def test_the_version_is_written_in_one_more_place_and_they_agree() -> None:
    assert project()["version"] == component_framework.__version__


def test_the_core_needs_two_packages_and_no_framework() -> None:
    assert [line.split(">")[0] for line in project()["dependencies"]] == ["msgspec", "itsdangerous"]


def project() -> dict[str, Any]:
    path = Path(__file__).parent.parent / "pyproject.toml"
    table: dict[str, Any] = tomllib.loads(path.read_text())["project"]
    return table
