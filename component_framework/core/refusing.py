"""What a refused call is answered with, and what it costs whoever sends many of them."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .component import Context
from .effects import ELEMENT_ID, safe_address
from .errors import Conflict, RequestError, StateInvalid, TooMany, Unauthenticated, Unavailable
from .event_stream import log_refusal
from .host import Offload
from .lazy import excuse, is_lazy
from .lifecycle import frames, give_way, last
from .request import public_params
from .spec import spec_of
from .state import Overtaken
from .wire import Call, Frame, Reply, refusal

if TYPE_CHECKING:
    from .engine import Engine

logger = logging.getLogger("component_framework")


async def refuse(engine: Engine, call: Call, error: RequestError, offload: Offload | None) -> Reply:
    """The reply to a call that is refused, with a fresh render where one helps."""
    error = await weigh(engine, error, call.context)
    if isinstance(error, Unauthenticated):
        error.login_url = safe_address(error.login_url) or engine.login_url
    fresh = await _fresh(engine, call, error, offload) if error.resets else None
    if is_lazy(call) and error.status >= 500:
        return excuse(engine, call, error, log_refusal(call, error))
    return refusal(error, log_refusal(call, error), call.envelope, fresh)


async def weigh(engine: Engine, error: RequestError, context: Context) -> RequestError:
    """`error`, or TooMany for an address that sends many tokens that are not good."""
    if not isinstance(error, StateInvalid) or engine.rate_limiter is None:
        return error
    with suppress(Unavailable):  # what counts is away: the token is refused all the same
        wait = await engine.rate_limiter.hit(engine.limits.failed_tokens, "token", context.address)
        if wait:
            return TooMany("too many tokens that are not good", retry_after=max(1, round(wait)))
    return error


async def _fresh(engine: Engine, call: Call, error: RequestError, offload: Offload | None) -> Frame | None:
    """The component as it is in the store, or as a first contact would show it; None where that fails, too."""
    try:
        if isinstance(error, Conflict):
            as_it_is = replace(call, event=None, event_id=None)
            with suppress(RequestError):  # then its newest state is not to be had: it begins anew
                for attempt in range(engine.limits.attempts):
                    with suppress(Overtaken):
                        await give_way(attempt)
                        return await last(await engine.frames(as_it_is, offload, counted=True))
        cls = engine.registry.find(call.component)
        if call.state is not None:
            component = engine.home(cls).rebuild(call, cls)
        else:
            component = cls(**public_params(spec_of(cls), call.params))
            component.id = call.component_id if ELEMENT_ID.fullmatch(call.component_id or "") else None
        component.context = call.context
        return await last(frames(component, None, {}, None, host=engine, offload=offload, admitted=True))
    except RequestError:
        return None
    except Exception:  # only a courtesy: the client still hears the refusal itself
        logger.warning("no fresh render of %r after a refusal", call.component, exc_info=True)
        return None
