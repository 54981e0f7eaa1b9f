"""What pages say: messages for the application, answers to calls, what they show, and events."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import Malformed, NotFound, RequestError, TooLarge, TooMany
from .listeners import LIFECYCLE, Listener
from .plain import decode_json, require_depth
from .push import Push
from .request import HttpRequest
from .transport import POLICY, TRY_LATER
from .wire import Reply

if TYPE_CHECKING:
    from .live import Live
    from .session import Session

logger = logging.getLogger("component_framework")

IN_HAND = 64
"""Messages of one page that may be worked on at once."""


class Join(msgspec.Struct, tag="join", tag_field="type"):
    """The live components of the page: name, id, token and digest of each."""

    components: list[tuple[str, str, str, str]]
    work: list[tuple[str, str]] = []
    """The works that components of the page wait for: the component's name and the handle of each."""


class Message(msgspec.Struct, tag="message", tag_field="type"):
    """For a listener of the application."""

    name: str
    data: dict[str, Any] = {}
    n: int = 0


class Result(msgspec.Struct, tag="result", tag_field="type"):
    """The answer to a call."""

    ref: int
    value: Any = None
    error: str | None = None


class Event(msgspec.Struct, tag="event", tag_field="type"):
    """An event of a component, as a POST would have it."""

    component: str
    n: int = 0
    query: str = ""
    body: str = ""
    content_type: str = "application/x-www-form-urlencoded"
    accept: str = ""
    state: str = ""
    id: str = ""
    event_id: str = ""
    stream: bool = False
    hx: bool = True


class Cancel(msgspec.Struct, tag="cancel", tag_field="type"):
    """The page does not want the answer to one of its events any more."""

    n: int


class Pong(msgspec.Struct, tag="pong", tag_field="type"):
    """The page is there, and has seen everything up to `seq`."""

    seq: int = 0


Incoming = Join | Message | Result | Event | Cancel | Pong
_decode: Callable[[bytes], Incoming] = msgspec.json.Decoder(Incoming).decode


