"""Who is in a group, in all processes.

Nobody keeps the list: each process tells the others who has joined and left, and once in every heartbeat whom it has.
A process that died says nothing any more, and what it had told is forgotten after three heartbeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .errors import Unavailable
from .plain import require_json
from .push import Push

if TYPE_CHECKING:
    from .live import Live

TOPIC = "p:"
JOIN, LEAVE = "presence:join", "presence:leave"
"""What the pages of a group's members hear of each other: the group, the session's id, and who it is."""

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
        before = dict(self._here.get(group, {}))
        self._here.setdefault(group, {})[session_id] = who
        await self._tell(group, before)

    async def leave(self, session_id: str, group: str) -> None:
        """The opposite; nothing happens for a tab that is not there."""
        members = self._here.get(group, {})
        before = dict(members)
        if members.pop(session_id, None) is None:
            return
        await self._tell(group, before)
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
                for group, members in self._there.pop(process).items():
                    self._changed(group, members, {})

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
            self._changed(group, before.get(group, {}), groups.get(group, {}))

    async def _tell(self, group: str, before: Members) -> None:
        self._changed(group, before, self._here.get(group, {}))
        await self._send({"from": self._live.id, "group": group, "members": self._here.get(group, {})})

    def _changed(self, group: str, before: Members, now: Members) -> None:
        """Tell the members that are here who has come and who has gone, and have lists of them shown anew."""
        if before == now:
            return
        self._live.subscriptions.publish(f"t:presence:{group}")
        for name, ids in ((JOIN, now.keys() - before.keys()), (LEAVE, before.keys() - now.keys())):
            for id in ids:
                push = Push(
                    {
                        "type": "message",
                        "name": name,
                        "data": {"group": group, "id": id, "who": (now.get(id) or before[id])},
                    }
                )
                for session in self._live.subscriptions.sessions(f"g:{group}"):
                    if session.id != id:
                        session.push(push)

    async def _send(self, told: dict[str, Any]) -> None:
        try:
            await self._live.broker.publish(TOPIC, msgspec.json.encode(told))
        except Unavailable:
            pass  # the next heartbeat tells all of it
