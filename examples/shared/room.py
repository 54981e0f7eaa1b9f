"""A room: who is there, what is said, and who is typing.

What is said stays in this process, so the example runs with one worker; a real room keeps it in a database.
"""

from __future__ import annotations

from collections import deque
from typing import Annotated, Any

import msgspec

from component_framework import Component, Engine, Session

ROOM = "room"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=30)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class Said(msgspec.Struct):
    """One line of the conversation."""

    name: str
    text: str


said: deque[Said] = deque([Said("The room", "Open this page in a second window.")], maxlen=50)


class Room(Component):
    """Each example registers a subclass with a template of its own."""

    topics = ("room", "presence:room")
    name: str = ""
    entered = False  # whether it was with this event, so that the keyboard goes to what one may say now

    def get_context(self) -> dict[str, Any]:
        engine = self.engine
        here = sorted({str(who["name"]) for who in engine.members(ROOM).values()}) if engine is not None else []
        return {**super().get_context(), "said": list(said), "here": here, "entered": self.entered}

    def on_enter(self, name: Name) -> None:
        self.name, self.entered = name, True
        self.emit("room:entered", name=name)

    async def on_say(self, text: Text) -> None:
        said.append(Said(self.name or "Somebody", text))
        self.emit("room:said")
        await self.engine.publish("room")


def listen(engine: Engine) -> None:
    """Take what the pages' scripts tell: app.js says who has entered, and that somebody is typing."""

    @engine.on("room:enter")
    async def enter(session: Session, name: Name) -> None:
        session.data["name"] = name
        await session.join(ROOM, name=name)

    @engine.on("room:typing")
    async def typing(session: Session) -> None:
        if name := session.data.get("name"):
            await engine.broadcast("room:typing", group=ROOM, exclude=session, name=name)
