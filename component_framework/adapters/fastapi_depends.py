"""FastAPI's `Depends` for the parameters of components, solved by FastAPI itself."""

from __future__ import annotations

import copy
from contextlib import AsyncExitStack
from typing import Annotated, Any, NoReturn

try:
    from fastapi import params
    from fastapi.dependencies.models import Dependant
    from fastapi.dependencies.utils import get_dependant, solve_dependencies
    from starlette.exceptions import HTTPException
except ImportError as exc:
    raise ImportError("FastAPI is not installed. Run: pip install 'live-component-framework[fastapi]'") from exc

from ..core.component import Context
from ..core.errors import ConfigurationError, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from ..core.providing import Need


class FastAPISolver:
    """`Annotated[Session, Depends(get_session)]`: with sub-dependencies, security schemes and the app's overrides."""

    def __init__(self) -> None:
        self._dependants: dict[int, tuple[Any, Dependant]] = {}  # by identity: a mark of FastAPI 0.121 has no hash

    def knows(self, need: Need) -> bool:
        return isinstance(need.mark, params.Depends)

    async def solve(self, need: Need, context: Context, closing: AsyncExitStack) -> Any:
        if context.request is None:
            raise ConfigurationError(
                f"{need!r} is a FastAPI dependency, which needs a request. Pass context=request_context(engine, request), "
                f"or replace it: engine.provide({getattr(need.key, '__name__', need.key)}, …)."
            )
        request = copy.copy(context.request)  # it keeps the body, and has a scope of its own
        request.scope = {**request.scope, "fastapi_inner_astack": closing, "fastapi_function_astack": closing}
        try:
            solved = await solve_dependencies(
                request=request,
                dependant=self._dependant(need.mark),
                dependency_overrides_provider=request.scope.get("app"),
                async_exit_stack=closing,
                embed_body_fields=False,
            )
        except HTTPException as exc:
            _refuse(exc)
        if solved.errors:
            raise Invalid({"": [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in solved.errors]})
        return solved.values["value"]

    def _dependant(self, mark: Any) -> Dependant:
        known = self._dependants.get(id(mark))
        if known is None:
            known = self._dependants[id(mark)] = mark, _describe(mark)  # with the mark, so that its id stays its own
        return known[1]


def _describe(mark: Any) -> Dependant:
    def wanted(value: Any) -> None: ...

    wanted.__annotations__ = {"value": Annotated[Any, mark]}
    return get_dependant(path="/", call=wanted)


def _refuse(exc: HTTPException) -> NoReturn:
    """Raise what a dependency's HTTPException means here; one of another status goes on as it is."""
    text = str(exc.detail)
    if exc.status_code == 401:
        raise Unauthenticated(text) from exc
    if exc.status_code == 422:
        raise Invalid({"": [text]}) from exc
    if (kind := {403: Forbidden, 404: NotFound, 429: TooMany}.get(exc.status_code)) is not None:
        raise kind(text) from exc
    raise exc
