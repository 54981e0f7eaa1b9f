"""The composition root: from a request to a reply, for every adapter alike."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from . import assets
from .address import client_address, networks
from .component import NOBODY, Component, Context
from .effects import Effect, navigate
from .errors import (
    Failed,
    Forbidden,
    Invalid,
    NotFound,
    RequestError,
    StateRequired,
    Unauthenticated,
    nearest,
    unmountable,
)
from .event_stream import EventStream, log_failure
from .gate import RateLimiter, asks_around, count, rates_of, require_permissions
from .host import Offload
from .lazy import excuse, is_lazy, opened, placeholder
from .lifecycle import Restored, frames, give_way, last, run_sync
from .limits import Limits
from .marked import Markup
from .origin import require_same_origin
from .pages import Pages
from .pieces import Pieces
from .providing import Provider, Providers
from .realtime import Realtime
from .refusing import refuse
from .registry import Registry
from .registry import registry as default_registry
from .rendering import Renderer
from .request import HttpRequest, public_params, read_call
from .secret import Cipher
from .signing import TokenSigner, keys_of
from .spec import Spec, spec_of
from .state import Home, Overtaken, Place, TokenState, home_of
from .store import StateStore
from .uploads import Budget, settled
from .wire import Call, Frame, Reply, refusal, reply, require_room, stream_headers
from .wiring import require_wiring

if TYPE_CHECKING:
    from .broker import Broker

logger = logging.getLogger("component_framework")


class Engine(Pages, Realtime):
    """Everything that components need to be served, built once per application and passed explicitly.

    `secret_key` signs tokens; a list rotates keys, the first of them signing. Without one the engine refuses to start,
    but for `debug=True`, which makes a random key and inspects every rendering for template mistakes. `identify` gives
    the text that binds tokens to a visitor; `authorize` is asked after each component's own `authorize()`;
    `login_url` is where visitors that are not logged in are sent; `trusted_origins` are other sites
    ("https://example.org", "https://*.example.org") whose pages may send events. `clock` gives seconds, `new_id` an element id.
    """

    def __init__(
        self,
        *,
        renderer: Renderer,
        secret_key: str | bytes | Sequence[str | bytes] = (),
        registry: Registry = default_registry,
        url: str = "/components",
        static_url: str | None = None,
        limits: Limits | None = None,
        debug: bool = False,
        identify: Callable[[Context], str | None] | None = None,
        authorize: Callable[[Component, str | None], Any] | None = None,
        has_permission: Callable[[Context, str], bool] | None = None,
        rate_limiter: RateLimiter | None = None,
        login_url: str | None = None,
        trusted_origins: Collection[str] = (),
        trusted_proxies: Collection[str] = (),
        store: StateStore | None = None,
        state: Place = "token",
        cipher: Cipher | None = None,
        broker: Broker | None = None,
        socket: bool = False,
        providers: Mapping[Any, Provider] | None = None,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        require_wiring(renderer, store, state, trusted_origins)
        super().__init__(broker)
        self.renderer: Renderer | None = renderer
        self.registry = registry
        self.url = url.rstrip("/")
        self.static_url = static_url
        self.limits = limits or Limits()
        self.uploads = Budget(self.limits.uploads)
        self.debug = debug
        self.authorize = authorize
        self.has_permission = has_permission
        self.rate_limiter = rate_limiter
        self.time_limit = self.limits.handler
        self.unit: Callable[[], Any] | None = None
        self.login_url = navigate("redirect", login_url, external=True).url if login_url else None
        self.trusted_origins = frozenset(trusted_origins)
        self.providers = Providers(providers)
        self._identify = identify
        self._new_id = new_id or (lambda: f"c-{secrets.token_hex(8)}")
        self._proxies = networks(trusted_proxies) if trusted_proxies else ()
        self.clock = clock
        self.socket = socket
        self.signer = TokenSigner(keys_of(secret_key, debug), self.limits)
        self.pieces = Pieces(self.signer, self.limits, clock)
        self._page = TokenState(self.signer, self.limits, clock, cipher)
        self._store = store
        self._place: Place = state
        self._homes: dict[type[Component], Home] = {}
        assets.load()
        self._inspected: set[type[Component]] = set()

    # -- for adapters ----------------------------------------------------------------------------------------------

    def context(
        self,
        *,
        user: Any = None,
        session: Any = None,
        request: Any = None,
        root_path: str = "",
        address: str = "",
        forwarded: str = "",
    ) -> Context:
        """Who is asking, with the identity that tokens are bound to.

        `address` is the peer's, `forwarded` the X-Forwarded-For header, believed as far as `trusted_proxies` go.
        """
        if forwarded and self._proxies:
            address = client_address(address, forwarded, self._proxies)
        context = Context(user, session, request, root_path.rstrip("/"), address)
        identity = self._identify(context) if self._identify is not None else None
        return replace(context, identity=identity) if identity else context

    def waits(self, name: str) -> bool:
        """Whether the component `name` has async methods, so that it needs an event loop."""
        cls = self.registry.lookup(name)
        return cls is not None and self._waits(cls)

    def _waits(self, cls: type[Component]) -> bool:
        spec = self._spec(cls)
        return spec.is_async or (spec.asks and self.providers.wait(spec))

    def streams(self, request: HttpRequest) -> bool:
        """Whether the answer to `request` may be a stream, for an adapter that has to make room for one."""
        if request.stream or "text/event-stream" not in request.headers.get("accept", ""):
            return request.stream
        try:
            return self._streams(read_call(request, self.limits))
        except RequestError:
            return False

    async def answer(self, request: HttpRequest, offload: Offload | None = None) -> Reply:
        """The reply to a POST. `offload` takes sync components off the event loop; None runs them where this runs."""
        if "x-component-upload" in request.headers:
            from .intake import answer_piece  # only where files come in pieces

            return await answer_piece(self, request, offload)
        cls = self.registry.lookup(request.component)
        if offload is None or cls is None or not cls.blocking or self._waits(cls):
            return await self._answer(request, offload)
        from .streaming import Steps, thread_context  # only where there is an event loop: it imports asyncio

        context = thread_context()
        answer: Reply = await offload(context.run, run_sync, self._answer(request, None))
        return answer if isinstance(answer.body, bytes) else replace(answer, body=Steps(answer.body, offload, context))

    def answer_sync(self, request: HttpRequest) -> Reply:
        """The reply to a POST, in this thread and with no event loop; for components that do not wait."""
        return run_sync(self.answer(request))

    async def handle(self, call: Call, offload: Offload | None = None) -> Reply:
        """The reply to a Call: one frame, or a stream of them. Never raises for what the client or a component did."""
        try:
            return await self._respond(call, offload)
        except RequestError as exc:
            return await refuse(self, call, exc, offload)
        except Exception as exc:  # a bug in a component, a template or a backend: answered 500, logged with its id
            error, error_id = Failed(), log_failure(call, exc)
            return (
                excuse(self, call, error, error_id) if is_lazy(call) else refusal(error, error_id, call.envelope, None)
            )

    async def frames(
        self, call: Call, offload: Offload | None = None, *, every: bool = False, counted: bool = False
    ) -> AsyncGenerator[Frame, None]:
        """The frames that answer `call`; raises RequestError for a refusal. The frames raise what the component raises.

        `counted` says that the rates have this call already: it begins again.
        """
        component, restored = await self.receive(call, offload, counted=counted)
        return frames(
            component, call.event, call.payload, restored, host=self, offload=offload, every=every, admitted=True
        )

    # -- for pages, scripts and tests ------------------------------------------------------------------------------

    def component(self, name: str, /, *, context: Context = NOBODY, **params: Any) -> Component:
        """A new instance of the component `name` that knows this engine; for `dispatch()`."""
        cls = self.registry.find(name)
        self._spec(cls)
        component = cls(**params)
        component.context = context
        component._host = self
        return component

    def mount(self, name: str, /, *, context: Context = NOBODY, **params: Any) -> Markup:
        """The markup of a component's first appearance on a page; raises what the component raises.

        ConfigurationError says so when the component has to wait: `await engine.async_mount(…)` then.
        """
        return run_sync(self.async_mount(name, context=context, **params))

    async def async_mount(self, name: str, /, *, context: Context = NOBODY, **params: Any) -> Markup:
        """`mount()` for components with async methods."""
        frame = await self.show_other(name, target=None, params=params, context=context, offload=None)
        return Markup(frame.html)

    def provide(self, key: Any, provider: Provider) -> AbstractContextManager[None]:
        """Let `provider` give every `key` (a type, or what `Depends` names) inside of a `with` block; for tests."""
        return self.providers.override(key, provider)

    def check(self) -> list[str]:
        """Mistakes that show with no request: missing templates, bindings of no event, parameters that nobody provides."""
        from .inspection import check_template

        specs = [self._spec(cls) for cls in self.registry.values()]
        templates = [text for spec in specs for text in check_template(spec, spec.cls.renderer or self.renderer)]
        return templates + [text for spec in specs for text in self.providers.missing(spec)]

    def describe(self) -> dict[str, dict[str, dict[str, str]]]:
        """For each component and each of its handlers: where it runs, and how it is triggered."""
        from .inspection import describe

        return {name: describe(spec_of(cls)) for name, cls in self.registry.items()}

    # -- the Host of the components --------------------------------------------------------------------------------

    def new_id(self, component: Component) -> str:
        return self._new_id()

    def inspect(self, component: Component, markup: str) -> None:
        cls = type(component)
        if self.debug or cls not in self._inspected:
            from .inspection import examine  # not with the package: its parser is slow to import

            self.providers.require(self._spec(cls))
            examine(markup, spec_of(cls), f"{component.context.root_path}{self.url}")
            self._inspected.add(cls)

    async def seal(self, component: Component, effects: Sequence[Effect]) -> str:
        require_room(effects, self.limits, component._compiled.title)
        return await self.home(type(component)).seal(component, effects)

    async def note(self, component: Component, effects: Sequence[Effect]) -> None:
        require_room(effects, self.limits, component._compiled.title)
        await self.home(type(component)).note(component, effects)

    def secret_params(self, name: str) -> frozenset[str]:
        cls = self.registry.get(name)
        return frozenset() if cls is None else self._spec(cls).secret_params

    async def show_other(
        self, name: str, *, target: str | None, params: Mapping[str, Any], context: Context, offload: Offload | None
    ) -> Frame:
        if params.get("lazy") is True:
            return placeholder(self, name, target, dict(params), context)
        component = self.component(name, context=context, **params)
        component.id = target or component.id
        try:
            return await last(frames(component, None, {}, None, host=self, offload=offload))
        except Invalid as exc:
            raise unmountable(name, exc, component._compiled.mount.names) from exc
        except (Forbidden, Unauthenticated):
            if component.refused_template is None:
                raise
            renderer = component.renderer or self.renderer
            assert renderer is not None  # an engine always has one
            said = str(renderer.render(component.refused_template, {"name": name}))
            return Frame(html=said, component_id=target or "")

    # -- from a call to a component --------------------------------------------------------------------------------

    async def _answer(self, request: HttpRequest, offload: Offload | None) -> Reply:
        try:
            if request.refused is not None:
                raise request.refused
            require_same_origin(request.headers, self.trusted_origins)
            call = read_call(request, self.limits)
        except RequestError as exc:
            call = Call(component=request.component, envelope=request.envelope, context=request.context)
            return await refuse(self, call, exc, offload)
        reply = await self.handle(call, offload)
        return reply if request.form is None else await settled(request.form, reply, offload)

    def home(self, cls: type[Component]) -> Home:
        home = self._homes.get(cls)
        if home is None:
            home = self._homes[cls] = home_of(cls, self._page, self._store, self._place)
        return home

    async def receive(
        self, call: Call, offload: Offload | None = None, *, counted: bool = True
    ) -> tuple[Component, Restored | None]:
        """The component of `call`, and what the lifecycle restores it from; raises RequestError."""
        cls = self.registry.lookup(call.component)
        if cls is None or call.event not in self._spec(cls).unguarded:
            cls = await self._let_in(call, offload, counted=counted)
        restored = None
        if is_lazy(call):
            component = opened(self, call, cls)
        elif call.state is not None:
            component, restored = await self.home(cls).recall(call, cls)
            component._token = call.state
        elif call.component_id is not None:
            raise StateRequired(f"{call.component} came with an id, but without its state")
        else:
            component = cls(**public_params(spec_of(cls), call.params))
        component.context = call.context
        return component, restored

    async def _let_in(self, call: Call, offload: Offload | None, *, counted: bool) -> type[Component]:
        """The class of a call that somebody has to be asked about, or that is counted; raises RequestError."""
        cls = self.registry.lookup(call.component)
        if offload is not None and cls is not None and cls.blocking and asks_around(spec_of(cls), call.event):
            await offload(self.class_of, call)
        else:
            cls = self.class_of(call)
        assert cls is not None  # class_of() would have raised
        spec = spec_of(cls)
        if not counted and (rates := rates_of(spec, call.event)):
            await count(self.rate_limiter, spec, rates, call.context)
        return cls

    def class_of(self, call: Call) -> type[Component]:
        """The class that `call` names; raises NotFound, for an event that it does not have as well.

        Permissions are asked for here: who has none learns nothing of parameters, tokens or events.
        """
        cls = self.registry.lookup(call.component)
        if cls is None:
            raise NotFound(f"there is no component {call.component!r}")
        spec, event, context = self._spec(cls), call.event, call.context
        if cls.permissions:
            require_permissions(cls.permissions, spec.title, event, context, self.has_permission)
        if event is None:
            return cls
        if (handler := spec.handlers.get(event)) is None:
            raise NotFound(f"{spec.title} has no event {event!r} ({nearest(event, spec.handlers)})")
        if handler.permissions:
            require_permissions(handler.permissions, spec.title, event, context, self.has_permission)
        return cls

    def _spec(self, cls: type[Component]) -> Spec:
        spec = spec_of(cls)
        self.providers.meet(spec)
        return spec

    def _streams(self, call: Call) -> bool:
        cls = self.registry.lookup(call.component)
        handler = spec_of(cls).handlers.get(call.event or "") if cls else None
        return handler is not None and handler.streams

    # -- from frames to a reply ------------------------------------------------------------------------------------

    async def _respond(self, call: Call, offload: Offload | None) -> Reply:
        """The reply to a call that is not refused; one that was overtaken begins again from the new state."""
        stream = call.stream or (call.accepts_stream and self._streams(call))
        for attempt in range(self.limits.attempts):
            try:
                if attempt:
                    await give_way(attempt)
                steps = await self.frames(call, offload, every=stream, counted=attempt > 0)
                return await self._stream(call, steps) if stream else reply(await last(steps), call.envelope)
            except Overtaken:
                if attempt + 1 == self.limits.attempts:
                    raise
        raise AssertionError("limits.attempts is at least 1")

    async def _stream(self, call: Call, steps: AsyncGenerator[Frame, None]) -> Reply:
        """A stream, once its first frame is there: until then a refusal still has its status."""
        first = await anext(steps)
        if first.last and first.status != 200:
            return reply(first, call.envelope)
        return Reply(200, stream_headers(), EventStream(call, first, steps))
