"""Who may: the declared permissions and rates of a component, asked before it does anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .errors import ConfigurationError, Forbidden, TooMany, Unauthenticated

if TYPE_CHECKING:
    from .component import Context
    from .spec import Spec

F = TypeVar("F", bound=Callable[..., Any])

Permission = str | Callable[["Context"], bool]
"""A name that the application knows ("orders.change_order"), "authenticated", or a function of the Context.

A function may raise NotFound: for this visitor the component is none, whatever is sent to it.
"""


Check = Callable[["Context", str], bool]
"""Whether a visitor has the permission of a name."""


class RateLimiter(Protocol):
    """Counts what somebody does; the `limits` library is behind the one that ships (adapters.ratelimit)."""

    async def hit(self, limit: str, *key: str) -> float:
        """Count one under `key`; seconds to wait if that is over `limit` ("10/minute"), else 0."""
        ...


RATE = re.compile(r"[1-9]\d*\s*(?:/|per\s)\s*(?:[1-9]\d*\s*)?(?:second|minute|hour|day|month|year)s?", re.IGNORECASE)


def require_rate(limit: str, where: str) -> str:
    """`limit`, if it is a rate; raises ConfigurationError."""
    if not isinstance(limit, str) or not RATE.fullmatch(limit):
        raise ConfigurationError(
            f"{where} is {limit!r}, which is no rate. Write it as in '10/minute' or '3 per second'."
        )
    return limit


def require_permission(permission: object, where: str) -> None:
    """Raise ConfigurationError for what is no Permission."""
    if not (callable(permission) or (isinstance(permission, str) and permission)):
        raise ConfigurationError(f"{where} has {permission!r}. A permission is a name, or a function of the Context.")


def requires(*permissions: Permission) -> Callable[[F], F]:
    """Let only visitors with all `permissions` send the event that the decorated handler handles.

    Raises ConfigurationError for no permission at all, and for what is none: a handler would be open to everybody.
    """
    if not permissions or any(getattr(permission, "__name__", "").startswith("on_") for permission in permissions):
        raise ConfigurationError('@requires says what a handler needs: @requires("orders.change_order").')
    for permission in permissions:
        require_permission(permission, "@requires")

    def decorate(handler: F) -> F:
        if isinstance(handler, type):
            raise ConfigurationError(
                f"@requires is for a handler. In the class {handler.__name__} write permissions = {permissions!r}."
            )
        handler.__dict__["permissions"] = permissions
        return handler

    return decorate


def limit_rate(limit: str) -> Callable[[F], F]:
    """Let one visitor send the event that the decorated handler handles at most so often: "10/minute"."""
    require_rate(limit, "@limit_rate")

    def decorate(handler: F) -> F:
        handler.__dict__["rate_limit"] = limit
        return handler

    return decorate


def refusal(title: str, context: Context, event: str | None) -> Forbidden | Unauthenticated:
    """What a visitor hears who may not: to log in, if nobody is."""
    kind = Unauthenticated if context.is_anonymous else Forbidden
    return kind(f"{title} refused {event or 'to be shown'}")


def require_permissions(
    permissions: Sequence[Permission], title: str, event: str | None, context: Context, check: Check | None
) -> None:
    """Raise Forbidden or Unauthenticated unless the visitor has all `permissions`; `check` is the application's `has_permission`."""
    if not all(_has(context, permission, check) for permission in permissions):
        raise refusal(title, context, event)


def asks_around(spec: Spec, event: str | None) -> bool:
    """Whether the permissions for `event` may have to be looked up somewhere, so that an event loop must not wait for it."""
    handler = spec.handlers.get(event or "")
    wanted = (*spec.cls.permissions, *(handler.permissions if handler is not None else ()))
    return any(permission != "authenticated" for permission in wanted)


def _has(context: Context, permission: Permission, check: Check | None) -> bool:
    if callable(permission):
        return permission(context)
    if permission == "authenticated":
        return not context.is_anonymous
    return bool((check or has_perm)(context, permission))


def has_perm(context: Context, permission: str) -> bool:
    """Whether the user has `permission`, asked as Django's users are asked (`user.has_perm`)."""
    if context.user is None:
        return False
    check = getattr(context.user, "has_perm", None)
    if check is None:
        raise ConfigurationError(
            f"{type(context.user).__qualname__} has no has_perm(). Tell the engine how to ask: Engine(has_permission=…)."
        )
    return bool(check(permission))


def rates_of(spec: Spec, event: str | None) -> list[tuple[str, str]]:
    """The rates that one more call counts against: each with the event that it is for, "" being any."""
    rates = [] if spec.cls.rate_limit is None else [(spec.cls.rate_limit, "")]
    if event is not None and (limit := spec.handlers[event].rate_limit) is not None:
        rates.append((limit, event))
    return rates


async def count(limiter: RateLimiter | None, spec: Spec, rates: Sequence[tuple[str, str]], context: Context) -> None:
    """Count this call against `rates`, for its visitor or its address; raises TooMany for one too many."""
    if limiter is None:
        raise ConfigurationError(f"{spec.title} has a rate limit, which needs Engine(rate_limiter=…).")
    for limit, event in rates:
        wait = await limiter.hit(limit, spec.name, event, context.identity or context.address)
        if wait:
            raise TooMany(f"{spec.title} {event} is over {limit}", retry_after=max(1, round(wait)))
