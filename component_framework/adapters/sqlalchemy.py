"""Components about one object of a SQLAlchemy model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

try:
    from sqlalchemy import inspect, select, update
    from sqlalchemy.exc import DataError, IntegrityError
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session, joinedload, selectinload
    from sqlalchemy.orm.attributes import set_committed_value
    from sqlalchemy.orm.exc import StaleDataError
except ImportError as exc:
    raise ImportError("SQLAlchemy is not installed. Run: pip install 'live-component-framework[sqlalchemy]'") from exc

from ..core import model as core
from ..core.errors import ConfigurationError, Invalid, NotFound
from ..core.model import ModelMixin, Stale, next_version
from ..core.model_spec import ModelField
from ..core.providing import Provided
from ..core.running import run_sync
from .sqlalchemy_columns import key_of, members_of, model_field, related_class
from .sqlalchemy_saving import commit, reload, taken


class SqlAlchemyRepository:
    """Objects of a mapped class, in the session that the engine provides; awaitable where the session is async."""

    keeps_rows = False

    def fields(self, model: Any) -> Mapping[str, ModelField]:
        mapper = inspect(model)
        columns = {
            attribute.key: model_field(attribute.key, attribute.columns[0])
            for attribute in mapper.column_attrs
            if not getattr(attribute.columns[0], "primary_key", False)
        }
        return {**columns, "pk": ModelField(mapper.primary_key[0].type.python_type | None, Any)}

    async def get(self, component: core.ModelComponent) -> Any:
        assert isinstance(component, _Rows)
        query = component.get_queryset().where(key_of(component.model) == component.__dict__["pk"])
        query = query.options(*(joinedload(getattr(component.model, name)) for name in component.select_related))
        query = query.options(*(selectinload(getattr(component.model, name)) for name in component.prefetch_related))
        try:
            return await core.settle(component.session.scalar(query.execution_options(populate_existing=True)))
        except (DataError, OverflowError):
            return None  # no key is like this

    def read(self, component: core.ModelComponent, name: str) -> Any:
        return getattr(component.instance, inspect(component.model).primary_key[0].key if name == "pk" else name)

    async def save(self, component: core.ModelComponent, changed: Mapping[str, Any]) -> None:
        assert isinstance(component, _Rows)
        session = component.session
        await self._require_related(component, changed)
        try:
            await self._write(component, changed)
            await core.settle(session.flush())
            component.__dict__["pk"] = self.read(component, "pk")
            await reload(component, changed)
            await commit(session)
        except IntegrityError as exc:
            await core.settle(session.rollback())
            raise Invalid(await taken(component, changed)) from exc
        except (Stale, StaleDataError) as exc:
            await core.settle(session.rollback())
            raise Stale from exc
        await component._announce()

    async def _require_related(self, component: _Rows, changed: Mapping[str, Any]) -> None:
        """Raise Invalid for a foreign key that this visitor may not choose."""
        for name, value in changed.items():
            related = related_class(component.model, name)
            if related is None or value is None:
                continue
            query = component.get_related(name).where(inspect(related).primary_key[0] == value)
            if await core.settle(component.session.scalar(query)) is None:
                raise Invalid({name: ["This cannot be chosen here."]})

    async def _write(self, component: _Rows, changed: Mapping[str, Any]) -> None:
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
        here = (
            key_of(component.model) == component.__dict__["pk"],
            getattr(component.model, name) == component.row_version,
        )
        query = update(component.model).where(*here).values(changes)
        done: Any = await core.settle(session.execute(query.execution_options(synchronize_session=False)))
        if not done.rowcount:
            raise Stale
        for field, value in changes.items():
            set_committed_value(component.instance, field, value)

    def choices(self, component: core.ModelComponent, name: str) -> Any:
        assert isinstance(component, _Rows)
        if related_class(component.model, name) is not None:
            found = self._related(component, name)
            return run_sync(found) if isinstance(component, ModelComponent) else found
        return members_of(component.model, name)

    async def _related(self, component: _Rows, name: str) -> list[tuple[Any, str]]:
        found = await core.settle(component.session.scalars(component.get_related(name)))
        return [(inspect(one).identity[0], str(one)) for one in found]


class _Rows(core.ModelComponent):
    """What both kinds of session have in common."""

    repository = SqlAlchemyRepository()
    session: Annotated[Any, Provided()]

    def get_queryset(self) -> Any:
        """A `select()` of the objects that this visitor may see and change: any other does not exist for him."""
        return select(self.model)

    def get_related(self, name: str) -> Any:
        """A `select()` of the objects that this visitor may choose for the foreign key `name`."""
        return select(related_class(self.model, name))


class ModelComponent(_Rows):
    """`core.model.ModelComponent` over a `Session`, which the engine provides: `Engine(providers={Session: …})`."""

    session: Annotated[Session, Provided()]

    def mount(self, pk: Any = None) -> None:
        run_sync(self._begin())

    def hydrate(self, state: dict[str, Any]) -> None:
        run_sync(self._restore(state))

    def save(self) -> list[str]:
        """Write what changed and commit; the names of the fields. Raises Invalid, or EditConflict (409)."""
        return run_sync(self._write())


class AsyncModelComponent(_Rows):
    """`ModelComponent` over an `AsyncSession`; `await self.save()`."""

    session: Annotated[AsyncSession, Provided()]
    offered: ClassVar[Sequence[str]] = ()
    """The foreign keys whose choices the template shows: an async session has to be asked for them before it is rendered."""

    async def mount(self, pk: Any = None) -> None:
        await self._begin()

    async def hydrate(self, state: dict[str, Any]) -> None:
        await self._restore(state)

    async def get_context(self) -> Any:
        self.__dict__["_offered"] = {name: await self.choices(name) for name in self.offered}
        return super().get_context()

    async def save(self) -> list[str]:
        """Write what changed and commit; the names of the fields. Raises Invalid, or EditConflict (409)."""
        return await self._write()


class SqlAlchemyModelMixin(ModelMixin):
    """`model`, and the object that `self.params["pk"]` names, in the session that `get_session()` gives."""

    params: dict[str, Any]
    if TYPE_CHECKING:  # an attribute, and no field of the state
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