class Inbox:
    """Reads what comes from pages and has it done; what is not understood is answered by an error, and counted."""

    def __init__(self, live: Live) -> None:
        self._live = live

    # -- reading ----------------------------------------------------------------------------------------------------

    def take(self, session: Session, text: str | bytes) -> None:
        """One message as it came down a socket."""
        limits = self._live.limits
        try:
            if len(text) > limits.body:
                raise TooLarge(f"the message has {len(text)} bytes")
            if not isinstance(text, str):
                raise Malformed("the message is not text")
            self._handle(session, self._decode(text.encode(errors="replace")))
        except RequestError as exc:
            self._refuse(session, exc)

    def take_all(self, session: Session, messages: list[Any]) -> None:
        """Messages that were posted."""
        for message in messages:
            try:
                self._handle(session, self._read(message))
            except RequestError as exc:
                self._refuse(session, exc)

    def read_post(self, body: bytes) -> tuple[str, list[Any]]:
        """The session's token and the messages of a POST; raises TooLarge or Malformed."""
        limits = self._live.limits
        if len(body) > limits.body:
            raise TooLarge(f"the body has {len(body)} bytes")
        data = decode_json(body, max_depth=limits.depth)
        if (
            not isinstance(data, dict)
            or not isinstance(data.get("messages"), list)
            or not isinstance(data.get("session"), str)
        ):
            raise Malformed('the body is not {"session": …, "messages": […]}')
        return data["session"], data["messages"]

    def _decode(self, data: bytes) -> Incoming:
        require_depth(data, self._live.limits.depth)
        try:
            return _decode(data)
        except msgspec.DecodeError:  # a message of htmx's own, or none
            return self._read(decode_json(data, max_depth=self._live.limits.depth))

    def _read(self, data: Any) -> Incoming:
        if not isinstance(data, dict):
            raise Malformed("a message is a JSON object")
        if "type" not in data and "component" in data:
            return _from_stock(data)
        try:
            message: Incoming = msgspec.convert(data, Incoming)
        except msgspec.ValidationError as exc:
            raise Malformed(f"the message cannot be read: {exc}") from None
        return message

    def _refuse(self, session: Session, error: RequestError, number: int = 0) -> None:
        error_id = secrets.token_hex(4)
        logger.warning(
            "%s refused %r from %r: %s", error_id, error.code, session, str(error).encode("unicode_escape").decode()
        )
        session.push(Push({"type": "error", "to": number, "code": error.code, "message": error.public, "id": error_id}))
        if session.fault():
            self._live.keep(self._live.end(session, TRY_LATER if isinstance(error, TooMany) else POLICY, error.code))

    # -- doing ------------------------------------------------------------------------------------------------------

    def _handle(self, session: Session, message: Incoming) -> None:
        if isinstance(message, Pong):
            session.acknowledge(message.seq)
            return
        if not session.grant(self._live.limits.messages, self._live.loop.time()):
            raise TooMany("too many messages")
        if isinstance(message, Join):
            self._join(session, message)
        elif isinstance(message, Result):
            session.settle(message.ref, message.value, message.error)
        elif isinstance(message, Cancel):
            session.cancel(message.n)
        elif message.n and message.n <= session.received:
            pass  # sent again after a reconnect, because the page did not know that it had arrived
        else:
            if session.busy >= IN_HAND:
                raise TooMany("too many events at once")
            session.received = max(session.received, message.n)
            if isinstance(message, Event):
                session.run(f"c:{message.id or message.component}", self._answer, session, message, number=message.n)
            else:
                session.run("messages", self._listen, session, message)
                if (connection := session._connection) is not None and connection.answers:
                    connection.acknowledge()

    def _join(self, session: Session, message: Join) -> None:
        """Subscribe the page, once for all that it says of itself while that is done: only the last of it counts."""
        waiting, session._joining = session._joining is not None, message
        if not waiting:
            session.run("join", self._subscribe, session)

    async def _subscribe(self, session: Session) -> None:
        message, session._joining = session._joining, None
        await self._live.works.attend(session, message.work[: self._live.limits.components])
        await self._live.subscriptions.join(session, message.components)

    async def _answer(self, session: Session, event: Event) -> None:
        """An event over the socket is a POST without its own connection: the same request, the same reply."""
        live = self._live
        try:
            if session._renew is not None:
                session.context = await session._renew()
            reply = await live.engine.answer(_request(session, event), live.offload)
            if isinstance(reply.body, bytes):
                await session.reply(_reply(event, reply))
            else:
                await self._stream(session, event, reply)
        except RequestError as exc:
            self._refuse(session, exc, event.n)
        except Exception:  # the adapter's part failed: the page must hear of it, and the socket goes on
            logger.exception("an event over the socket failed")
            session.push(Push({"type": "error", "to": event.n, "code": "failed", "message": "Something went wrong."}))

    async def _stream(self, session: Session, event: Event, reply: Reply) -> None:
        body = reply.body
        assert not isinstance(body, bytes)
        session.push(Push({"type": "begin", "to": event.n, "status": reply.status, "headers": dict(reply.headers)}))
        try:
            async for chunk in body:
                session.push(Push({"type": "chunk", "to": event.n, "body": chunk.decode()}))
                await asyncio.sleep(0)
        finally:
            if (close := getattr(body, "aclose", None)) is not None:
                await close()
            session.push(Push({"type": "end", "to": event.n}))

    async def _listen(self, session: Session, message: Message) -> None:
        listeners = [each for each in self._live.engine.listeners.of(message.name) if each.pages]
        try:
            if not listeners or message.name in LIFECYCLE:
                raise NotFound(f"nobody listens to {message.name!r}")
            if session._renew is not None:
                session.context = await session._renew()
            for listener in listeners:
                await self._call(listener, session, listener.fit(message.data, session))
        except RequestError as exc:
            self._refuse(session, exc, message.n)

    async def _call(self, listener: Listener, session: Session | None, arguments: dict[str, Any]) -> None:
        """Call a listener, off the event loop if it is sync; its failure is logged, and nobody else hears of it."""
        positional = () if session is None else (session,)
        try:
            value = await listener.call(positional, arguments, self._live.run_off_loop)
        except RequestError:
            raise
        except Exception:  # a bug of the application's
            logger.exception("a listener to %r failed", listener.name)
        else:
            listener.discard(value)

    # -- the application's own events -------------------------------------------------------------------------------

    def lifecycle(self, name: str, session: Session) -> None:
        """Tell the listeners of `name` about a session; what it says next waits for them."""
        if self._live.engine.listeners.of(name):
            session.greeting = session.run("messages", self.tell, name, session)

    async def tell(self, name: str, session: Session | None) -> None:
        """Call every listener of a lifecycle event; one that fails does not keep the others from it."""
        for listener in self._live.engine.listeners.of(name):
            try:
                await self._call(listener, session, {})
            except RequestError:
                logger.exception("a listener to %r failed", name)


def _from_stock(data: dict[str, Any]) -> Event:
    """What htmx's own `hx-ws:send` sends: the form's fields beside what says where they go."""
    from urllib.parse import urlencode

    own = {name: data.pop(name, None) for name in ("component", "event", "state", "id", "headers")}
    if any(not isinstance(own[name], (str, type(None))) for name in ("component", "event", "state", "id")):
        raise Malformed("component, event, state and id are text")
    fields = [
        (name, _as_text(each))
        for name, value in data.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    return Event(
        component=own["component"], query=f"event={own['event']}" if own["event"] else "", body=urlencode(fields),
        state=own["state"] or "", id=own["id"] or "",
    )  # fmt: skip


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _request(session: Session, event: Event) -> HttpRequest:
    headers = {"content-type": event.content_type, "accept": event.accept}
    for name, value in (
        ("hx-request", "true" if event.hx else ""),
        ("x-component-state", event.state),
        ("x-component-id", event.id),
        ("x-component-event-id", event.event_id),
    ):
        if value:
            headers[name] = value
    return HttpRequest(
        component=event.component, headers=headers, query=event.query, body=event.body.encode(errors="replace"),
        stream=event.stream, context=session.context.with_live(session),
    )  # fmt: skip


def _reply(event: Event, reply: Reply) -> Push:
    """A reply for the page's script, or, where htmx's own sends events, the part of the page to swap."""
    assert isinstance(reply.body, bytes)
    text = reply.body.decode()
    if not event.n:
        from .wire import partial

        if reply.status in (200, 409, 422) and event.id:
            return Push(html=partial(f"#{event.id}", "outerMorph", text))
        return Push(
            {"type": "error", "to": 0, "code": reply.headers.get("X-Component-Code", ""), "status": reply.status}
        )
    return Push({"type": "reply", "to": event.n, "status": reply.status, "headers": dict(reply.headers), "body": text})
