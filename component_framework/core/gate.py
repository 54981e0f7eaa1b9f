"""Who may: the declared permissions and rates of a component, asked before it does anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .errors import ConfigurationError, Forbidden, TooMany, Unauthenticated

if TYPE_CHECKING:
    from .component import Component, Context
    from .host import Host
    from .spec import Handler

F = TypeVar("F", bound=Callable[..., Any])

Permission = str | Callable[["Context"], bool]
"""A name that the application knows ("orders.change_order"), "authenticated", or a function of the Context."""


class RateLimiter(Protocol):
    """Counts what somebody does; the `limits` library is behind the one that ships (adapters.ratelimit)."""

    async def hit(self, limit: str, *key: str) -> float:
        """Count one under `key`; seconds to wait if that is over `limit` ("10/minute"), else 0."""
        ...


def requires(*permissions: Permission) -> Callable[[F], F]:
    """Let only visitors with all `permissions` send the event that the decorated handler handles."""

    def decorate(handler: F) -> F:
        handler.__dict__["permissions"] = permissions
        return handler

    return decorate


def limit_rate(limit: str) -> Callable[[F], F]:
    """Let one visitor send the event that the decorated handler handles at most so often: "10/minute"."""

    def decorate(handler: F) -> F:
        handler.__dict__["rate_limit"] = limit
        return handler

    return decorate


def refusal(component: Component, event: str | None) -> Forbidden | Unauthenticated:
    """What a visitor hears who may not: to log in, if nobody is."""
    kind = Unauthenticated if component.context.is_anonymous else Forbidden
    return kind(f"{component._compiled.title} refused {event or 'to be shown'}")


def require_permissions(component: Component, handler: Handler | None) -> None:
    """Raise Forbidden or Unauthenticated unless the visitor has every permission of the class and the handler."""
    if not component.permissions and (handler is None or not handler.permissions):
        return
    wanted = (*component.permissions, *(handler.permissions if handler else ()))
    context = component.context
    if not all(_has(component, context, permission) for permission in wanted):
        raise refusal(component, handler.event if handler else None)


def require_admission(cls: type[Component], event: str | None, context: Context, host: Host) -> None:
    """Raise as `require_permissions()` does, with no state at hand."""
    component = cls()
    component.context = context
    component._host = host
    require_permissions(component, None if event is None else component._compiled.handlers.get(event))


def _has(component: Component, context: Context, permission: Permission) -> bool:
    if callable(permission):
        return permission(context)
    if permission == "authenticated":
        return not context.is_anonymous
    check = component._host.has_permission if component._host is not None else None
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


async def count(limiter: RateLimiter | None, component: Component, handler: Handler | None) -> None:
    """Count this event against the rates of the class and the handler; raises TooMany for one too many."""
    context = component.context
    who = context.identity or context.address
    for limit, what in (
        (component.rate_limit, ""),
        (handler.rate_limit if handler else None, handler.event if handler else ""),
    ):
        if limit is None:
            continue
        if limiter is None:
            raise ConfigurationError(
                f"{component._compiled.title} has a rate limit, which needs Engine(rate_limiter=…)."
            )
        wait = await limiter.hit(limit, component._compiled.name, what, who)
        if wait:
            raise TooMany(f"{component._compiled.title} {what} is over {limit}", retry_after=max(1, round(wait)))


async def count_failed_token(limiter: RateLimiter | None, limit: str, address: str) -> None:
    """Count a token that was not good against its sender's address; raises TooMany for one too many."""
    wait = 0.0 if limiter is None else await limiter.hit(limit, "token", address)
    if wait:
        raise TooMany("too many tokens that are not good", retry_after=max(1, round(wait)))
