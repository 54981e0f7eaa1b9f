"""Who is in a group, in all processes.

Nobody keeps the list: each process tells the others who has joined and left, and once in every heartbeat whom it has.
A process that died says nothing any more, and what it had told is forgotten after three heartbeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .errors import Unavailable
from .plain import require_json

if TYPE_CHECKING:
    from .live import Live

TOPIC = "p:"
FORGET = 3
"""Heartbeats of silence after which the members of another process are forgotten."""

Members = dict[str, dict[str, Any]]


class Presence:
    """The members of groups: those of this process, and what the others have told of theirs."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._here: dict[str, Members] = {}
        self._there: dict[str, dict[str, Members]] = {}
        """By process, and in it by group."""
        self._silent: dict[str, int] = {}

    def members(self, group: str) -> Members:
        """Who is in `group`: what each said of itself, by its session's id."""
        found: Members = {}
        for groups in (self._here, *list(self._there.values())):
            found.update(groups.get(group, {}))
        return found

    async def enter(self, session_id: str, group: str, who: dict[str, Any]) -> None:
        """Tell everybody that a tab is in `group`; raises PayloadError for what is no JSON."""
        require_json(who, "join()")
        self._here.setdefault(group, {})[session_id] = who
        await self._tell(group)

    async def leave(self, session_id: str, group: str) -> None:
        """The opposite; nothing happens for a tab that is not there."""
        members = self._here.get(group, {})
        if members.pop(session_id, None) is None:
            return
        await self._tell(group)
        if not members:
            self._here.pop(group, None)

    async def ask(self) -> None:
        """Have the other processes tell whom they have."""
        await self._send({"from": self._live.id, "ask": True})

    async def beat(self) -> None:
        """Tell whom this process has, and forget those of processes that are silent."""
        if self._here:
            await self._send({"from": self._live.id, "all": self._here})
        for process in list(self._silent):
            self._silent[process] += 1
            if self._silent[process] > FORGET:
                del self._silent[process]
                for group in self._there.pop(process):
                    self._changed(group)

    def deliver(self, message: bytes) -> None:
        """What another process tells."""
        told = msgspec.json.decode(message)
        process: str = told["from"]
        if process == self._live.id:
            return
        if told.get("ask"):
            self._live.keep(self._send({"from": self._live.id, "all": self._here}))
            return
        groups: dict[str, Members] = told.get("all") or {}
        before = self._there.get(process, {})
        if "group" in told:
            groups = {**before, told["group"]: told["members"]}
        self._there[process] = {group: members for group, members in groups.items() if members}
        self._silent[process] = 0
        for group in before.keys() | groups.keys():
            if before.get(group, {}) != groups.get(group, {}):
                self._changed(group)

    async def _tell(self, group: str) -> None:
        self._changed(group)
        await self._send({"from": self._live.id, "group": group, "members": self._here.get(group, {})})

    def _changed(self, group: str) -> None:
        self._live.subscriptions.publish(f"t:presence:{group}")

    async def _send(self, told: dict[str, Any]) -> None:
        try:
            await self._live.broker.publish(TOPIC, msgspec.json.encode(told))
        except Unavailable:
            pass  # the next heartbeat tells all of it
