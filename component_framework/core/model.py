"""Components about one row of a database, and the seam to what maps rows to objects."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from .errors import ConfigurationError, EditConflict, Invalid, NotFound, Unavailable
from .fitting import Form
from .forms import FormComponent
from .model_spec import ModelField, compile_model, model_form
from .payloads import Payload
from .schema import Choice, FormField, FormSchema

logger = logging.getLogger("component_framework")


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


class ModelComponent(FormComponent):
    """A component about one row of `model`: its `fields` are the component's state, and `save()` writes what changed.

    Use the subclass of your mapper: adapters.django.models.ModelComponent, or one of adapters.sqlalchemy. `readonly`
    fields are shown and never written, `exclude` takes from `fields = "__all__"`. `version_field` names a column that
    changes with every save, a number or a timestamp: then nobody overwrites what he has not seen.

    Its template is written by hand, or shows `{{ form }}`: the form of the fields that `on_save` takes.
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

    _form_event = "save"
    _columns: ClassVar[Mapping[str, ModelField]] = {}
    _writable: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.model is not None:
            compile_model(cls, ModelComponent)

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

    def take(self, values: Mapping[str, Any]) -> None:
        """Assign what a visitor sent; a moment that an input cannot show in full is the one that is there already."""
        for name, value in values.items():
            if value is not msgspec.UNSET and not _is_shown_as(value, getattr(self, name)):
                setattr(self, name, value)

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

    def _offers(self, name: str) -> Any:
        """`choices()`, as a template shows them."""
        known: Mapping[str, Any] = self.__dict__.get("_offered", {})
        return known[name] if name in known else self.choices(name)

    def get_context(self) -> Any:
        own = {
            name: getattr(self, name) for name in ("instance", "original", "changed_fields", "is_dirty", "conflicts")
        }
        more = {
            "choices": _Choices(self),
            "form_errors": self.errors.get("", []),
        }  # `form.errors`, before it had a form
        return {**super().get_context(), **own, **more}

    def dehydrate(self) -> dict[str, Any]:
        before = {name: msgspec.to_builtins(self.original[name]) for name in self.changed_fields}
        return {**super().dehydrate(), "shown_before": before}

    # -- its form --------------------------------------------------------------------------------------------------

    @classmethod
    def _describe_form(cls, payload: Payload) -> FormSchema:
        return model_form(cls, payload)

    def _values(self) -> Form:
        if self._sent is not None:
            return self._sent
        return self._schema().begin({name: getattr(self, name) for name in self._columns})

    def _stays(self, part: str) -> bool:
        """The page keeps the form as it is unless what it is about has changed."""
        shown: Mapping[str, Any] = self.__dict__.get("_shown", {})
        return super()._stays(part) and all(getattr(self, name) == value for name, value in shown.items())

    def _choices(self, field: FormField) -> Iterable[Choice]:
        if field.choices or field.kind not in ("select", "select-multiple", "radio", "checkboxes"):
            return field.choices
        found = self._offers(field.name)
        if hasattr(found, "__await__"):
            found.close()
            raise ConfigurationError(
                f"{type(self).__qualname__} shows the choices of {field.name!r}, which its session has to be awaited for. "
                f"Write offered = ({field.name!r},)."
            )
        return [Choice("" if value is None else str(value), str(label)) for value, label in found]

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
        self.__dict__["_original"], self.__dict__["_shown"] = {**shown, **_typed(self, before)}, shown

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
            self._sent, self._fresh = None, True  # the form shows what the database has now
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


def _is_shown_as(value: Any, present: Any) -> bool:
    if not isinstance(value, (datetime.datetime, datetime.time)) or type(present) is not type(value):
        return False
    return bool(value == present.replace(microsecond=present.microsecond // 1000 * 1000))


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
        return self._component._offers(name)

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
