from importlib.metadata import distribution
from importlib.resources import files

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
    assert distribution("live-component-framework").version == component_framework.__version__


def test_the_core_needs_two_packages_and_no_framework() -> None:
    needed = [line for line in distribution("live-component-framework").requires or [] if "extra ==" not in line]
    assert [line.split(">")[0] for line in needed] == ["itsdangerous", "msgspec"]
