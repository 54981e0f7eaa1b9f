"""Components about one row of a database, and the seam to what maps rows to objects."""

from __future__ import annotations

import datetime
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import msgspec

from .component import Component
from .errors import ConfigurationError, EditConflict, Invalid, NotFound, Unavailable, nearest

logger = logging.getLogger("component_framework")
T = TypeVar("T")


class ModelField(NamedTuple):
    """A column: the type of what is stored, and that of what a visitor may send, which may be narrower."""

    stored: Any
    accepted: Any


class Repository(Protocol):
    """Finds and saves the objects of one kind of model. `get`, `save` and `choices` may give awaitables."""

    @property
    def keeps_rows(self) -> bool:
        """Whether an object stays good after a call was refused, so that it need not be loaded anew to show the errors."""
        ...

    def fields(self, model: Any) -> Mapping[str, ModelField]:
        """The columns of `model`, `pk` being its key."""
        ...

    def get(self, component: ModelComponent) -> Any:
        """The object that `component.pk` names, within what this visitor may have; None where there is none."""
        ...

    def read(self, component: ModelComponent, name: str) -> Any:
        """The value of a column of `component.instance`, as the state holds it."""
        ...

    def save(self, component: ModelComponent, changed: Mapping[str, Any]) -> Any:
        """Write `changed` in a transaction, and only if the row still has `component.row_version`; else raises Stale.

        Raises Invalid for values that the model refuses. What happens after the commit is the repository's to arrange.
        """
        ...

    def choices(self, component: ModelComponent, name: str) -> Any:
        """The values that a column may have, each with its label."""
        ...


class Stale(Exception):
    """The row is not at the version that the page shows."""


class Versions(NamedTuple):
    """A value that two people changed: the visitor's own, and what is in the database now."""

    mine: Any
    theirs: Any


