"""Publish what a session has flushed, once it is committed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

try:
    from sqlalchemy import event, inspect
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
    from sqlalchemy.orm import Session, SessionTransaction, sessionmaker
    from sqlalchemy.util import await_only
    from sqlalchemy.util.concurrency import in_greenlet
except ImportError as exc:
    raise ImportError("SQLAlchemy is not installed. Run: pip install 'live-component-framework[sqlalchemy]'") from exc

from ..core.publishing import Publisher, announce, async_announce, require_row_topic
from ..core.topics import PLACE, fill

Sessions = type[Session] | Session | sessionmaker[Any] | AsyncSession | async_sessionmaker[Any]


def publish_after_commit(sessions: Sessions, engine: Publisher, topics: Mapping[type, str]) -> None:
    """Publish the topic of each row that `sessions` insert, change or delete: `{Order: "order:{id}"}`.

    `sessions` is a factory, sync or async, a Session class, or one session. A topic is published after the commit, once,
    and not at all when the transaction or the savepoint is rolled back. Statements that change rows without loading
    them (`update()`, `delete()`) are not seen: publish after them yourself. Raises ConfigurationError for a topic that
    names an attribute that is not there.
    """
    for model, topic in topics.items():
        require_row_topic(topic, model)
    publication = _Publication(engine, topics)
    target = _sync_sessions(sessions)
    event.listen(target, "after_flush", publication.flushed)
    event.listen(target, "after_commit", publication.committed)
    event.listen(target, "after_transaction_end", publication.ended)


def _sync_sessions(sessions: Sessions) -> Any:
    """What has the events: asyncio's sessions work through a sync one."""
    if isinstance(sessions, AsyncSession):
        return sessions.sync_session
    if isinstance(sessions, async_sessionmaker):
        plain: Any = sessions.kw.get("sync_session_class") or sessions.class_.sync_session_class
        own = type(plain.__name__, (plain,), {})  # so that other factories are not listened to
        sessions.configure(sync_session_class=own)
        return own
    return sessions


class _Publication:
    """The topics that wait for a commit, by the transaction or savepoint that they were flushed in."""

    def __init__(self, engine: Publisher, topics: Mapping[type, str]) -> None:
        self.engine = engine
        self.topics = topics

    def flushed(self, session: Session, context: Any) -> None:
        rows = [*session.new, *session.deleted, *(row for row in session.dirty if session.is_modified(row))]
        found = dict.fromkeys(
            _topic(topic, row) for row in rows for model, topic in self.topics.items() if isinstance(row, model)
        )
        transaction = session.get_nested_transaction() or session.get_transaction()
        if found and transaction is not None:
            self._waiting(session).setdefault(transaction, {}).update(found)

    def committed(self, session: Session) -> None:
        """Of a savepoint, too: what that kept is up to the transaction around it."""
        transaction = session.get_nested_transaction() or session.get_transaction()
        found = self._waiting(session).pop(transaction, None) if transaction is not None else None
        if transaction is None or not found:
            return
        if transaction.nested:
            self._waiting(session).setdefault(_around(transaction), {}).update(found)
        elif in_greenlet():
            await_only(async_announce(self.engine, list(found)))
        else:
            announce(self.engine, list(found))

    def ended(self, session: Session, transaction: SessionTransaction) -> None:
        """What is left was not committed."""
        self._waiting(session).pop(transaction, None)

    def _waiting(self, session: Session) -> dict[SessionTransaction, dict[str, None]]:
        waiting: dict[SessionTransaction, dict[str, None]] = session.info.setdefault(self, {})
        return waiting


def _around(savepoint: SessionTransaction) -> SessionTransaction:
    """The savepoint or the transaction that `savepoint` is in."""
    around = savepoint.parent
    while around is not None and around.parent is not None and not around.nested:
        around = around.parent
    assert around is not None
    return around


def _topic(topic: str, row: object) -> str:
    """`topic` of `row`; its key is taken from the session, because a deleted row cannot be asked any more."""
    state: Any = inspect(row)
    columns = [state.mapper.get_property_by_column(column).key for column in state.mapper.primary_key]
    known = {**dict(zip(columns, state.identity or (), strict=False)), **state.dict}
    return fill(topic, {name: known[name] if name in known else getattr(row, name) for name in PLACE.findall(topic)})
