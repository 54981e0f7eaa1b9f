"""Every exception the framework raises.

    ComponentError
    ├── ConfigurationError               the developer's mistake, with the fix in the message
    │   ├── BindingError                 a template binds an event or argument that the class does not have
    │   ├── UnsafeEffect                 a handler asks for an effect that the browser must not see; answered 422
    │   └── StateError                   the state does not fit its annotations, or is too large to leave the server
    ├── SessionClosed                    a browser tab is gone, and will not answer
    ├── BrowserError                     a page could not do what it was asked to
    ├── PayloadError                     a value that cannot cross the wire as JSON, with its path
    └── RequestError                     the client's mistake or a passing fault: answered with `.status` and `.code`
        ├── Malformed           400
        ├── StateInvalid        400      ├── Unauthenticated  401      ├── Forbidden  403
        ├── NotFound            404      ├── StateRequired    409      ├── StateExpired, StateOutdated, Conflict  409
        ├── TooLarge            413      ├── Unsupported      415      ├── Invalid    422, EditConflict  409
        ├── TooMany             429      ├── Unavailable      503      ├── Timeout    504
        └── Failed              500      stands for what is not a RequestError

Anything else that a component raises is a bug: it is logged once, with an id, and answered 500 `failed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar


class ComponentError(Exception):
    """Base class of everything below."""


class ConfigurationError(ComponentError):
    """The components are declared or wired wrongly; never shown to a visitor."""


class BindingError(ConfigurationError, ValueError):
    """A template binds something that the component class does not have."""


class StateError(ConfigurationError):
    """The state of a component cannot leave the server as it is."""


class PayloadError(ComponentError, ValueError):
    """A value is not JSON; `path` says where, `$` being the value itself."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path


class SessionClosed(ComponentError):
    """The browser tab is gone: it will not answer any more."""


class BrowserError(ComponentError):
    """A function in the page raised, is not there, or gave what was not asked for; `code` says which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class RequestError(ComponentError):
    """The request is refused: nothing was executed (4xx), or the outcome is unknown (503, 504).

    `status` is the HTTP status and `code` the machine-readable reason, the same on every transport (WIRE.md).
    The message is for the log; the visitor reads `public`.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "malformed"
    public: ClassVar[str] = "The request could not be understood."
    resets: ClassVar[bool] = False
    """True: the answer carries a fresh render of the component, to be swapped in."""

    def headers(self) -> dict[str, str]:
        """Headers that this refusal adds to the answer."""
        return {}


class Malformed(RequestError):
    """The body is not what its content type says."""


class StateInvalid(RequestError):
    """The token was not signed by this application for this component and user."""

    code = "state_invalid"
    public = "This page is not valid any more. Reload it and try again."


class Unauthenticated(RequestError):
    """Nobody is logged in; `login_url` is offered to the browser when there is one."""

    status = 401
    code = "unauthenticated"
    public = "Please log in."

    def __init__(self, message: str = "", *, login_url: str | None = None) -> None:
        super().__init__(message or self.public)
        self.login_url = login_url

    def headers(self) -> dict[str, str]:
        return {"HX-Redirect": self.login_url} if self.login_url else {}


class Forbidden(RequestError):
    """The component, the engine or the origin check refused this request."""

    status = 403
    code = "forbidden"
    public = "You are not allowed to do this."


class NotFound(RequestError):
    """No such component, or no such event: the answer does not tell which."""

    status = 404
    code = "unknown"
    public = "There is no such component or event."


class StateRequired(RequestError):
    """A component instance was named, but its state did not come along."""

    status = 409
    code = "state_required"
    public = "The page had lost its state and was reset. Nothing was changed."
    resets = True


class StateExpired(RequestError):
    """The token is older than the engine accepts."""

    status = 409
    code = "state_expired"
    public = "This page had been open for too long and was reset. Nothing was changed."
    resets = True


class StateOutdated(RequestError):
    """The token was written by another version of the component class, and no `migrate()` took it over."""

    status = 409
    code = "state_outdated"
    public = "The application was updated and this part was reset. Nothing was changed."
    resets = True


class Conflict(RequestError):
    """Somebody else changed the same thing first."""

    status = 409
    code = "conflict"
    public = "This was changed by somebody else in the meantime. Nothing was changed."
    resets = True


class TooLarge(RequestError):
    """The body, the state, the nesting or the number of fields is over its limit."""

    status = 413
    code = "too_large"
    public = "That is too large."


class Unsupported(RequestError):
    """The content type is none of those that components accept."""

    status = 415
    code = "unsupported"
    public = "This content type is not supported."


class Invalid(RequestError):
    """The payload does not fit; `errors` maps each field to its messages, "" being the form as a whole."""

    status = 422
    code = "invalid"
    public = "Some values are not valid."

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("; ".join(f"{name or 'form'}: {' '.join(texts)}" for name, texts in errors.items()))
        self.errors = {name: list(texts) for name, texts in errors.items()}


class EditConflict(Invalid, Conflict):
    """A visitor changed what somebody else had changed first; `errors` has what it became, by field."""

    status = 409
    code = "conflict"
    public = "This was changed by somebody else in the meantime. Nothing was saved: look at both, and save again."


class UnsafeEffect(ConfigurationError, RequestError):
    """A handler asks for an address or a target that must not reach the browser; most likely a visitor chose it."""

    status = 422
    code = "invalid"
    public = "This is not allowed."


class TooMany(RequestError):
    """A rate limit was reached; `retry_after` is in seconds."""

    status = 429
    code = "too_many"
    public = "That was too often. Wait a moment and try again."

    def __init__(self, message: str = "", *, retry_after: int = 1) -> None:
        super().__init__(message or self.public)
        self.retry_after = retry_after

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class Unavailable(TooMany):
    """A backend that this component needs cannot be reached in time."""

    status = 503
    code = "unavailable"
    public = "This is not available right now. Try again in a moment."


class Timeout(RequestError):
    """The handler passed its time limit and was cancelled; its state was not saved."""

    status = 504
    code = "timeout"
    public = "This took too long and was stopped."


class Failed(RequestError):
    """A component, a template or a backend raised: the visitor reads an id, the log has the rest under it."""

    status = 500
    code = "failed"
    public = "Something went wrong. Nothing was changed."


def nearest(name: str, known: Iterable[str]) -> str:
    """The part of a message that helps with a misspelt name: the nearest one, or all of them."""
    import difflib  # only whoever misspells something pays for it

    names = sorted(known)
    close = difflib.get_close_matches(name[:64], names, n=1)  # a visitor's name may have a million letters
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there is {', '.join(names)}" if names else "there is none"


def unmountable(name: str, error: Invalid, known: Iterable[str]) -> BindingError:
    """What is wrong with the params that a template gives to the component `name`, for the developer."""
    names = list(known)
    strange = sorted(error.errors.keys() - names)
    hint = f" ({nearest(strange[0], names)})" if strange else ""
    return BindingError(f"{name!r} cannot be mounted: {error}{hint}")
