"""What a component on a page needs from the application around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .errors import ConfigurationError
from .limits import Limits
from .providing import NO_PROVIDERS

if TYPE_CHECKING:
    from .component import Component, Context
    from .effects import Effect
    from .providing import Providers
    from .rendering import Renderer
    from .wire import Frame

Offload = Callable[..., Awaitable[Any]]
"""`await offload(function, *args)` runs a sync function in a worker thread, context variables kept."""


class Host(Protocol):
    """The surroundings of a component: an Engine, or `Alone`."""

    @property
    def url(self) -> str:
        """The path under which components answer, without a slash at its end."""
        ...

    @property
    def renderer(self) -> Renderer | None:
        """What renders a class that names no renderer of its own."""
        ...

    @property
    def authorize(self) -> Callable[[Component, str | None], Any] | None:
        """The application's own say, asked after the component's; may be async."""
        ...

    @property
    def has_permission(self) -> Callable[[Context, str], bool] | None:
        """Whether a visitor has a named permission; None asks `user.has_perm`."""
        ...

    @property
    def limits(self) -> Limits:
        """How much of everything there may be."""
        ...

    @property
    def providers(self) -> Providers:
        """What gives handlers the values that they ask for by annotation."""
        ...

    @property
    def time_limit(self) -> float | None:
        """Seconds that a handler may take, or one step of a handler that yields; None: as long as it likes."""
        ...

    @property
    def unit(self) -> Callable[[], Any] | None:
        """The unit of work of a class that has none of its own; None where there is no such thing."""
        ...

    def inspect(self, component: Component, markup: str) -> None:
        """Look for mistakes of the template in `markup`; raises ConfigurationError."""
        ...

    async def seal(self, component: Component, effects: Sequence[Effect]) -> str | None:
        """Put the state away; the token that brings it back, or None where nothing can sign."""
        ...

    async def note(self, component: Component, effects: Sequence[Effect]) -> None:
        """Remember that an event was answered with `effects` alone, so that a retry of it is."""

    def new_id(self, component: Component) -> str:
        """An element id for a component that has none yet."""
        ...

    async def show_other(
        self, name: str, *, target: str | None, params: Mapping[str, Any], context: Context, offload: Offload | None
    ) -> Frame:
        """Mount another registered component, as the element `target`."""
        ...

    def secret_params(self, name: str) -> frozenset[str]:
        """The params of the component `name` that stay on the server."""
        ...

    def scripts(self, nonce: str | None, context: Context) -> str:
        """The tags that load htmx and the framework's script."""
        ...


class Alone:
    """The surroundings of a component that no engine knows: it handles events and shows itself, and nothing travels."""

    url = "/components"
    renderer: Renderer | None = None
    authorize = None
    has_permission = None
    limits = Limits()
    providers = NO_PROVIDERS
    time_limit = None
    unit = None

    def __init__(self) -> None:
        self.trouble: ConfigurationError | None = None
        """Why there is no markup, for whoever asks for it."""

    def inspect(self, component: Component, markup: str) -> None:
        from .inspection import examine

        examine(markup, component._compiled, self.url)

    async def seal(self, component: Component, effects: Sequence[Effect]) -> str | None:
        component._compiled.dump(*component._remembered())  # what would be refused on a page is no success in a test
        return None

    async def note(self, component: Component, effects: Sequence[Effect]) -> None:
        pass

    def new_id(self, component: Component) -> str:
        return component._compiled.name.replace(".", "-")

    async def show_other(
        self, name: str, *, target: str | None, params: Mapping[str, Any], context: Context, offload: Offload | None
    ) -> Frame:
        raise ConfigurationError(
            f"{name!r} can only be mounted by an Engine. Ask one for the component: engine.component(…), or engine.mount(…)."
        )

    def secret_params(self, name: str) -> frozenset[str]:
        return frozenset()

    def scripts(self, nonce: str | None, context: Context) -> str:
        raise ConfigurationError("component_scripts() needs an Engine: it knows where the assets are served.")
