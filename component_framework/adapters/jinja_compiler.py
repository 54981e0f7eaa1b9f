"""Jinja2 as it is, with less work per render: the same templates, the same output.

Stock Jinja2 wraps every escaped value into a Markup object, only to join them all to one str. Here a value is escaped
to a plain str, and a render's Context is built without the copies that only blocks and includes need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import escape

from ..core.component import Errors
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
    """Writes `escape_text(` where the stock generator writes `escape(`, in what a template puts out."""

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("escape_text = environment.escape_text")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile:
            self.write("escape_text(")
            if finalize.src is not None:
                self.write(finalize.src)
        else:
            super()._output_child_pre(node, frame, finalize)


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
        if type(function) is MethodType and type(function.__self__) is TemplateFunctions:
            kwargs.pop("_loop_vars", None)  # here and below: what the generated code passes along
            kwargs.pop("_block_vars", None)
            return function(*args, **kwargs)
        return super().call(function, *args, **kwargs)

    def resolve_or_missing(self, key: str) -> Any:
        if self.vars and key in self.vars:
            return self.vars[key]
        return self.parent.get(key, _MISSING)


_MISSING: Any = Context.resolve_or_missing.__globals__["missing"]


_MAPPINGS: tuple[Any, ...] = (dict, Errors)
_OF_DICT = frozenset(dir(dict))


def items_first(environment: Environment) -> Callable[[Any, str], Any]:
    """`environment.getattr`, which tries an attribute first, without the exception that this costs for each key of a dict."""
    stock, undefined = environment.getattr, environment.undefined

    def lookup(obj: Any, attribute: str) -> Any:
        if type(obj) not in _MAPPINGS or attribute in _OF_DICT:
            return stock(obj, attribute)
        try:
            return obj[attribute]
        except KeyError:
            return undefined(obj=obj, name=attribute)

    return lookup


def speed_up(environment: Environment) -> Environment:
    """Give `environment` the generator, the context and the look-up above; its templates must not be compiled yet."""
    environment.code_generator_class = PlainTextGenerator
    environment.context_class = LightContext
    environment.getattr = items_first(environment)  # type: ignore[assignment]  # what the generated code calls
    environment.escape_text = escape_text  # type: ignore[attr-defined]  # what the generated code calls
    return environment
