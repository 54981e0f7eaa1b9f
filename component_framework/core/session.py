"""One browser tab, as the server knows it.

A session outlives its connection by a grace period. What is pushed to it goes into a bounded log with a number; the
connection, while there is one, writes the log out, and one that comes back goes on after the last number it saw.
"""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any

import msgspec

from .component import Context
from .effects import emit
from .errors import BrowserError, SessionClosed
from .mounted import Mounted, referring
from .plain import require_json
from .push import RESYNC, Push
from .transport import POLICY, TRY_LATER, TransportClosed

if TYPE_CHECKING:
    from .connection import Connection
    from .engine import Engine
    from .live import Live
    from .subscriptions import Shown
    from .work import Waiting

LOG = 256
"""Messages that a session keeps for a page that is away, or too slow."""

LOG_BYTES = 1024 * 1024
FAULTS = 10
"""Bad messages after which a page is not listened to any more."""


class Session:
    """One browser tab: `send()` to it, `call()` it, let it `join()` groups. `data` is the application's own."""

    __slots__ = (
        "__weakref__",
        "_bytes",
        "_calls",
        "_connection",
        "_counted",
        "_expiry",
        "_faults",
        "_granted",
        "_grants",
        "_joining",
        "_lanes",
        "_live",
        "_log",
        "_ref",
        "_renew",
        "_tasks",
        "awaited",
        "components",
        "context",
        "data",
        "greeting",
        "groups",
        "id",
        "received",
        "seq",
        "shown",
        "topics",
        "waiting",
    )  # fmt: skip

    def __init__(self, live: Live, id: str, context: Context) -> None:
        self.id = id
        self.context = context
        self._counted = (context.identity, context.address)
        """Under what this tab is counted: it may come back from another address."""
        self._joining: Any = None
        """What the page shows, as it said last, until it is subscribed to that."""
        self.awaited = False
        """Whether its page has not come yet."""
        self.data: dict[str, Any] = {}
        self.groups: set[str] = set()
        self.topics: set[str] = set()
        self.components: dict[str, str] = {}
        """The components of the page that subscribe to anything: the registered name of each, by element id."""
        self.shown: dict[str, Shown] = {}
        """The components of the page that are rendered for pushes, by element id."""
        self.waiting: dict[str, Waiting] = {}
        """The works that components of the page have begun."""
        self.seq = 0
        self.received = 0
        """The number of the last message that came from the page."""
        self._live = live
        self._log: deque[tuple[int, Push]] = deque()
        self._bytes = 0
        self._connection: Connection | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._calls: dict[int, asyncio.Future[Any]] | None = None
        self._ref = 0
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._faults = 0
        self._grants = 0.0
        self._granted = 0.0
        self.greeting: asyncio.Task[None] | None = None
        """The listeners to "connect": they come to their end before those to "disconnect" begin."""
        self._renew: Callable[[], Awaitable[Context]] | None = None

    def __repr__(self) -> str:
        return f"<Session {self.id[:6]} {'connected' if self.connected else 'away'}>"

    @property
    def engine(self) -> Engine:
        """The Engine that serves this tab."""
        return self._live.engine

    @property
    def user(self) -> Any:
        """Who is at the tab; None where the framework knows nobody."""
        return self.context.user

    @property
    def connected(self) -> bool:
        """Whether the page is reachable at this moment; one that is not may come back."""
        return self._connection is not None

    @property
    def closed(self) -> bool:
        """Whether the tab is gone for good."""
        return self._live.sessions.get(self.id) is not self

    # -- use these from any handler, sync or async ------------------------------------------------------------------

    def send(self, name: str, /, **data: Any) -> Sent:
        """Call what the page has registered by `components.on(name, …)` with `data`, and do not wait for it.

        Raises PayloadError for what is not JSON, before anything is sent.
        """
        self._out(_message(name, data))
        return Sent(name)

    def emit(self, name: str, /, **detail: Any) -> None:
        """Dispatch the DOM event `name` on the page's document."""
        self._out(Push({"type": "emit", "name": emit(name, detail).name, "detail": detail}))

    async def call(self, name: str, /, *, returns: Any = Any, timeout: float = 10.0, **data: Any) -> Any:
        """What the function gives that the page has registered by `components.on(name, …)`, as a `returns`.

        Raises TimeoutError after `timeout` seconds, SessionClosed when the tab goes, BrowserError when the function
        raises, is not there, or gives what is no `returns`.
        """
        if self.closed:
            raise SessionClosed(f"{self!r} is gone")
        data = _checked(name, data)
        self._ref += 1
        ref = self._ref
        calls = self._calls = self._calls if self._calls is not None else {}
        answer = calls[ref] = asyncio.get_running_loop().create_future()
        try:
            self.push(Push({"type": "call", "ref": ref, "name": name, "data": data}))
            async with asyncio.timeout(timeout):
                value = await answer
        finally:
            calls.pop(ref, None)
        try:
            return msgspec.convert(value, returns)
        except msgspec.ValidationError as exc:
            raise BrowserError("invalid", f"{name} gave something else: {exc}") from None

    def component(self, target: str) -> Mounted:
        """A component on this tab's page, by its element id or its registered name, to `call()` it."""
        return Mounted(self, target)

    def join(self, group: str, **who: Any) -> Awaitable[None]:
        """Let this tab get what is broadcast to `group`; awaiting it waits until other processes know, too.

        `who` is what `engine.members(group)` tells of it, and publishes the topic "presence:<group>".
        """
        return self._live.on_loop(self._live.enter_group, self, group, who)

    def leave(self, group: str) -> Awaitable[None]:
        """The opposite of `join()`; nothing happens for a group that it is not in."""
        return self._live.on_loop(self._live.leave_group, self, group)

    def close(self, reason: str = "") -> Awaitable[None]:
        """End this tab's session: its page is told, and does not come back by itself."""
        return self._live.on_loop(self._live.end, self, POLICY, reason)

    # -- the framework's own ----------------------------------------------------------------------------------------

    def _out(self, push: Push) -> None:
        self._live.soon(self.push, push)

    def push(self, push: Push, *, wake: bool = True) -> None:
        """Put `push` into the log, on the event loop."""
        log = self._log
        self.seq += 1
        log.append((self.seq, push))
        self._bytes += push.size
        connection = self._connection
        needed = connection.next_turn() if connection is not None else self.seq
        while (len(log) > LOG or self._bytes > LOG_BYTES) and log[0][0] < needed:
            _, dropped = log.popleft()
            self._bytes -= dropped.size
        if connection is not None:
            if connection.cursor < log[0][0] - 1:
                connection.drop(TRY_LATER)  # it cannot keep up; when it comes back it begins from what is there then
            elif wake:
                connection.wake()

    async def reply(self, push: Push) -> None:
        """Push, and write it at once from here where nobody else is writing: a change of tasks costs more than that."""
        self.push(push, wake=False)
        if (connection := self._connection) is not None:
            try:
                await connection.drain()
            except TransportClosed:
                connection.drop(1006)
            connection.wake()

    def waits_for(self, push: Push) -> bool:
        """Whether `push` is the newest of the log, and not sent yet: then a second one would say nothing more."""
        connection = self._connection
        if not self._log or self._log[-1][1] is not push:
            return False
        return connection is None or connection.cursor < self.seq

    def after(self, seq: int) -> Push | None:
        """What follows the number `seq` in the log; None where nothing does."""
        return self._log[seq - self._log[0][0] + 1][1] if seq < self.seq else None

    def acknowledge(self, seq: int) -> None:
        """Forget what the page has seen."""
        connection = self._connection
        while self._log and self._log[0][0] <= seq and connection is not None and self._log[0][0] <= connection.cursor:
            _, seen = self._log.popleft()
            self._bytes -= seen.size

    def resume(self, last: int) -> int:
        """Where a connection goes on whose page has seen `last`: what is not in the log any more is shown anew."""
        first = self._log[0][0] if self._log else self.seq + 1
        if first - 1 <= last <= self.seq:
            return last
        self._log.clear()
        self._bytes = 0
        self.push(RESYNC)
        return self.seq - 1

    def settle(self, ref: Any, value: Any, error: Any) -> None:
        """The page's answer to a call; one that nobody waits for is ignored."""
        answer = (self._calls or {}).get(ref)
        if answer is None or answer.done():
            return
        if error is None:
            answer.set_result(value)
        else:
            answer.set_exception(BrowserError("failed", str(error)[:500]))

    def fault(self) -> bool:
        """Count a bad message; whether it was one too many."""
        self._faults += 1
        return self._faults > FAULTS

    def grant(self, rate: float, now: float) -> bool:
        """Whether one more message is within `rate` per second, twice that in a burst."""
        self._grants = min(2 * rate, self._grants + (now - self._granted) * rate) if self._granted else 2 * rate
        self._granted = now
        if self._grants < 1:
            return False
        self._grants -= 1
        return True

    def run(
        self, lane: str, work: Callable[..., Coroutine[Any, Any, None]], *args: Any, number: int = 0
    ) -> asyncio.Task[None]:
        """Let `work(*args)` follow what was put on the same lane before; lanes go side by side."""
        task = asyncio.create_task(_after(self._lanes.get(lane), work, args))
        self._lanes[lane] = task
        if number:
            self._tasks[number] = task
        task.add_done_callback(lambda done: self._done(lane, number, done))
        return task

    def _done(self, lane: str, number: int, task: asyncio.Task[None]) -> None:
        self._tasks.pop(number, None)
        if self._lanes.get(lane) is task:
            del self._lanes[lane]

    @property
    def busy(self) -> int:
        """Events and messages that are being worked on."""
        return max(len(self._lanes), len(self._tasks))

    def cancel(self, number: int) -> None:
        """Stop working on the message with this number."""
        if (task := self._tasks.get(number)) is not None:
            task.cancel()

    def finish(self) -> None:
        """The tab is gone: whoever waits for it hears so, and what it had begun is cancelled."""
        for answer in (self._calls or {}).values():
            if not answer.done():
                answer.set_exception(SessionClosed(f"{self!r} is gone"))
        for task in {*self._lanes.values(), *self._tasks.values()} - {self.greeting}:
            task.cancel()


class Sent:
    """What `send()` returns: nothing to wait for."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __bool__(self) -> bool:
        return False

    def __await__(self) -> Generator[Any, None, None]:
        warnings.warn(
            f"send({self._name!r}) has no answer to wait for. Use call(), or leave the await out.",
            RuntimeWarning,
            stacklevel=2,
        )
        yield from ()


async def _after(
    before: asyncio.Task[None] | None, work: Callable[..., Coroutine[Any, Any, None]], args: tuple[Any, ...]
) -> None:
    if before is not None and not before.done():
        await asyncio.wait((before,))
    await work(*args)


def _checked(name: str, data: dict[str, Any]) -> dict[str, Any]:
    data = {key: referring(value) for key, value in data.items()}
    require_json(data, name)
    return data


def _message(name: str, data: dict[str, Any]) -> Push:
    return Push({"type": "message", "name": name, "data": _checked(name, data)})
