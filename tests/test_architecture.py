"""The house rules that a machine can hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import component_framework

PACKAGE = Path(component_framework.__file__).parent
FRAMEWORKS = (
    "django", "fastapi", "starlette", "litestar", "jinja2", "jinjax", "redis", "pydantic", "anyio", "selectolax", "uvicorn", "limits",
)  # fmt: skip
CORE_MAY_IMPORT = {*sys.stdlib_module_names, "msgspec", "itsdangerous"}
ADAPTERS = sorted((PACKAGE / "adapters").rglob("*.py"))


def imports(path: Path) -> set[str]:
    """The modules that `path` imports; a relative one begins with its dots."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").glob("*.py")), ids=lambda path: path.stem)
def test_core_imports_the_standard_library_msgspec_and_itsdangerous_only(path: Path) -> None:
    foreign = {
        name for name in imports(path) if not name.startswith(".") and name.partition(".")[0] not in CORE_MAY_IMPORT
    }
    assert not foreign
    assert not {name for name in imports(path) if name.startswith("..")}, "core knows nothing outside of itself"


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_adapters_do_not_know_each_other(path: Path) -> None:
    own = {
        "jinja_compiler",
        "jinja_parts",
        "conf",
        "rendering",
        "requests",
        "views",
        "checks",
        "pump",
        "live",
        "fastapi_depends",
        "litestar_provide",
        "litestar_handlers",
        "columns",
        "sqlalchemy_columns",
        "redis_line",
        "redis_connections",
        "files",
        "transactions",
        "form_fields",
        "saving",
        "sqlalchemy_saving",
        "formsets",
    }
    siblings = {
        name.lstrip(".").partition(".")[0] for name in imports(path) if name.startswith(".") and "core" not in name
    }
    assert siblings <= own


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_adapters_are_thin(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 200
    assert "on_{" not in text


def test_a_module_can_be_read_in_one_sitting() -> None:
    long = {path.name: lines for path in PACKAGE.rglob("*.py") if (lines := len(path.read_text().splitlines())) > 400}
    assert not long


def test_importing_the_package_imports_no_framework() -> None:
    script = f"import sys, component_framework; print([name for name in {FRAMEWORKS!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_works_with_no_framework_installed() -> None:
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({FRAMEWORKS!r}))\n"
        "from component_framework import Component\n"
        "class Counter(Component):\n"
        "    count: int = 0\n"
        "    def on_increment(self) -> None: self.count += 1\n"
        "print(Counter().dispatch(event='increment')['state'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'count': 1}"


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [
        ("jinja", "jinja2", "jinjax"), ("jinjax", "jinjax", "jinjax"), ("fastapi", "fastapi", "fastapi"),
        ("starlette", "starlette", "fastapi"),
        ("litestar", "litestar", "litestar"), ("django", "django", "django"), ("redis", "redis", "redis"),
    ],
)  # fmt: skip
def test_a_missing_extra_is_named_with_the_line_that_installs_it(module: str, missing: str, extra: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None; import component_framework.adapters.{module}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert f"pip install 'live-component-framework[{extra}]'" in done.stderr


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").glob("*.py")), ids=lambda path: path.stem)
def test_core_needs_no_threads_sockets_or_processes_to_run(path: Path) -> None:
    allowed = {"store": {"threading"}, "uploads": {"threading"}, "shutdown": {"threading", "signal"}}.get(
        path.stem, set()
    )
    assert imports(path) & {"threading", "socket", "subprocess", "signal", "multiprocessing"} <= allowed


def test_a_module_of_components_imports_nothing_of_any_host() -> None:
    script = (
        "import sys, component_framework\n"
        f"forbidden = {{*{FRAMEWORKS!r}, 'socket', 'subprocess', 'multiprocessing', 'asyncio'}}\n"
        "class Guard:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in forbidden: raise AssertionError(f'{name} was imported')\n"
        "sys.meta_path.insert(0, Guard())\n"
        "import tests.conformance.components as module\n"
        "print(len(module.registry))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 10
