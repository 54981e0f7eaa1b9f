"""Components about one object of a SQLAlchemy model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

try:
    from sqlalchemy import Enum, String, inspect, select, update
    from sqlalchemy.exc import IntegrityError, StatementError
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session, joinedload, selectinload
    from sqlalchemy.orm.attributes import set_committed_value
    from sqlalchemy.orm.exc import StaleDataError
except ImportError as exc:
    raise ImportError("SQLAlchemy is not installed. Run: pip install 'live-component-framework[demo]'") from exc

import msgspec

from ..core import model as core
from ..core.errors import ConfigurationError, Invalid, NotFound
from ..core.model import ModelField, ModelMixin, Stale, next_version
from ..core.providing import Provided
from ..core.running import run_sync


class SqlAlchemyRepository:
    """Objects of a mapped class, in the session that the engine provides; awaitable where the session is async."""

    def fields(self, model: Any) -> Mapping[str, ModelField]:
        mapper = inspect(model)
        columns = {
            attribute.key: _model_field(attribute.columns[0])
            for attribute in mapper.column_attrs
            if not attribute.columns[0].primary_key
        }
        return {**columns, "pk": ModelField(mapper.primary_key[0].type.python_type | None, Any)}

    async def get(self, component: core.ModelComponent) -> Any:
        assert isinstance(component, ModelComponent | AsyncModelComponent)
        query = component.get_queryset().where(_key(component) == component.__dict__["pk"])
        query = query.options(*(joinedload(getattr(component.model, name)) for name in component.select_related))
        query = query.options(*(selectinload(getattr(component.model, name)) for name in component.prefetch_related))
        try:
            return await core.settle(component.session.scalar(query.execution_options(populate_existing=True)))
        except StatementError as exc:
            if isinstance(exc.orig, (OverflowError, ValueError, TypeError)):
                return None  # no key is like this
            raise

    def read(self, component: core.ModelComponent, name: str) -> Any:
        return getattr(component.instance, inspect(component.model).primary_key[0].key if name == "pk" else name)

    async def save(self, component: core.ModelComponent, changed: Mapping[str, Any]) -> None:
        assert isinstance(component, ModelComponent | AsyncModelComponent)
        session = component.session
        try:
            await self._write(component, changed)
            await core.settle(session.flush())
            component.__dict__["pk"] = self.read(component, "pk")
            await _commit(session)
        except IntegrityError as exc:
            await core.settle(session.rollback())
            raise Invalid({"": ["This cannot be saved: it contradicts other data."]}) from exc
        except (Stale, StaleDataError) as exc:
            await core.settle(session.rollback())
            raise Stale from exc
        await component._announce()

    async def _write(self, component: ModelComponent | AsyncModelComponent, changed: Mapping[str, Any]) -> None:
        session, name = component.session, component.version_field
        versioned = inspect(component.model).version_id_col is not None
        if name is None or versioned or component.__dict__["pk"] is None:
            if versioned and component.row_version != getattr(component.instance, name or "", component.row_version):
                raise Stale
            for field, value in changed.items():
                setattr(component.instance, field, value)
            session.add(component.instance)
            return
        changes = {**changed, name: next_version(component.row_version)}
        here = (_key(component) == component.__dict__["pk"], getattr(component.model, name) == component.row_version)
        query = update(component.model).where(*here).values(changes)
        done: Any = await core.settle(session.execute(query.execution_options(synchronize_session=False)))
        if not done.rowcount:
            raise Stale
        for field, value in changes.items():
            set_committed_value(component.instance, field, value)

    def choices(self, component: core.ModelComponent, name: str) -> list[tuple[Any, str]]:
        column = inspect(component.model).column_attrs[name].columns[0]
        if isinstance(column.type, Enum) and column.type.enum_class is not None:
            return [(member, str(member.value)) for member in column.type.enum_class]
        raise ConfigurationError(f"{component.model.__name__}.{name} has no choices: only Enum columns list them.")


class ModelComponent(core.ModelComponent):
    """`core.model.ModelComponent` over a `Session`, which the engine provides: `Engine(providers={Session: …})`."""

    repository = SqlAlchemyRepository()
    session: Annotated[Session, Provided()]

    def get_queryset(self) -> Any:
        """A `select()` of the objects that this visitor may see and change: any other does not exist for him."""
        return select(self.model)

    def mount(self, pk: Any = None) -> None:
        run_sync(self._begin())

    def hydrate(self, state: dict[str, Any]) -> None:
        run_sync(self._restore(state))

    def save(self) -> list[str]:
        """Write what changed and commit; the names of the fields. Raises Invalid, or EditConflict (409)."""
        return run_sync(self._write())


class AsyncModelComponent(core.ModelComponent):
    """`ModelComponent` over an `AsyncSession`; `await self.save()`."""

    repository = SqlAlchemyRepository()
    session: Annotated[AsyncSession, Provided()]

    def get_queryset(self) -> Any:
        """A `select()` of the objects that this visitor may see and change: any other does not exist for him."""
        return select(self.model)

    async def mount(self, pk: Any = None) -> None:
        await self._begin()

    async def hydrate(self, state: dict[str, Any]) -> None:
        await self._restore(state)

    async def save(self) -> list[str]:
        """Write what changed and commit; the names of the fields. Raises Invalid, or EditConflict (409)."""
        return await self._write()


def _key(component: core.ModelComponent) -> Any:
    return inspect(component.model).primary_key[0]


async def _commit(session: Session | AsyncSession) -> None:
    """Commit, and keep what is loaded: the component is still to be shown."""
    plain = session.sync_session if isinstance(session, AsyncSession) else session
    expires, plain.expire_on_commit = plain.expire_on_commit, False
    try:
        await core.settle(session.commit())
    finally:
        plain.expire_on_commit = expires


def _model_field(column: Any) -> ModelField:
    kind = column.type.python_type
    accepted = kind
    if isinstance(column.type, String) and not isinstance(column.type, Enum) and column.type.length:
        accepted = Annotated[str, msgspec.Meta(max_length=column.type.length)]
    return ModelField(kind | None, accepted | None if column.nullable else accepted)


class SqlAlchemyModelMixin(ModelMixin):
    """`model`, and the object that `self.params["pk"]` names, in the session that `get_session()` gives."""

    params: dict[str, Any]
    instance: Any

    def get_session(self) -> Session:
        """The session to work in."""
        raise ConfigurationError(
            f"{type(self).__qualname__}.get_session() is not written: return a SQLAlchemy Session."
        )

    def get_instance(self) -> Any:
        """The object with the param `pk`, or a new one without it; raises NotFound where there is none."""
        pk = self.params.get("pk")
        if pk is None:
            return self.model()
        found = self.get_session().get(self.model, pk)
        if found is None:
            raise NotFound(f"there is no {self.model.__name__} {pk!r}")
        return found

    def save_instance(self) -> None:
        """Add `self.instance` to the session and commit."""
        session = self.get_session()
        session.add(self.instance)
        session.commit()
