"""What a transaction changes is published when it is committed: on Django's ORM, and in SQLAlchemy's sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.db import transaction
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import StaticPool

from component_framework.adapters.django.publishing import publish_on_save
from component_framework.adapters.sqlalchemy_publishing import publish_after_commit
from component_framework.core.errors import ConfigurationError

from .shop.models import Leaflet


class Recorder:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.loops: list[bool] = []

    async def publish(self, *topics: str) -> None:
        await asyncio.sleep(0)
        self.topics += topics
        self.loops.append(True)

    def publish_sync(self, *topics: str) -> None:
        self.topics += topics
        self.loops.append(False)


# -- Django -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def leaflets() -> Iterator[Recorder]:
    recorder = Recorder()
    stop = publish_on_save(Leaflet, topic="leaflet:{pk}", engine=recorder)
    yield recorder
    stop()


@pytest.mark.django_db(transaction=True)
def test_each_row_is_published_once_and_after_the_commit(leaflets: Recorder) -> None:
    with transaction.atomic():
        one, two = Leaflet.objects.create(text="a"), Leaflet.objects.create(text="b")
        one.save()
        assert not leaflets.topics
    assert leaflets.topics == [f"leaflet:{one.pk}", f"leaflet:{two.pk}"]
    one.save()
    assert leaflets.topics[2:] == [f"leaflet:{one.pk}"]


@pytest.mark.django_db(transaction=True)
def test_a_deleted_row_is_published_under_the_key_that_it_had(leaflets: Recorder) -> None:
    leaflet = Leaflet.objects.create(text="a")
    pk = leaflet.pk
    leaflets.topics.clear()
    leaflet.delete()
    assert leaflets.topics == [f"leaflet:{pk}"]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_published(leaflets: Recorder) -> None:
    with transaction.atomic():
        Leaflet.objects.create(text="a")
        transaction.set_rollback(True)
    assert not leaflets.topics


@pytest.mark.django_db(transaction=True)
def test_a_row_is_published_although_a_savepoint_before_was_rolled_back(leaflets: Recorder) -> None:
    leaflet = Leaflet.objects.create(text="a")
    leaflets.topics.clear()
    with transaction.atomic():
        with transaction.atomic():
            leaflet.save()
            transaction.set_rollback(True)
        leaflet.save()
    assert leaflets.topics == [f"leaflet:{leaflet.pk}"]


def test_a_topic_with_a_field_that_a_model_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="Leaflet does not have"):
        publish_on_save(Leaflet, topic="leaflet:{number}")


# -- SQLAlchemy -------------------------------------------------------------------------------------------------------


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str] = mapped_column(default="")


@pytest.fixture
def sessions() -> Iterator[sessionmaker[Session]]:
    database = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(database)
    yield sessionmaker(database)
    database.dispose()


@pytest.fixture
def orders(sessions: sessionmaker[Session]) -> Recorder:
    recorder = Recorder()
    publish_after_commit(sessions, recorder, {Order: "order:{id}"})
    return recorder


def test_a_session_publishes_what_it_inserts_changes_and_deletes(
    sessions: sessionmaker[Session], orders: Recorder
) -> None:
    with sessions() as session:
        order = Order()
        session.add(order)
        session.flush()
        order.note = "twice"
        session.flush()
        assert not orders.topics
        session.commit()
        assert orders.topics == ["order:1"]
        order.note = "thrice"
        session.commit()
        session.delete(order)
        session.commit()
    assert orders.topics == ["order:1"] * 3


def test_a_session_publishes_nothing_that_it_only_looked_at(sessions: sessionmaker[Session], orders: Recorder) -> None:
    with sessions.begin() as session:
        session.add(Order())
    with sessions.begin() as session:
        assert session.get(Order, 1) is not None
    assert orders.topics == ["order:1"]


def test_a_session_publishes_nothing_that_it_rolled_back(sessions: sessionmaker[Session], orders: Recorder) -> None:
    with sessions() as session:
        session.add(Order())
        session.flush()
        session.rollback()
        session.commit()
    with sessions() as session:
        session.add(Order())
        session.flush()
    assert not orders.topics


def test_of_savepoints_only_those_are_published_that_were_kept(
    sessions: sessionmaker[Session], orders: Recorder
) -> None:
    with sessions.begin() as session:
        with session.begin_nested():
            session.add(Order(id=1))
            with session.begin_nested():
                session.add(Order(id=2))
        lost = session.begin_nested()
        with session.begin_nested():
            session.add(Order(id=3))
        lost.rollback()
        assert not orders.topics
    assert sorted(orders.topics) == ["order:1", "order:2"]


async def test_an_async_session_publishes_on_the_event_loop_before_its_commit_returns() -> None:
    database = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with database.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(database)
    recorder = Recorder()
    publish_after_commit(sessions, recorder, {Order: "order:{id}"})
    async with sessions() as session:
        session.add(Order())
        await session.commit()
        assert recorder.topics == ["order:1"]
        assert recorder.loops == [True]
    async with AsyncSession(database) as other:
        other.add(Order())
        await other.commit()
    assert recorder.topics == ["order:1"], "sessions of others are not listened to"
    await database.dispose()


def test_a_topic_with_an_attribute_that_a_class_does_not_have_is_refused(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(ConfigurationError, match="Order does not have"):
        publish_after_commit(sessions, Recorder(), {Order: "order:{number}"})
