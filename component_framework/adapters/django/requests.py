"""From a Django request to what the engine understands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest as DjangoRequest
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException, UnreadablePostError
from django.middleware.csrf import CsrfViewMiddleware, get_token
from msgspec.structs import replace

from ...core.component import Context
from ...core.engine import Engine
from ...core.errors import Forbidden, Invalid, Malformed, RequestError, TooLarge, Unauthenticated
from ...core.fitting import UNKNOWN, Form
from ...core.intake import intake_for
from ...core.request import READ_HEADERS, HttpRequest
from .conf import login_is_required
from .files import read_form


class CsrfCheck(CsrfViewMiddleware):
    """Django's own check; it raises where the middleware would answer with a page."""

    def _reject(self, request: DjangoRequest, reason: str) -> Any:
        raise Forbidden(f"CSRF: {reason}")

    def _check_token(self, request: Any) -> None:
        """With the token in a header, as on pages of ours, the form is left to the engine: Django would parse it too."""
        if settings.CSRF_HEADER_NAME in request.META:
            session = getattr(request, "session", None)
            request = SimpleNamespace(method="", META=request.META, COOKIES=request.COOKIES, session=session)
        super()._check_token(request)  # type: ignore[misc]  # unknown to django-stubs


_WITHOUT_PREFIX = ("content-type", "content-length")
_META = [
    (name, f"{'' if name in _WITHOUT_PREFIX else 'HTTP_'}{name.upper().replace('-', '_')}") for name in READ_HEADERS
]


def _never(request: DjangoRequest) -> HttpResponse:
    return HttpResponse()  # the check wants a view, and calls none


_KNOWN = "_component_context"


def page_context(engine: Engine, request: DjangoRequest) -> Context:
    """Who is asking for a page, with the CSRF header that its events have to carry; found out once per page."""
    known: tuple[Engine, Context] | None = getattr(request, _KNOWN, None)
    if known is not None and known[0] is engine and known[1].user is getattr(request, "user", None):
        return known[1]
    name = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")
    context = request_context(engine, request).with_headers(((name, get_token(request)),))
    context = replace(context, pushes=hasattr(request, "scope"))  # under WSGI a connection would hold a worker
    setattr(request, _KNOWN, (engine, context))
    return context


def read_request(engine: Engine, request: DjangoRequest, name: str, *, stream: bool) -> HttpRequest:
    """`request` for the engine; a refusal (too large, CSRF) is in it, for the engine to answer as on every framework."""
    trouble: RequestError | None = None
    body, form = b"", None
    context = request_context(engine, request)
    head = HttpRequest(
        component=name,
        headers=read_headers(request.META),
        query=request.META.get("QUERY_STRING", ""),
        stream=stream,
        context=context,
    )
    try:
        if intake := intake_for(engine, head):
            _require_login(context)
            _check_csrf(request)
            form = read_form(request, intake)
        else:
            try:
                body = _read_body(request, engine.limits.body)
            except RawPostDataException:
                if request.content_type != "multipart/form-data":
                    raise
                form = _parsed_form(request)
            _check_csrf(request)
            _require_login(context)
    except RequestError as exc:
        trouble = exc
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as exc:
        trouble = TooLarge(str(exc))
    except (BadRequest, UnreadablePostError, MultiPartParserError) as exc:
        trouble = Malformed(f"the body could not be read: {exc}")
    return replace(head, body=body, form=form, refused=trouble)


def _require_login(context: Context) -> None:
    if context.is_anonymous and login_is_required():
        raise Unauthenticated("the site's LoginRequiredMiddleware wants a login")


def _check_csrf(request: DjangoRequest) -> None:
    check = CsrfCheck(_never)  # it remembers settings, so each request has its own
    if "CSRF_COOKIE" not in request.META:  # else the middleware has read it
        check.process_request(request)
    check.process_view(request, _never, (), {})


def read_headers(meta: dict[str, Any]) -> dict[str, str]:
    headers = {name: meta[key] for name, key in _META if key in meta}
    if settings.USE_X_FORWARDED_HOST and "HTTP_X_FORWARDED_HOST" in meta:
        headers["host"] = meta["HTTP_X_FORWARDED_HOST"]  # the name under which the browser knows this site
    return headers


def _read_body(request: DjangoRequest, limit: int) -> bytes:
    """The body, read before Django parses it, so that Django parses what was read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length and not length.isdecimal():
        raise Malformed(f"the body's length is {length[:20]!r}")
    if length and int(length) > limit:
        raise TooLarge(f"the body has {length[:20]} bytes")
    if not length and "wsgi.input" in request.META and "HTTP_TRANSFER_ENCODING" in request.META:
        raise Malformed("the body comes in chunks, which Django takes for none under WSGI")
    if not length and not hasattr(request, "_body"):
        # sent in chunks: `body` would read on to the end of whatever was uploaded
        request._body = request.read(limit + 1)
    if length and len(request.body) < int(length):
        raise Malformed("the body ended before it was complete")  # under WSGI, a client that left looks like its end
    return request.body


def _parsed_form(request: DjangoRequest) -> Form:
    """The fields of a multipart form that a middleware has had Django parse; its body is gone."""
    if request.FILES:
        raise Invalid({name: [UNKNOWN] for name in request.FILES})
    return Form({name: [str(value) for value in values] for name, values in request.POST.lists()})


def request_context(engine: Engine, request: DjangoRequest) -> Context:
    session = getattr(request, "session", None)
    return engine.context(
        user=_user(request),
        session=session,
        request=request,
        root_path=request.META.get("SCRIPT_NAME", ""),
        address=request.META.get("REMOTE_ADDR", ""),
        forwarded=request.META.get("HTTP_X_FORWARDED_FOR", ""),
    )


def _user(request: DjangoRequest) -> Any:
    """The user, loaded here, where the database may be asked; without a session cookie Django does not ask it."""
    user = getattr(request, "user", None)
    getattr(user, "is_authenticated", None)
    return user
