"""From a Django request to what the engine understands."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest as DjangoRequest
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.middleware.csrf import CsrfViewMiddleware, get_token

from ...core.component import Context
from ...core.engine import Engine
from ...core.errors import Forbidden, Malformed, RequestError, TooLarge
from ...core.request import READ_HEADERS, HttpRequest


class CsrfCheck(CsrfViewMiddleware):
    """Django's own check; it raises where the middleware would answer with a page."""

    def _reject(self, request: DjangoRequest, reason: str) -> Any:
        raise Forbidden(f"CSRF: {reason}")


_META = [
    (name, f"HTTP_{name.upper().replace('-', '_')}".replace("HTTP_CONTENT_TYPE", "CONTENT_TYPE"))
    for name in READ_HEADERS
]


def _never(request: DjangoRequest) -> HttpResponse:
    return HttpResponse()  # the check wants a view, and calls none


_csrf = CsrfCheck(_never)


def page_context(engine: Engine, request: DjangoRequest) -> Context:
    """Who is asking for a page, with the CSRF header that its events have to carry."""
    context = _context(engine, request)
    name = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")
    return context.with_headers(((name, get_token(request)),))


def read_request(engine: Engine, request: DjangoRequest, name: str, *, stream: bool) -> HttpRequest:
    """`request` for the engine; a refusal (too large, CSRF) is in it, for the engine to answer as on every framework."""
    trouble: RequestError | None = None
    body = b""
    try:
        body = _read_body(request, engine.limits.body)
        if "CSRF_COOKIE" not in request.META:  # else the middleware has read it
            _csrf.process_request(request)
        _csrf.process_view(request, _never, (), {})
    except RequestError as exc:
        trouble = exc
    except (RequestDataTooBig, TooManyFieldsSent) as exc:
        trouble = TooLarge(str(exc))
    except (UnreadablePostError, MultiPartParserError) as exc:
        trouble = Malformed(f"the body could not be read: {exc}")
    return HttpRequest(
        component=name,
        headers={name: request.META[key] for name, key in _META if key in request.META},
        query=request.META.get("QUERY_STRING", ""),
        body=body,
        stream=stream,
        context=_context(engine, request),
        refused=trouble,
    )


def _read_body(request: DjangoRequest, limit: int) -> bytes:
    """The body, read before Django parses it, so that Django parses what was read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"the body has {length} bytes")
    return request.body


def _context(engine: Engine, request: DjangoRequest) -> Context:
    session = getattr(request, "session", None)
    return engine.context(
        user=_user(request, session),
        session=session,
        request=request,
        root_path=request.META.get("SCRIPT_NAME", ""),
        address=request.META.get("REMOTE_ADDR", ""),
        forwarded=request.META.get("HTTP_X_FORWARDED_FOR", ""),
    )


def _user(request: DjangoRequest, session: Any) -> Any:
    """The user; for a visitor with no session cookie that is known to be nobody, without asking the database."""
    user = getattr(request, "user", None)
    if user is None or session is None:
        return user
    if settings.SESSION_COOKIE_NAME in request.COOKIES and session.get(SESSION_KEY) is not None:
        user.is_authenticated  # noqa: B018  # loads the lazy user here, where the database may be asked
    return user
