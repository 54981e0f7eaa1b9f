"""The framework's own templates, those of forms, behind the ones of an application with Jinja2 or JinjaX."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, DictLoader, Environment, Template

PACKAGE = Path(__file__).parent.parent / "templates"
_FOLDER = "component_framework/forms"
_OWN = {f"{_FOLDER}/{path.name}": path.read_text() for path in PACKAGE.glob("*/forms/*.html")}
"""Read once, with the module: a form may be rendered on an event loop."""
_INCLUDE = re.compile(r'{% include "(component_framework/forms/\w+\.html)" %}')
_OF_FIELD = "{% include field.templates %}"
_USUAL = [f"{_FOLDER}/{name}.html" for name in ("input", "select", "textarea", "checkbox")]


Render = Callable[[Template, Mapping[str, Any]], str]


class Parts:
    """Renders `component_framework/forms/…`: the application's template of that name, or the framework's.

    A form has several templates for each of its fields, and an include costs Jinja2 more than what is in it. So includes are
    put in place when a template is loaded, and which of several names there is a template of is found out once.
    """

    def __init__(
        self, environment: Environment, loaders: Sequence[BaseLoader], render: Render = Template.render
    ) -> None:
        loader = _InPlace(ChoiceLoader([*loaders, DictLoader(_OWN)]))
        self._environment = environment.overlay(loader=loader)
        self._environment.filters = {**environment.filters, "chosen_template": self._choose}
        self._found: dict[Sequence[str], str] = {}
        self._render = render

    def render(self, template_name: str, context: Mapping[str, Any]) -> str:
        """The markup of the template `template_name`."""
        return self._render(self._environment.get_template(template_name), context)

    def _choose(self, names: tuple[str, ...]) -> str:
        found = self._found.get(names)
        if found is None:
            template: Template = self._environment.select_template(names)
            found = self._found[names] = template.name or ""
        return found


class _InPlace(BaseLoader):
    """Loads templates with what they include in its place; they are up to date if all of it is."""

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, path, uptodate = self._loader.get_source(environment, template)
        known = [uptodate]

        def put(name: str) -> str:
            text, _, is_fresh = self._loader.get_source(environment, name)
            known.append(is_fresh)
            return _INCLUDE.sub(lambda found: put(found[1]), text)

        source = _INCLUDE.sub(lambda found: put(found[1]), source)
        if _OF_FIELD in source:
            cases = [f'{{% elif field.templates|chosen_template == "{name}" %}}{put(name)}' for name in _USUAL]
            usual = "".join(cases).replace("{% elif", "{% if", 1)
            source = source.replace(
                _OF_FIELD, usual + "{% else %}{% include field.templates|chosen_template %}{% endif %}"
            )
        return source, path, lambda: all(is_fresh is None or is_fresh() for is_fresh in known)
