"""Litestar's dependencies for the parameters of components, by name: `dependencies={"session": Provide(open_session)}`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

try:
    from litestar import Request
    from litestar.di import Provide
    from litestar.exceptions import (
        HTTPException,
        NotAuthorizedException,
        NotFoundException,
        PermissionDeniedException,
    )
except ImportError as exc:
    raise ImportError("Litestar is not installed. Run: pip install 'live-component-framework[litestar]'") from exc

from ..core.component import Context
from ..core.errors import ConfigurationError, Forbidden, NotFound, RequestError, Unauthenticated
from ..core.providing import Need

OF_THE_REQUEST: dict[str, Callable[[Request[Any, Any, Any]], Any]] = {
    "request": lambda request: request,
    "scope": lambda request: request.scope,
    "state": lambda request: request.app.state,
    "headers": lambda request: request.headers,
    "cookies": lambda request: request.cookies,
    "query": lambda request: request.query_params,
}
"""What a dependency may ask Litestar for, besides other dependencies."""

_REFUSALS: dict[type[HTTPException], type[RequestError]] = {
    NotAuthorizedException: Unauthenticated,
    PermissionDeniedException: Forbidden,
    NotFoundException: NotFound,
}


class LitestarSolver:
    """What `layers` (the application's dependencies, then the plugin's own) provide, each made once per call."""

    def __init__(self, layers: Callable[[], Mapping[str, Any]]) -> None:
        self._layers = layers

    def knows(self, need: Need) -> bool:
        return need.mark is None and need.name in self._layers()

    async def solve(self, need: Need, context: Context, closing: AsyncExitStack) -> Any:
        if context.request is None:
            raise ConfigurationError(
                f"{need!r} is a Litestar dependency, which needs a request. Pass context=request_context(engine, request)."
            )
        try:
            return await _Resolution(self._layers(), context.request, closing).value(need.name)
        except HTTPException as exc:
            for kind, refusal in _REFUSALS.items():
                if isinstance(exc, kind):
                    raise refusal(exc.detail) from exc
            raise


class _Resolution:
    """The dependencies of one value, those that it asks for first."""

    def __init__(self, known: Mapping[str, Any], request: Request[Any, Any, Any], closing: AsyncExitStack) -> None:
        self._known = known
        self._request = request
        self._closing = closing
        self._values: dict[str, Any] = {}

    async def value(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = await self._make(self._known[name])
        return self._values[name]

    async def _make(self, dependency: Any) -> Any:
        provide = dependency if isinstance(dependency, Provide) else Provide(dependency, sync_to_thread=False)
        asked = inspect.signature(getattr(provide.dependency, "func", provide.dependency)).parameters.values()
        arguments = {one.name: await self._argument(one) for one in asked if self._has(one)}
        made = await provide(**arguments)
        if inspect.isasyncgen(made):
            return await self._closing.enter_async_context(asynccontextmanager(lambda: made)())
        if inspect.isgenerator(made):
            return self._closing.enter_context(contextmanager(lambda: made)())
        return made

    def _has(self, asked: inspect.Parameter) -> bool:
        return asked.name in self._known or asked.name in OF_THE_REQUEST or asked.default is asked.empty

    async def _argument(self, asked: inspect.Parameter) -> Any:
        if asked.name in self._known:
            return await self.value(asked.name)
        if asked.name in OF_THE_REQUEST:
            return OF_THE_REQUEST[asked.name](self._request)
        raise ConfigurationError(
            f"A Litestar dependency of a component asks for {asked.name!r}. It may ask for other dependencies and for "
            f"{', '.join(OF_THE_REQUEST)}; read anything else from the request."
        )