class ModelComponent(Component):
    """A component about one row of `model`: its `fields` are the component's state, and `save()` writes what changed.

    Use the subclass of your mapper: adapters.django.models.ModelComponent, or one of adapters.sqlalchemy. `readonly`
    fields are shown and never written, `exclude` takes from `fields = "__all__"`. `version_field` names a column that
    changes with every save, a number or a timestamp: then nobody overwrites what he has not seen.
    """

    model: ClassVar[Any] = None
    fields: ClassVar[Sequence[str]] = ()
    readonly: ClassVar[Sequence[str]] = ()
    exclude: ClassVar[Sequence[str]] = ()
    version_field: ClassVar[str | None] = None
    select_related: ClassVar[Sequence[str]] = ()
    prefetch_related: ClassVar[Sequence[str]] = ()
    may_create: ClassVar[bool] = False
    """True lets the component begin a new row where no `pk` is given; otherwise that is a 404."""
    repository: ClassVar[Repository]

    _columns: ClassVar[Mapping[str, ModelField]] = {}
    _writable: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.model is not None:
            _compile(cls)

    # -- use these -------------------------------------------------------------------------------------------------

    @property
    def instance(self) -> Any:
        """The object itself, loaded once for this event."""
        return self.__dict__["_instance"]

    @property
    def original(self) -> Mapping[str, Any]:
        """The values that the visitor was shown before anything was changed."""
        original: Mapping[str, Any] = self.__dict__["_original"]
        return original

    @property
    def changed_fields(self) -> list[str]:
        """The names of the fields whose values are not the original ones."""
        return [name for name in self._columns if name != "pk" and getattr(self, name) != self.original[name]]

    @property
    def is_dirty(self) -> bool:
        """Whether anything is changed and not saved."""
        return bool(self.changed_fields)

    @property
    def conflicts(self) -> Mapping[str, Versions]:
        """After a save that came too late: what the visitor wanted, and what is in the database."""
        conflicts: Mapping[str, Versions] = self.__dict__.get("_conflicts", {})
        return conflicts

    @property
    def row_version(self) -> Any:
        """The version that the visitor was shown; None for a new row, or where no version is kept."""
        return (
            self.original[self.version_field] if self.version_field and getattr(self, "pk", None) is not None else None
        )

    @property
    def topic(self) -> str:
        """The topic of this row, published after each commit: `order:7`."""
        return f"{self.model.__name__.lower()}:{getattr(self, 'pk', None)}"

    def refresh(self) -> None:
        """Show what is in the database now, in place of what the page showed and of changes that were not saved."""
        self._take_values()

    def catch_up(self) -> Any:
        """Show the row as it is now, unless the visitor has changed something that is not saved."""
        if not self.is_dirty:
            self.refresh()

    def choices(self, name: str) -> Any:
        """The values that the field `name` may have, each with its label."""
        return self.repository.choices(self, name)

    def get_context(self) -> Any:
        own = {
            name: getattr(self, name) for name in ("instance", "original", "changed_fields", "is_dirty", "conflicts")
        }
        more = {"choices": _Choices(self), "form_errors": self.errors.get("", [])}
        return {**super().get_context(), **own, **more}

    def dehydrate(self) -> dict[str, Any]:
        before = {name: msgspec.to_builtins(self.original[name]) for name in self.changed_fields}
        return {**super().dehydrate(), "shown_before": before}

    # -- for the subclasses of mappers -----------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Load the row that the params name, or begin a new one; params of other fields are changes that wait."""
        given = {name: self.__dict__[name] for name in self._columns if name in self.__dict__ and name != "pk"}
        await self._load()
        self.__dict__.update(given)

    async def _restore(self, state: Mapping[str, Any]) -> None:
        """Take over what the page showed, and load the row as it is now."""
        self.state.update(state)
        before: Mapping[str, Any] = state.get("shown_before", {})
        shown = {name: self.__dict__[name] for name in self._columns}
        await self._load()
        waiting = self.__dict__.pop("_waiting", None)
        if waiting is not None:  # a save came too late: the visitor's values stay, over what is in the database now
            self.__dict__.update(waiting)
            return
        self.__dict__.update(shown)
        self.__dict__["_original"] = {**shown, **_typed(self, before)}

    async def _load(self) -> None:
        if not self._is_untouched():
            self.__dict__["_instance"] = instance = await self._find()
            self.__dict__["_untouched"] = dict(vars(instance))
        self._take_values()

    def _is_untouched(self) -> bool:
        """Whether the row was loaded in this call, and nothing was done to it since."""
        loaded = self.__dict__.get("_instance")
        return self.repository.keeps_rows and loaded is not None and vars(loaded) == self.__dict__["_untouched"]

    async def _find(self) -> Any:
        try:
            pk = msgspec.convert(self.__dict__.get("pk"), self._columns["pk"].stored, strict=False)
        except msgspec.ValidationError:
            raise NotFound(f"no {self.model.__name__} has a key like {self.__dict__['pk']!r}") from None
        self.__dict__["pk"] = pk
        if pk is None:
            found = self.model() if self.may_create else None
        else:
            found = await settle(self.repository.get(self))
        if found is None:
            raise NotFound(f"there is no {self.model.__name__} {pk!r} for this visitor")
        return found

    def _take_values(self) -> None:
        values = {name: self.repository.read(self, name) for name in self._columns}
        self.__dict__.update(values)
        self.__dict__["_original"] = values

    async def _write(self) -> list[str]:
        """Save what changed; the names of the fields."""
        changed = {name: getattr(self, name) for name in self.changed_fields}
        if closed := changed.keys() - self._writable:
            raise ConfigurationError(f"{type(self).__qualname__}.{min(closed)} is read-only: it is not in `fields`.")
        if unfit := [name for name, value in changed.items() if isinstance(value, str) and "\0" in value]:
            raise Invalid({name: ["This has a character that cannot be stored."] for name in unfit})
        if changed or getattr(self, "pk", None) is None:
            try:
                await settle(self.repository.save(self, changed))
            except Stale:
                await self._show_both(changed)
            self._take_values()
        return list(changed)

    async def _show_both(self, changed: Mapping[str, Any]) -> None:
        """Raise EditConflict, with both values of what was changed twice."""
        mine, original = dict(changed), self.original
        self.__dict__.pop("_instance", None)
        await self._load()
        theirs = self.original
        self.__dict__["_waiting"] = mine
        self.__dict__["_conflicts"] = {
            name: Versions(value, theirs[name]) for name, value in mine.items() if theirs[name] != original[name]
        }
        errors = {name: [f"In the meantime this became: {both.theirs}"] for name, both in self.conflicts.items()}
        raise EditConflict({"": [EditConflict.public], **errors})

    async def _announce(self) -> None:
        """Publish the row's topic, where the engine has pages to tell; the commit stands, whatever comes of it."""
        publish = getattr(self._host, "publish", None)
        try:
            if publish is not None:
                await settle(publish(self.topic))
        except Unavailable:
            logger.warning("%s was saved, but nobody could be told of it", self.topic, exc_info=True)

    def _announce_sync(self) -> None:
        """`_announce()` for code without an event loop."""
        publish = getattr(self._host, "publish_sync", None)
        try:
            if publish is not None:
                publish(self.topic)
        except Unavailable:
            logger.warning("%s was saved, but nobody could be told of it", self.topic, exc_info=True)


