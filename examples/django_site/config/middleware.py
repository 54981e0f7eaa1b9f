"""A content security policy for every page: nothing from anywhere else, nothing inline."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

CSP = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

Handler = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def security_policy(get_response: Handler) -> Handler:
    """Add the policy to the answer, under WSGI and ASGI."""
    if iscoroutinefunction(get_response):

        async def respond_async(request: HttpRequest) -> HttpResponseBase:
            return _protected(await get_response(request))

        return respond_async

    def respond(request: HttpRequest) -> HttpResponseBase:
        return _protected(get_response(request))  # type: ignore[arg-type]  # not a coroutine function, as asked above

    return respond


def _protected(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Content-Security-Policy"] = CSP
    return response
