"""What an application says to open pages, from anywhere in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .errors import ConfigurationError
from .listeners import LIFECYCLE, Listener, Listeners, ReservedName
from .mounted import referring
from .plain import require_json
from .spec import spec_of
from .topics import digest_of, require_topic

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from .broker import Broker
    from .component import Context
    from .engine import Engine
    from .host import Offload
    from .live import Live
    from .session import Session
    from .transport import Transport

F = TypeVar("F", bound=Callable[..., Any])


class Realtime:
    """The part of an Engine that reaches pages without being asked: topics, groups, messages."""

    def __init__(self, broker: Broker | None) -> None:
        self._broker = broker
        self.listeners = Listeners()
        self._lives: dict[AbstractEventLoop, Live] = {}

    @property
    def broker(self) -> Broker:
        """What carries publications between processes; within this one where none was given."""
        if self._broker is None:
            from .broker import MemoryBroker  # imports asyncio, which takes longer than all of this package

            self._broker = MemoryBroker()
        return self._broker

    def on(self, name: str, *, pages: bool = True) -> Callable[[F], F]:
        """Call the decorated function, sync or async, when a page says `components.send(name, data)`.

        It gets the Session, and `data` by its own typed parameters. `"connect"` and `"disconnect"` tell of a tab that
        comes and goes, `"start"` and `"stop"` (no arguments) of this process. With `pages=False` no page can call it:
        it gets no session, and hears what the application says by `emit()`. Raises ValueError for a reserved name.
        """
        return self.listeners.on(name, pages=pages)

    async def emit(self, name: str, /, **data: Any) -> list[Any]:
        """Call the listeners to `name` in this process, and none in others; gives their results, or their exceptions.

        Those with `pages=False` get `data` as it is; the others, which pages may call, None for a session, and typed data.
        """
        if name in LIFECYCLE:
            raise ReservedName(f"{name!r} is not emitted by an application.")
        return [await self._outcome(listener, data) for listener in self.listeners.of(name)]

    async def _outcome(self, listener: Listener, data: Mapping[str, Any]) -> Any:
        import asyncio

        live = self._lives.get(asyncio.get_running_loop())
        if live is not None:
            offload = live.run_off_loop
        else:
            from .asgi import offload
        try:
            if listener.pages:
                return await listener.call((None,), listener.fit(data), offload)
            return await listener.call((), data, offload)
        except Exception as exc:  # one that fails does not keep the others from it: the caller gets all outcomes
            return exc

    async def publish(self, *topics: str) -> None:
        """Have every component rendered anew that subscribes to one of `topics`, in all processes.

        Raises Unavailable when the broker cannot be reached.
        """
        for topic in topics:
            await self.broker.publish(f"t:{require_topic(topic)}", b"")

    def publish_sync(self, *topics: str) -> None:
        """`publish()` for sync code: a view, a management command, `transaction.on_commit`."""
        for topic in topics:
            self.broker.publish_sync(f"t:{require_topic(topic)}", b"")

    async def broadcast(
        self, name: str, /, *, group: str | None = None, exclude: Session | None = None, **data: Any
    ) -> None:
        """Call what pages have registered by `components.on(name, …)`: all of them, or those in `group`.

        `exclude` is a session that hears nothing of it, such as the one it came from.
        """
        await self.broker.publish(*_broadcast(name, group, exclude, data))

    def broadcast_sync(
        self, name: str, /, *, group: str | None = None, exclude: Session | None = None, **data: Any
    ) -> None:
        """`broadcast()` for sync code."""
        self.broker.publish_sync(*_broadcast(name, group, exclude, data))

    async def log_out(self, context: Context) -> None:
        """End the sessions of a login in all processes; the Django app does so by itself.

        Raises ConfigurationError where the engine cannot tell logins apart, because it has no `identify`.
        """
        if topic := _login(context):
            await self.broker.publish(topic, b"")

    def log_out_sync(self, context: Context) -> None:
        """`log_out()` for sync code."""
        if topic := _login(context):
            self.broker.publish_sync(topic, b"")

    @property
    def sessions(self) -> Collection[Session]:
        """The open tabs of this process."""
        return [session for live in self._lives.values() for session in live.sessions.values()]

    def members(self, group: str) -> dict[str, dict[str, Any]]:
        """Who is in `group`, in all processes: what each said when it joined, by the id of its session.

        A component that shows them has the topic "presence:<group>".
        """
        found: dict[str, dict[str, Any]] = {}
        for live in list(self._lives.values()):
            found.update(live.presence.members(group))
        return found

    async def open_session(self: Engine, context: Context) -> Context:  # type: ignore[misc]  # as above
        """A session for a page that is about to be rendered: the Context for its components and its scripts.

        `context.live` is the Session: let it `join()` and `send()` before its browser has connected. A page that does
        not come within the grace period is forgotten. Raises Unavailable for a page too many.
        """
        session, token = await self.live().prepare(context)
        return context.with_live(session, token)

    async def connect(  # type: ignore[misc]  # every Realtime is an Engine
        self: Engine,  # pyright: ignore[reportGeneralTypeIssues]  # as mypy
        transport: Transport,
        context: Context,
        *,
        session: str | None = None,
        last: int = 0,
        answers: bool = False,
    ) -> None:
        """Serve a page over `transport`, a connection of your own, until it ends; raises Unavailable for a page too many.

        `session` and `last` are what the page had when its last connection broke: the token of the greeting, and the
        number of the last message. `answers` says that the page sends a "pong" for each "ping".
        """
        live = self.live()
        await live.run(await live.enter(context, session), transport, last=last, answers=answers)

    def live(self: Engine, offload: Offload | None = None) -> Live:  # type: ignore[misc]  # every Realtime is an Engine
        """The sessions on the running event loop; for adapters."""
        import asyncio

        from .live import Live

        loop = asyncio.get_running_loop()
        live = self._lives.get(loop)
        if live is None:
            for old in [old for old in self._lives if old.is_closed()]:
                self._lives.pop(old, None)
            live = self._lives.setdefault(loop, Live(self, self.broker, offload))
        live.offload = live.offload or offload
        return live

    def is_live(self: Engine) -> bool:  # type: ignore[misc]  # every Realtime is an Engine
        """Whether pages need the script that opens a connection, or waits for answers."""
        return bool(self.listeners) or any(
            spec.live or spec.calls or spec.works for spec in map(spec_of, self.registry.values())
        )

    def takes_files(self: Engine) -> bool:  # type: ignore[misc]  # as above
        """Whether pages need the script that sends files."""
        specs = map(spec_of, self.registry.values())
        return any(handler.uploads for spec in specs for handler in spec.handlers.values())


def identity_topic(identity: str) -> str:
    """The topic on which everything hears that has been opened with one login."""
    return f"i:{digest_of(identity)}"


def _login(context: Context) -> str | None:
    """The topic of a login that ends; None where nobody was logged in."""
    if context.identity:
        return identity_topic(context.identity)
    if context.is_anonymous:
        return None
    raise ConfigurationError(
        "log_out() cannot find the pages of this login: Engine(identify=…) has to give each login a text of its own."
    )


def _broadcast(name: str, group: str | None, exclude: Session | None, data: dict[str, Any]) -> tuple[str, bytes]:
    data = {key: referring(value) for key, value in data.items()}
    require_json(data, name)
    message = {"type": "message", "name": name, "data": data}
    if exclude is not None:
        message["exclude"] = exclude.id
    return ("a:" if group is None else f"g:{require_topic(group)}"), msgspec.json.encode(message)