def next_version(version: Any) -> Any:
    """What follows a version: a number counts up, a timestamp becomes the present time."""
    return version + 1 if isinstance(version, int) else datetime.datetime.now(version.tzinfo)


class _Choices(Mapping[str, Any]):
    """`choices.status` in a template, which may not be able to call a method with an argument."""

    def __init__(self, component: ModelComponent) -> None:
        self._component = component

    def __getitem__(self, name: str) -> Any:
        if name not in self._component._columns:
            raise KeyError(name)
        return self._component.choices(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._component._columns)

    def __len__(self) -> int:
        return len(self._component._columns)


async def settle(value: Any) -> Any:
    """`value`, awaited where it is awaitable: a repository may be sync or async."""
    return await value if hasattr(value, "__await__") else value


def _typed(component: ModelComponent, before: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the state that no annotation describes one by one: JSON, as it came back."""
    return {name: msgspec.convert(value, component._compiled.state.fields[name].type) for name, value in before.items()}


def _compile(cls: type[ModelComponent]) -> None:
    """Give the class state fields, and an `on_save` that takes what may be written, out of its model."""
    known = cls.repository.fields(cls.model)
    wanted = tuple(known) if cls.fields == "__all__" else tuple(cls.fields)
    _require_known(cls, known, (*wanted, *cls.readonly, *cls.exclude, *filter(None, [cls.version_field])))
    shown = dict.fromkeys((*wanted, *cls.readonly, *filter(None, [cls.version_field])))
    names = [name for name in shown if name not in cls.exclude and name != "pk"]
    for name in names:
        if hasattr(ModelComponent, name):
            raise ConfigurationError(
                f"{cls.__qualname__}: ModelComponent has a {name!r} of its own, so that no field can have that name. "
                f"Take it out of `fields`, and read it as `instance.{name}`."
            )
    dropped = dict.fromkeys(
        cls._columns.keys() - {"pk", *names}, ClassVar[Any]
    )  # the base class's: no state of this one
    cls._columns = {"pk": known["pk"], **{name: known[name] for name in names}}
    cls._writable = frozenset(wanted).difference(cls.readonly, cls.exclude, [cls.version_field, "pk"])
    own = inspect.get_annotations(cls)
    state = {name: column.stored for name, column in cls._columns.items()} | {"shown_before": dict[str, Any]}
    cls.__annotations__ = {**dropped, **state, **own}
    cls.pk = getattr(cls, "pk", None)  # type: ignore[attr-defined]  # the default of the field that was just added
    cls.shown_before = {}  # type: ignore[attr-defined]  # as above
    written = getattr(cls, "on_save", None)
    if written is None or getattr(written, "is_made", False):
        cls.on_save = _saver(cls)  # type: ignore[attr-defined]  # a handler like any other


def _require_known(cls: type[ModelComponent], known: Iterable[str], names: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"{cls.__qualname__}: {cls.model.__name__} has no field {name!r} ({nearest(name, known)})."
            )


def _saver(cls: type[ModelComponent]) -> Callable[..., Any]:
    """The handler that takes any of the writable fields and saves them."""

    def on_save(self: Any, **values: Any) -> Any:
        for name, value in values.items():
            if value is not msgspec.UNSET:
                setattr(self, name, value)
        saved = self.save()
        if hasattr(saved, "__await__"):
            return _ignore(saved)
        return None

    names = [name for name in cls._columns if name in cls._writable]
    types = {name: cls._columns[name].accepted for name in names}
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty
            if types[name] is bool
            else msgspec.UNSET,  # a box that is not ticked is False
        )
        for name in names
    ]
    on_save.is_made = True  # type: ignore[attr-defined]  # so that a subclass with other fields gets its own
    on_save.__annotations__ = types
    on_save.__signature__ = inspect.Signature([me, *given])  # type: ignore[attr-defined]  # PEP 362
    return on_save


async def _ignore(saved: Coroutine[Any, Any, Any]) -> None:
    await saved


class ModelMixin:
    """A component that shows one object of `model`; an adapter's mixin says how it is found and saved."""

    model: ClassVar[Any] = None

    def get_instance(self) -> Any:
        """The object that this component is about; a new one where the params name none."""
        raise ConfigurationError(f"{_who(self)}.get_instance() is not written. {_FIX}")

    def save_instance(self) -> Any:
        """Save the object."""
        raise ConfigurationError(f"{_who(self)}.save_instance() is not written. {_FIX}")


_FIX = "Use the mixin of your ORM, adapters.django.models.DjangoModelMixin or adapters.sqlalchemy.SqlAlchemyModelMixin, or write it."


def _who(mixin: ModelMixin) -> str:
    return type(mixin).__qualname__
