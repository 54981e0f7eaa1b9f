"""The base class that users subclass."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping, MutableMapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from .bound import accept
from .effects import Effect, emit, navigate, update
from .spec import Handler, Spec, spec_of

if TYPE_CHECKING:
    from .gate import Permission
    from .host import Host
    from .outcomes import Work
    from .payloads import Fit
    from .rendering import Renderer, TemplateFunctions
    from .result import Result


class Context(msgspec.Struct, frozen=True):
    """Who is asking: filled by the adapter, read by components.

    `request` is the framework's own request object; `root_path` the prefix that a proxy or a mount took off the path.
    """

    user: Any = None
    session: Any = None
    request: Any = None
    root_path: str = ""
    address: str = ""
    """The visitor's network address, as far as it can be trusted."""
    identity: str = ""
    """What binds tokens to the visitor (the session's hash, say); "" binds to nobody."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that the page has to send with every event, such as Django's CSRF token."""

    def with_headers(self, headers: tuple[tuple[str, str], ...]) -> Context:
        """The same visitor, for a page whose events carry `headers`."""
        return msgspec.structs.replace(self, headers=headers)

    pushes: bool = True
    """Whether the server can keep a connection open for each page."""
    live: Any = None
    """The Session of the tab, where the event came down its connection."""

    live_token: str = ""
    """What a page connects with whose session is there before it."""

    def with_live(self, session: Any, token: str = "") -> Context:
        """The same visitor, at the tab of `session`."""
        return msgspec.structs.replace(self, live=session, live_token=token)

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is logged in: no user, or one that says so (`is_authenticated`, as Django and Starlette do)."""
        return self.user is None or not getattr(self.user, "is_authenticated", True)


NOBODY = Context()
NOTHING: Mapping[str, Any] = MappingProxyType({})


class State(MutableMapping[str, Any]):
    """`self.state`: the declared fields under their names, and free JSON under any other."""

    __slots__ = ("_component", "_hidden")

    def __init__(self, component: Component, hidden: frozenset[str] = frozenset()) -> None:
        self._component = component
        self._hidden = hidden

    def __getitem__(self, key: str) -> Any:
        return self._home(key)[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._home(key)[key] = value

    def __delitem__(self, key: str) -> None:
        del self._home(key)[key]

    def __iter__(self) -> Iterator[str]:
        fields = self._component._compiled.fields
        yield from (name for name in fields if name in vars(self._component) and name not in self._hidden)
        yield from self._component._free

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        secret = self._component._compiled.secret
        return repr({name: "…" if name in secret else value for name, value in self.items()})

    def _home(self, key: str) -> dict[str, Any]:
        component = self._component
        if key in self._hidden:
            raise KeyError(f"{key} is server-only: a template that has to show it says component.{key}")
        return vars(component) if key in component._compiled.state.names else component._free


class Errors(dict[str, Any]):
    """Messages by field; a field with none has an empty list, so that a template may ask for any."""

    def __missing__(self, key: str) -> list[str]:
        if hasattr(dict, key):
            raise KeyError(key)  # `errors.items` in a Django template means the method
        return []


class Component:
    """A part of a page whose state and event handlers live on the server.

    Annotated attributes are its state, `on_<event>` methods change it, a template shows it.

        @register("counter")
        class Counter(Component):
            template_name = "counter.html"
            count: int = 0

            def on_increment(self, by: int = 1) -> None:
                self.count += by
    """

    __slots__ = (
        "__dict__", "_children", "_compiled", "_effects", "_event_id", "_free", "_functions", "_host", "_live", "_recent", "_record",
        "_skip", "_token", "_used", "_version", "_works", "context", "errors", "id", "params",
    )  # fmt: skip  # what is left in __dict__ is the user's own: the state fields and what a handler keeps for its template

    template_name: ClassVar[str | None] = None
    """The template, as the renderer knows it."""
    template: ClassVar[str | None] = None
    """The template itself, written into the class; used instead of `template_name`."""
    renderer: ClassVar[Renderer | None] = None
    """This class's own renderer; the engine's serves where there is none."""
    public_params: ClassVar[tuple[str, ...]] = ()
    """The params of `mount()` that a visitor may choose; all others come only from a page that the server rendered."""
    lives_in: ClassVar[Literal["token", "store"] | None] = None
    """Where the state of this class is kept between events; None leaves it to the engine."""
    replay: ClassVar[Literal["allow", "refuse"]] = "allow"
    """"refuse" lets only the newest token of a component in; for state in tokens, and needs the engine's store."""
    permissions: ClassVar[Sequence[Permission]] = ()
    """What a visitor needs to see this component at all and to send it events; see `gate.Permission`."""
    refused_template: ClassVar[str | None] = None
    """The template that a page shows in place of this component to visitors who may not see it."""
    placeholder_template: ClassVar[str | None] = None
    """What stands for this component where it is mounted with `lazy=True`, until it has loaded."""
    rate_limit: ClassVar[str | None] = None
    """How often one visitor may send events to this class: "60/minute"."""
    topics: ClassVar[Sequence[str]] = ()
    """What this component shows: it is rendered anew when one of these topics is published, such as "order:{pk}"."""
    shared: ClassVar[bool] = False
    """True promises that its markup depends on its params alone: rendered once per publish, for everybody who sees it."""
    blocking: ClassVar[bool] = True
    """False promises that sync methods never wait, so that they may run on the event loop without a worker thread."""

    _spec: ClassVar[Spec]

    id: str | None
    params: dict[str, Any]
    errors: dict[str, list[str]]
    context: Context

    def __init__(self, **params: Any) -> None:
        self._compiled = spec_of(type(self))
        self.id = params.pop("component_id", None)
        self.params = params
        self.errors = {}
        self.context = NOBODY
        self._free: dict[str, Any] = {}
        self._effects: list[Effect] = []
        self._host: Host | None = None
        self._version = 0
        self._token: str | None = None
        self._record = ""
        self._live: tuple[str, str] | None = None
        self._event_id: str | None = None
        self._skip = False
        self._works: Sequence[Work] = ()
        self._recent: Mapping[str, Any] = NOTHING
        self._children: dict[str, str] = {}
        self._functions: TemplateFunctions | None = None
        self._used = False
        self.__dict__.update(self._compiled.state.defaults())

    # -- override these --------------------------------------------------------------------------------------------

    def mount(self, *args: Any, **kwargs: Any) -> Any:
        """Fill the state at the first contact. May be async.

        Write the parameters that a page gives, with their types: `def mount(self, pk: int) -> None`.
        """

    def hydrate(self, state: dict[str, Any]) -> Any:
        """Take over the state of an earlier contact: the typed values of the declared fields and the free keys."""
        self.state.update(state)

    def authorize(self, event: str | None) -> Any:
        """Say whether the visitor may do this: None is the first render. False, or raising Forbidden, refuses."""
        return True

    def handle_event(self, event: str, payload: Mapping[str, Any]) -> Any:
        """Call the handler of `event`, and return what it returns (an awaitable or a generator, too)."""
        return self._compiled.handlers[event].call(self, **payload)

    def get_context(self) -> Any:
        """The variables of the template, a dict: every state field, `state`, `errors` and `component`. May be async."""
        fields, hidden = self._fields(), self._compiled.secret
        if hidden:
            fields = {name: value for name, value in fields.items() if name not in hidden}
        return {**self._free, **fields, "state": State(self, hidden), "errors": Errors(self.errors), "component": self}

    def render(self) -> Any:
        """The component's markup: one root element. May be async."""
        from .rendering import render_template

        return render_template(self, self.get_context())

    def dehydrate(self) -> dict[str, Any]:
        """What to remember until the next event: the declared fields and the free keys."""
        return {**self._fields(), **self._free}

    def unit_of_work(self) -> Any:
        """A context manager (sync or async) around a handler, its rendering and the saving of its state, or None.

        An exception rolls all of it back. Django: `return transaction.atomic()`.
        """
        return None

    def catch_up(self) -> Any:
        """Bring the state up to date before a rendering that no event asked for: a topic was published. May be async.

        Only what the state holds of a database needs it; what `get_context()` reads is new anyhow.
        """

    def get_topics(self) -> Sequence[str]:
        """The topics that this component subscribes to: `topics`, with its params and its state filled in."""
        from .topics import fill

        values = {**self.params, **self._fields()}
        return [fill(topic, values) for topic in self.topics]

    @classmethod
    def migrate(cls, state: dict[str, Any], schema: str) -> dict[str, Any] | None:
        """Take over a `state` that an older version of this class wrote (plain JSON); None refuses it."""
        return None

    # -- use these in a handler ------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The state as a mapping: the same storage as the declared fields."""
        return State(self)

    @property
    def request(self) -> Any:
        """The framework's request behind this event; None outside of one."""
        return self.context.request

    @property
    def engine(self) -> Any:
        """The Engine that serves this component, to publish with; None where no engine knows it."""
        return self._host if hasattr(self._host, "publish") else None

    @property
    def user(self) -> Any:
        """Who is asking; None where the framework knows nobody."""
        return self.context.user

    def emit(self, name: str, /, **detail: Any) -> None:
        """Dispatch the DOM event `name` on this component's root element; it bubbles, so a parent may listen to it."""
        self._effects.append(emit(name, detail))

    def push_url(self, url: str) -> None:
        """Show `url` (a path of this site) in the address bar, as a new entry of the history."""
        self._effects.append(navigate("push", url, external=False))

    def replace_url(self, url: str) -> None:
        """Show `url` (a path of this site) in the address bar, in place of the present entry."""
        self._effects.append(navigate("replace", url, external=False))

    def redirect(self, url: str, *, external: bool = False) -> None:
        """Leave for `url`; an address of another site needs `external=True`."""
        self._effects.append(navigate("redirect", url, external=external))

    def skip_render(self) -> None:
        """Answer this event with its effects alone (204): nothing is swapped. The state must be as it was."""
        self._skip = True

    def start(self, coroutine: Coroutine[Any, Any, Any], /, *, done: str, failed: str) -> None:
        """Run `coroutine` once this event has succeeded, and do not wait for it; it is cancelled when this component leaves.

        What it gives comes as the event `done`, a text for the visitor about its failure as the event `failed`: both are
        `on_…` methods marked with `@outcome`. Needs ASGI, and a page with our scripts.
        """
        from .outcomes import start

        self._works = [*self._works, start(self, coroutine, done, failed)]

    def update(self, component: str, /, *, target: str, **params: Any) -> None:
        """Mount `component` anew with `params` in place of the element with the id `target`, in the same answer."""
        self._effects.append(update(component, target, params))

    # -- use these in a test, a script, a command ------------------------------------------------------------------

    def dispatch(
        self, event: str | None = None, payload: Mapping[str, Any] | None = None, state: Mapping[str, Any] | None = None
    ) -> Result:
        """Run the lifecycle in this thread, with no HTTP and no event loop.

        `state` None mounts; any mapping, an empty one too, hydrates. Returns a mapping with `html`, `state` (typed
        values), `component_id`, `errors` and `effects`. Raises what the handler raises, Invalid for a payload that
        does not fit, and ConfigurationError when a method really has to wait for something asynchronous.
        """
        from .lifecycle import dispatch, run_sync

        return run_sync(dispatch(self, event, payload, state))

    async def async_dispatch(
        self, event: str | None = None, payload: Mapping[str, Any] | None = None, state: Mapping[str, Any] | None = None
    ) -> Result:
        """`dispatch()` on the running event loop; sync and async handlers alike."""
        from .lifecycle import dispatch

        return await dispatch(self, event, payload, state)

    # -- the framework's own ---------------------------------------------------------------------------------------

    def _accept(self, handler: Handler, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments of `handler` in `payload`; raises Invalid, and the handler does not run."""
        return accept(self, handler, payload) if self._compiled.bound.names else self._payload(handler).fit(payload)

    def _payload(self, handler: Handler) -> Fit:
        """What the payload of `handler` is fitted to, in this event."""
        return handler.shape

    def _show_refusal(self, handler: Handler, errors: dict[str, list[str]]) -> None:
        """Show what was wrong; the state is as it was before the event."""
        self.errors = errors

    def _fields(self) -> dict[str, Any]:
        values = self.__dict__
        return {name: values[name] for name in self._compiled.fields if name in values}

    def _forget(self, *, anew: bool) -> None:
        """Leave behind what an earlier dispatch() of this object did; its state as well, if it is mounted `anew`."""
        self.errors, self._effects, self._skip, self._works = {}, [], False, ()
        if anew and self._used:
            self._free, self._children, self._version, self._record, self._recent = {}, {}, 0, "", NOTHING
            for name in self._compiled.fields:
                self.__dict__.pop(name, None)  # one without a default is missing until mount() fills it
            self.__dict__.update(self._compiled.state.defaults())
        self._used = True

    def _remembered(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What `dehydrate()` gives: the declared fields, typed, and the free keys."""
        if "dehydrate" in self._compiled.overrides:
            return self._compiled.convert(self.dehydrate())
        return self._fields(), self._free


class StreamingComponent(Component):
    """A component whose answers are streamed: every `yield` of a handler shows what has come so far."""
