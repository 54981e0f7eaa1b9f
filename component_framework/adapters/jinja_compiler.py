"""Jinja2 as it is, with less work per render: the same templates, the same output.

Stock Jinja2 wraps every escaped value into a Markup object, only to join them all to one str. Here a value is escaped
to a plain str, and a render's Context is built without the copies that only blocks and includes need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MethodType
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import escape

from ..core.rendering import TemplateFunctions

try:
    from markupsafe._speedups import _escape_inner as escape_str
except ImportError:  # another version of markupsafe, or one without its C extension

    def escape_str(text: str, /) -> str:
        return str.__str__(escape(text))


def escape_text(value: Any) -> str:
    """`markupsafe.escape`, but giving a plain str."""
    kind = type(value)
    if kind is str:
        return escape_str(value)
    if kind is int or kind is float:
        return str(value)
    if hasattr(value, "__html__"):
        return str.__str__(value.__html__())
    return escape_str(str(value))


class PlainTextGenerator(CodeGenerator):
    """Escapes to plain text what a template puts out, and calls no function of Python's where one of C's will do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._put_out: list[str] = []
        """The name of the value that is being put out, for each expression that is being written."""

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("escape_text = environment.escape_text")
        self.writeline("escape_str = environment.escape_str")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not _escapes(frame):
            super()._output_child_pre(node, frame, finalize)
            return
        value = self.temporary_identifier()
        self._put_out.append(value)
        self.write(f"(escape_str({value}) if type({value} := ")
        if finalize.src is not None:
            self.write(finalize.src)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not _escapes(frame):
            super()._output_child_post(node, frame, finalize)
            return
        if finalize.src is not None:
            self.write(")")
        value = self._put_out.pop()
        self.write(f") is str else escape_text({value}))")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        """`a.b`: the attribute, or else what stock Jinja2 finds."""
        if self.environment.is_async or self.environment.sandboxed:
            super().visit_Getattr(node, frame)
            return
        owner, found = self.temporary_identifier(), self.temporary_identifier()
        self.write(f"({found} if ({found} := getattr(({owner} := ")
        self.visit(node.node, frame)
        self.write(f"), {node.attr!r}, missing)) is not missing else environment.item_of({owner}, {node.attr!r}))")


def _escapes(frame: Frame) -> bool:
    """Whether it is known while compiling that values are escaped here."""
    return bool(frame.eval_ctx.autoescape) and not frame.eval_ctx.volatile


class LightContext(Context):
    """A Context whose sets and lists are made only for the templates that have blocks or globals to tell apart."""

    def __init__(
        self,
        environment: Environment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Any],
        globals: Mapping[str, Any] | None = None,
    ) -> None:
        self.parent = parent
        self.vars = {}
        self.environment = environment
        self.eval_ctx = EvalContext(environment, name)
        self.exported_vars = set()
        self.name = name
        self.globals_keys = set() if globals is None else set(globals)
        self.blocks = {name: [block] for name, block in blocks.items()} if blocks else {}

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Stock Jinja2 asks every callable, and its `__call__`, whether it wants the context; `on` and its like do not."""
        if (type(function) is MethodType and type(function.__self__) is TemplateFunctions) or function is range:
            kwargs.pop("_loop_vars", None)  # here and below: what the generated code passes along
            kwargs.pop("_block_vars", None)
            return function(*args, **kwargs)
        return super().call(function, *args, **kwargs)

    def resolve_or_missing(self, key: str) -> Any:
        if self.vars and key in self.vars:
            return self.vars[key]
        return self.parent.get(key, _MISSING)


_MISSING: Any = Context.resolve_or_missing.__globals__["missing"]


def item_of(undefined: Callable[..., Any], obj: Any, key: str) -> Any:
    """The second half of `environment.getattr`: the item of an object that has no such attribute."""
    try:
        return obj[key]
    except (TypeError, LookupError, AttributeError):
        return undefined(obj=obj, name=key)


def speed_up(environment: Environment) -> Environment:
    """Give `environment` the generator and the context above; its templates must not be compiled yet."""
    environment.code_generator_class = PlainTextGenerator
    environment.context_class = LightContext
    environment.escape_text = escape_text  # type: ignore[attr-defined]  # here and below: what the generated code calls
    environment.escape_str = escape_str  # type: ignore[attr-defined]
    environment.item_of = partial(item_of, environment.undefined)  # type: ignore[attr-defined]
    return environment


def render_light(template: Template, context: Mapping[str, Any]) -> str:
    """`template.render(context)` without the copies that it makes of its globals for every render."""
    environment = template.environment
    variables = {**environment.globals, **context}
    light = environment.context_class(environment, variables, template.name, template.blocks)
    try:
        return environment.concat(template.root_render_func(light))
    except Exception:  # whatever a template raises: Jinja2 points the traceback at the template's line
        environment.handle_exception()
