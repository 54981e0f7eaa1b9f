"""The framework's own templates, those of forms, behind the ones of an application with Jinja2 or JinjaX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader

PACKAGE = Path(__file__).parent.parent / "templates"


class Parts:
    """Renders `component_framework/forms/…`: the application's template of that name, or the framework's."""

    def __init__(self, environment: Environment, loaders: Sequence[BaseLoader]) -> None:
        loader = ChoiceLoader([*loaders, FileSystemLoader(PACKAGE)])
        self._environment = environment.overlay(loader=loader)

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of the template `template_name`."""
        return self._environment.get_template(template_name).render(context)
