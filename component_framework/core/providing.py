"""What handlers, `mount()` and classes ask for by annotation: a session, the visitor, the framework's request.

Which parameters are provided is decided once, when a class is compiled: no payload can ever fill one. Each value is
made for one call and closed after it, once the component has been shown and its state put away.
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from .errors import ConfigurationError, Unauthenticated, nearest
from .uploads import Upload

if TYPE_CHECKING:
    from .component import Component, Context
    from .running import Runner
    from .spec import Spec

Provider = Callable[..., Any]
"""Called with the Context, or with nothing. Gives a value or a context manager (sync or async), or yields one value."""

OF_THE_CONTEXT = ("request", "user", "session")
"""Parameters of these names are what the adapter found, if it is what they are annotated with."""


class Provided:
    """Says of a parameter, or of a class attribute, that it never comes from the browser: `Annotated[Basket, Provided()]`."""


class Need:
    """One value that something asks for: by its type, and by the mark of a framework (`Depends`) where there is one."""

    __slots__ = ("default", "is_context", "key", "mark", "name", "optional", "type")

    def __init__(self, name: str, kind: Any, default: Any, mark: Any = None) -> None:
        self.name = name
        self.default = default
        self.mark = mark
        self.type, self.optional = _bare(kind)
        self.key = mark.dependency if mark is not None and mark.dependency is not None else self.type
        self.is_context = self.type is _context()

    def __repr__(self) -> str:
        return f"{self.name}: {getattr(self.type, '__name__', self.type)}"


def need_of(name: str, kind: Any, default: Any = msgspec.NODEFAULT) -> Need | None:
    """The Need that a parameter states; None for one that a payload fills.

    A parameter is provided if it is marked (`Provided()`, or what has a `dependency` as FastAPI's `Depends` has), if it
    is the Context, or if its type is a class that no JSON can be.
    """
    marks = typing.get_args(kind)[1:] if typing.get_origin(kind) is typing.Annotated else ()
    for mark in (*marks, default):
        if (mark is Provided or isinstance(mark, Provided)) or _depends(mark):
            found = mark if _depends(mark) else None
            return Need(name, kind, msgspec.NODEFAULT if mark is default else default, found)
    if _bare(kind)[0] is _context() or is_foreign(kind):
        return Need(name, kind, default)
    return None


def is_marked(kind: Any) -> bool:
    """Whether an annotation says by itself that its value is provided."""
    marks = typing.get_args(kind)[1:] if typing.get_origin(kind) is typing.Annotated else ()
    return any(mark is Provided or isinstance(mark, Provided) or _depends(mark) for mark in marks)


def key_of(kind: Any) -> Any:
    """What a provider of `kind` is registered under: the type without its annotations and its None."""
    return _bare(kind)[0]


def _depends(mark: Any) -> bool:
    return not isinstance(mark, type) and callable(getattr(mark, "dependency", None))


def _context() -> Any:
    from .component import Context  # component.py needs the compiler, and the compiler this module

    return Context


def _bare(kind: Any) -> tuple[Any, bool]:
    """A type without its annotations and its None, and whether None is allowed."""
    if typing.get_origin(kind) is typing.Annotated:
        return _bare(typing.get_args(kind)[0])
    if (alias := getattr(kind, "__value__", None)) is not None and not isinstance(kind, type):
        return _bare(alias)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(kind) if member is not type(None)]
        if len(members) < len(typing.get_args(kind)):
            return (_bare(members[0])[0] if len(members) == 1 else typing.Union[tuple(members)]), True  # noqa: UP007  # made from a tuple
    return kind, False


def is_foreign(kind: Any) -> bool:
    """Whether a type is, or has among its members, a class that msgspec cannot make from JSON and no schema describes."""
    kind = _bare(kind)[0]
    if isinstance(kind, typing.NewType):
        return is_foreign(kind.__supertype__)
    if typing.get_origin(kind) in (typing.Literal, None):
        return isinstance(kind, type) and not _is_schema(kind) and _is_custom(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType, list, tuple, set, frozenset, dict):
        return any(is_foreign(member) for member in typing.get_args(kind) if member is not Ellipsis)
    return is_foreign(typing.get_origin(kind))


def _is_custom(kind: type) -> bool:
    if issubclass(kind, Upload):
        return False  # comes with the payload, though not as JSON
    if issubclass(kind, enum.Enum):
        return False  # Django's choices have a metaclass of their own, but are members by value all the same
    try:
        return isinstance(msgspec.inspect.type_info(kind), msgspec.inspect.CustomType)
    except (TypeError, NameError):
        return False  # a class whose fields cannot be resolved: the payload's own error says so


def _is_schema(kind: type) -> bool:
    """Whether a form could be fitted to `kind`: a Pydantic model, or a Django form."""
    return hasattr(kind, "model_validate") or hasattr(kind, "base_fields") or kind is object


class Solver(Protocol):
    """A framework's own dependency injection, which its adapter puts at an engine's disposal."""

    def knows(self, need: Need) -> bool:
        """Whether the framework has what is needed."""
        ...

    async def solve(self, need: Need, context: Context, closing: AsyncExitStack) -> Any:
        """The value; what it has to be closed with goes into `closing`."""
        ...


class Source:
    """A provider, looked at once: whether it takes the Context, and how calling it continues."""

    __slots__ = ("call", "is_async", "kind", "takes_context")

    call: Callable[..., Any]

    def __init__(self, key: Any, provider: Provider) -> None:
        if not callable(provider):
            raise ConfigurationError(
                f"The provider of {_title(key)} is {provider!r}, which cannot be called. Write a function: lambda: value."
            )
        self.takes_context = _takes_context(provider)
        if inspect.isasyncgenfunction(provider):
            self.kind, self.call = "manager", asynccontextmanager(provider)
        elif inspect.isgeneratorfunction(provider):
            self.kind, self.call = "manager", contextmanager(provider)
        else:
            self.kind = "coroutine" if inspect.iscoroutinefunction(provider) else "plain"
            self.call = provider
        # such a one may have to wait, so that components which need it are driven by an event loop where there is one
        self.is_async = inspect.isasyncgenfunction(provider) or self.kind == "coroutine" or hasattr(key, "__aenter__")


def _takes_context(provider: Provider) -> bool:
    try:
        parameters = inspect.signature(provider).parameters.values()
    except (ValueError, TypeError):
        return False  # a class written in C
    return any(
        one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty for one in parameters
    )


class Providers:
    """The providers of one engine, by type (or by the function that `Depends` names), and its framework's solvers."""

    __slots__ = ("_met", "_sources", "solvers")

    def __init__(self, providers: Mapping[Any, Provider] | None = None) -> None:
        self._sources = {key: Source(key, provider) for key, provider in (providers or {}).items()}
        self._met: set[Spec] = set()
        self.solvers: list[Solver] = []

    def use(self, solver: Solver) -> None:
        """Ask `solver` for what no provider gives; it replaces an earlier one of its kind."""
        self.solvers = [*(other for other in self.solvers if type(other) is not type(solver)), solver]

    @contextmanager
    def override(self, key: Any, provider: Provider) -> Iterator[None]:
        """Let `provider` give every `key` for as long as the block runs; for tests."""
        before = self._sources.get(key)
        self._sources[key] = Source(key, provider)
        self._met.clear()
        try:
            yield
        finally:
            if before is None:
                del self._sources[key]
            else:
                self._sources[key] = before

    def meet(self, spec: Spec) -> None:
        """Take what this engine provides out of the payloads of a class, before its first call."""
        if spec not in self._met:
            spec.withhold([key for key in self._sources if isinstance(key, type)])
            self._met.add(spec)

    def find(self, need: Need) -> Source | None:
        """The provider of `need`: of its dependency, of its type, or of the class that its type is made from."""
        sources = self._sources
        if not sources:
            return None
        if need.mark is not None:
            return sources.get(need.key)  # FastAPI's Depends says more than the type
        return sources.get(need.type) or sources.get(typing.get_origin(need.type))

    def solver(self, need: Need) -> Solver | None:
        """The framework that has what is needed."""
        return next((solver for solver in self.solvers if solver.knows(need)), None)

    def wait(self, spec: Spec) -> bool:
        """Whether what a class asks for may have to be waited for."""
        needs = spec.all_needs()
        sources = [self.find(need) for need in needs]
        return any(
            source.is_async if source is not None else self.solver(need) is not None
            for need, source in zip(needs, sources, strict=True)
        )

    def missing(self, spec: Spec) -> list[str]:
        """What a class asks for and nobody provides, each with what to write."""
        return [self.complaint(spec, need) for need in spec.all_needs() if not self._has(need)]

    def require(self, spec: Spec) -> None:
        """Raise ConfigurationError for the first thing that a class asks for and nobody provides."""
        if spec.asks and (missing := self.missing(spec)):
            raise ConfigurationError(missing[0])

    def _has(self, need: Need) -> bool:
        return (
            need.is_context
            or need.default is not msgspec.NODEFAULT
            or need.name in OF_THE_CONTEXT
            or self.find(need) is not None
            or self.solver(need) is not None
        )

    def complaint(self, spec: Spec, need: Need) -> str:
        """What is wrong with a need that nobody meets, and what to write."""
        title = _title(need.key)
        known = nearest(title, map(_title, self._sources))
        return (
            f"{spec.title} asks for {need!r}, which no payload can hold and nobody provides ({known}). "
            f"Write Engine(providers={{{title}: …}})."
        )


NO_PROVIDERS = Providers()
"""Those of a component without an engine."""


def _title(key: Any) -> str:
    return str(getattr(key, "__name__", key))


class Provisions:
    """What one call was provided with; leaving it closes everything, the last first, and tells it of an exception."""

    __slots__ = ("_closing", "_component", "_providers", "_run", "_values")

    def __init__(self, component: Component, providers: Providers, run: Runner) -> None:
        self._component = component
        self._providers = providers
        self._run = run
        self._values: dict[Any, Any] = {}
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Provisions:
        try:
            await self.attach()
        except BaseException as exc:
            await self.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        attributes = vars(self._component)
        for need in self._component._compiled.needs:
            attributes.pop(need.name, None)
        self._values.clear()
        await self._closing.__aexit__(*exc_info)  # its answer does not count: nobody may make an exception disappear

    async def attach(self) -> None:
        """Give the component the attributes that its class asks for."""
        if needs := self._component._compiled.needs:
            vars(self._component).update(await self.fill(needs))

    async def restart(self, exc: Exception) -> None:
        """Close all that is open because of `exc`; what is asked for from now on is made anew."""
        await self.__aexit__(type(exc), exc, exc.__traceback__)
        await self.attach()

    async def fill(self, needs: Iterable[Need]) -> dict[str, Any]:
        """The arguments for `needs`; what one provider gives is the same in all of a call."""
        return {need.name: self._checked(need, await self._find(need)) for need in needs}

    async def _find(self, need: Need) -> Any:
        context = self._component.context
        if need.is_context:
            return context
        source = self._providers.find(need)
        if source is not None:
            if source not in self._values:
                self._values[source] = await self._open(source)
            return self._values[source]
        solver = self._providers.solver(need)
        if solver is not None:
            key = need.key if need.mark is not None else need.name
            if key not in self._values:
                self._values[key] = await solver.solve(need, context, self._closing)
            return self._values[key]
        if need.name in OF_THE_CONTEXT:
            return getattr(context, need.name)
        if need.default is not msgspec.NODEFAULT:
            return need.default
        raise ConfigurationError(self._providers.complaint(self._component._compiled, need))

    async def _open(self, source: Source) -> Any:
        made: list[Any] = []
        arguments = (self._component.context,) if source.takes_context else ()
        if source.kind == "manager":
            made.append(source.call(*arguments))
        else:  # a list, since the runner would await what an async connection, say, lets itself be awaited for
            await self._run(lambda: made.append(source.call(*arguments)), kind=source.kind)
        value = await made[0] if source.kind == "coroutine" else made[0]
        if hasattr(value, "__aenter__"):
            return await self._closing.enter_async_context(value)
        if hasattr(value, "__enter__"):
            return await self._run(self._enter, value, kind="plain")
        return await value if hasattr(value, "__await__") else value

    def _enter(self, manager: Any) -> Any:
        """Enter a sync context manager, in whatever thread this is; it is noted at once, lest a cancellation loses it."""

        async def leave(*exc_info: Any) -> None:
            await self._run(manager.__exit__, *exc_info, kind="plain")

        value = manager.__enter__()
        self._closing.push_async_exit(leave)
        return value

    def _checked(self, need: Need, value: Any) -> Any:
        """`value`, unless it is a visitor or a request of another kind than the component asked for."""
        if need.optional and value is None:
            return None
        if need.name not in OF_THE_CONTEXT or self._providers.find(need) or self._providers.solver(need):
            return value
        expected = typing.get_origin(need.type) or need.type
        if not isinstance(expected, type) or expected is Any or isinstance(value, expected):
            return value
        if need.name == "user" and self._component.context.is_anonymous:
            if need.optional:
                return None
            raise Unauthenticated(f"{self._component._compiled.title} asks for {need!r}, and nobody is logged in")
        raise ConfigurationError(
            f"{self._component._compiled.title} asks for {need!r}, but the adapter has {type(value).__qualname__}. "
            f"Write Engine(providers={{{_title(need.key)}: …}})."
        )
