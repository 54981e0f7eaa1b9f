"""What an application says to open pages, from anywhere in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .listeners import Listeners
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

    def on(self, name: str) -> Callable[[F], F]:
        """Call the decorated function, sync or async, when a page says `components.send(name, data)`.

        It gets the Session, and `data` by its own typed parameters. `"connect"` and `"disconnect"` tell of a tab that
        comes and goes, `"start"` and `"stop"` (no arguments) of this process. Raises ValueError for a reserved name.
        """
        return self.listeners.on(name)

    async def emit(self, name: str, /, **data: Any) -> list[Any]:
        """Call the listeners to `name` in this process, with no session; gives their results, or their exceptions."""
        results: list[Any] = []
        for listener in self.listeners.of(name):
            try:
                value = listener.function(**({"session": None} | listener.fit(data)))
                results.append(await value if listener.is_async else value)
            except Exception as exc:  # one that fails does not keep the others from it: the caller gets all outcomes
                results.append(exc)
        return results

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
        """End the sessions of a login in all processes; the Django app does so by itself."""
        if context.identity:
            await self.broker.publish(identity_topic(context.identity), b"")

    def log_out_sync(self, context: Context) -> None:
        """`log_out()` for sync code."""
        if context.identity:
            self.broker.publish_sync(identity_topic(context.identity), b"")

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
        return live

    def is_live(self: Engine) -> bool:  # type: ignore[misc]  # every Realtime is an Engine
        """Whether pages need the script that opens a connection, or waits for answers."""
        return bool(self.listeners) or any(spec.live or spec.calls for spec in map(spec_of, self.registry.values()))


def identity_topic(identity: str) -> str:
    """The topic on which everything hears that has been opened with one login."""
    return f"i:{digest_of(identity)}"


def _broadcast(name: str, group: str | None, exclude: Session | None, data: dict[str, Any]) -> tuple[str, bytes]:
    require_json(data, name)
    message = {"type": "message", "name": name, "data": data}
    if exclude is not None:
        message["exclude"] = exclude.id
    return ("a:" if group is None else f"g:{require_topic(group)}"), msgspec.json.encode(message)
