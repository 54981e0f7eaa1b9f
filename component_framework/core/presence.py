"""Who is in a topic, across processes: members enter and leave, and those of a process that was killed vanish."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

import msgspec

from .broker import Broker
from .errors import Unavailable

logger = logging.getLogger("component_framework")

TTL = 30.0
"""Seconds after which a member vanishes whose process says nothing any more."""


class Roster(Protocol):
    """Remembers the members of topics until they expire; whoever finds expired ones removes them, and is told which.

    All methods raise Unavailable when the roster cannot be reached.
    """

    async def enter(self, topic: str, member: str, data: bytes, ttl: float) -> tuple[bool, Collection[str]]:
        """Have `member` in for `ttl` seconds from now; whether it was not before, and who has expired."""
        ...

    async def leave(self, topic: str, member: str) -> bool:
        """Take `member` out; whether it was in."""
        ...

    async def members(self, topic: str) -> tuple[dict[str, bytes], Collection[str]]:
        """Who is in, with their data, and who has expired."""
        ...


class MemoryRoster:
    """Within one process; the reference of the others."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._topics: dict[str, dict[str, tuple[bytes, float]]] = {}

    async def enter(self, topic: str, member: str, data: bytes, ttl: float) -> tuple[bool, Collection[str]]:
        expired = self._expire(topic)
        members = self._topics.setdefault(topic, {})
        is_new = member not in members
        members[member] = (data, self._clock() + ttl)
        return is_new, expired

    async def leave(self, topic: str, member: str) -> bool:
        members = self._topics.get(topic, {})
        was_in = members.pop(member, None) is not None
        if not members:
            self._topics.pop(topic, None)
        return was_in

    async def members(self, topic: str) -> tuple[dict[str, bytes], Collection[str]]:
        expired = self._expire(topic)
        return {member: data for member, (data, _) in self._topics.get(topic, {}).items()}, expired

    def _expire(self, topic: str) -> Collection[str]:
        members, now = self._topics.get(topic, {}), self._clock()
        expired = [member for member, (_, deadline) in members.items() if deadline <= now]
        for member in expired:
            del members[member]
        if not members:
            self._topics.pop(topic, None)
        return expired


class Presence:
    """The members that this process answers for, and who else is in their topics.

    Who comes and goes is published under the topic, once, as the message "join" or "leave" with the member's id (and
    data). `ttl` is in seconds. `keep()` has to run as long as there are members.
    """

    def __init__(self, roster: Roster, broker: Broker, *, ttl: float = TTL) -> None:
        self.ttl = ttl
        self._roster = roster
        self._broker = broker
        self._own: dict[tuple[str, str], dict[str, Any]] = {}

    async def enter(self, topic: str, member_id: str, data: dict[str, Any]) -> None:
        """Have a member in `topic`, with `data` (JSON) for the others to see.

        Raises Unavailable when nobody could be told; `keep()` makes up for it.
        """
        self._own[topic, member_id] = data
        await self._enter(topic, member_id, data)

    async def _enter(self, topic: str, member_id: str, data: dict[str, Any]) -> None:
        is_new, expired = await self._roster.enter(topic, member_id, msgspec.json.encode(data), self.ttl)
        await self._tell_expired(topic, expired)
        if is_new:
            await self._tell(topic, "join", member=member_id, data=data)

    async def leave(self, topic: str, member_id: str) -> None:
        """Take a member out of `topic`; nothing happens if it is not in.

        Raises Unavailable when nobody could be told; the member then vanishes after `ttl`.
        """
        self._own.pop((topic, member_id), None)
        if await self._roster.leave(topic, member_id):
            await self._tell(topic, "leave", member=member_id)

    async def members(self, topic: str) -> dict[str, dict[str, Any]]:
        """Who is in `topic`, in all processes, with their data; raises Unavailable."""
        members, expired = await self._roster.members(topic)
        await self._tell_expired(topic, expired)
        return {member: msgspec.json.decode(data, type=dict[str, Any]) for member, data in members.items()}

    async def keep(self) -> None:
        """Say that the members of this process are still there, until cancelled; a roster that forgot them is told anew."""
        while True:
            await asyncio.sleep(self.ttl / 3)
            try:
                for (topic, member_id), data in list(self._own.items()):
                    await self._keep_one(topic, member_id, data)
            except Unavailable:
                logger.warning("presence cannot be kept", exc_info=True)

    async def _keep_one(self, topic: str, member_id: str, data: dict[str, Any]) -> None:
        if (topic, member_id) in self._own:
            await self._enter(topic, member_id, data)
            if (topic, member_id) not in self._own:  # it has left while it was kept
                await self.leave(topic, member_id)

    async def _tell_expired(self, topic: str, expired: Collection[str]) -> None:
        for member_id in expired:
            await self._tell(topic, "leave", member=member_id)

    async def _tell(self, topic: str, name: str, **data: Any) -> None:
        message = {"type": "message", "name": name, "data": data}
        await self._broker.publish(topic, msgspec.json.encode(message))
