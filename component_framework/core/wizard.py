"""A form in several steps, each kept as it was filled in; what comes of it gets all of them, validated."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

from .errors import ConfigurationError, Invalid, nearest
from .field_types import require_no_files
from .fitting import Form
from .forms import Draft, FormComponent
from .schema import FormSchema, schema_of


class WizardComponent(FormComponent):
    """A form in steps, a schema for each; `finish()` runs once all of them are valid, and on no path before.

        @register("checkout")
        class Checkout(WizardComponent):
            steps = {"address": Address, "payment": Payment}
            template = "<section>{{ form }}</section>"

            def finish(self, address: Address, payment: Payment) -> None:
                order(address, payment)

    The state has what was typed into the other steps. Keep a wizard that asks for much, or for passwords before its last
    step, in a store: `lives_in = "store"`.
    """

    _step_schemas: ClassVar[Mapping[str, FormSchema]]
    steps: ClassVar[Mapping[str, Any]] = {}
    """The schema of each step by its name, in their order."""
    next_label: ClassVar[str] = "Next"
    back_label: ClassVar[str] = "Back"
    submit_label: ClassVar[str] = "Finish"

    step: str = ""
    kept: dict[str, dict[str, list[str]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, kind in cls.steps.items():
            if (schema := schema_of(kind)) is not None:
                require_no_files(f"{cls.__qualname__}: the step {name!r}", schema)
        if inspect.iscoroutinefunction(cls.finish):
            setattr(cls, "on_submit", _submit_and_wait)  # noqa: B010  # a handler that has to wait says so

    # -- override --------------------------------------------------------------------------------------------------

    def finish(self, *args: Any, **forms: Any) -> Any:
        """Do what the wizard is for, with the value of each step under its name. May be async; may raise Invalid."""
        raise NotImplementedError(f"{type(self).__qualname__} has no finish().")

    # -- its events ------------------------------------------------------------------------------------------------

    def on_submit(self, form: Form) -> Any:
        """Go on to the next step, or finish."""
        names = list(self.steps)
        self._schema().validate(form)
        self._keep()
        if self.current != names[-1]:
            return self._show(names[names.index(self.current) + 1])
        forms: dict[str, Any] = {}
        for name in names:
            try:
                forms[name] = self._schema_of(name).validate(form if name == self.current else Form(self.kept[name]))
            except (Invalid, KeyError) as exc:
                return self._return_to(name, exc)
        return self.finish(**forms)

    def on_back(self, form: Form) -> None:
        """Go back to the step before; what was typed is kept, right or wrong."""
        self._keep()
        names = list(self.steps)
        self._show(names[max(0, names.index(self.current) - 1)])

    # -- use these in a template, or a handler ---------------------------------------------------------------------

    @property
    def current(self) -> str:
        """The name of the step that is shown."""
        return self.step or next(iter(self.steps))

    @property
    def is_first(self) -> bool:
        """Whether there is no step before."""
        return self.current == next(iter(self.steps))

    @property
    def is_last(self) -> bool:
        """Whether there is no step after."""
        return self.current == [*self.steps][-1]

    def reset(self) -> None:
        """Begin anew, with nothing filled in."""
        super().reset()
        self.step, self.kept = "", {}

    # -- the framework's own ---------------------------------------------------------------------------------------

    def _schema(self) -> FormSchema:
        return self._schema_of(self.current)

    def _schema_of(self, name: str) -> FormSchema:
        return self._for_this_event(step_schemas(type(self))[name])

    def _label(self) -> str:
        return self.submit_label if self.is_last else self.next_label

    def _keep(self) -> None:
        stored, fields = self.lives_in == "store", self._schema().fields
        sent = self._sent if self._sent is not None else Form()
        shown = {name: texts for name, texts in sent.items() if stored or not _is_secret(fields, name)}
        self.kept = {**self.kept, self.current: shown}

    def _show(self, name: str) -> None:
        self.step = name
        self.form_draft = Draft(key=self.form_draft.key + 1)
        self._fresh = True
        self._sent = Form(self.kept[name]) if name in self.kept else None
        self._focus = next(iter(self._schema().fields), "")

    def _return_to(self, name: str, exc: Invalid | KeyError) -> None:
        """Show a step that is not right any more, or was never filled in."""
        self._show(name)
        self.errors = exc.errors if isinstance(exc, Invalid) else {}


async def _submit_and_wait(self: WizardComponent, form: Form) -> None:
    outcome = WizardComponent.on_submit(self, form)
    if outcome is not None:
        await outcome


def step_schemas(cls: type[WizardComponent]) -> Mapping[str, FormSchema]:
    """The schema of each step; raises ConfigurationError for steps that cannot be."""
    known: Mapping[str, FormSchema] | None = cls.__dict__.get("_step_schemas")
    if known is None:
        known = _step_schemas(cls)
        cls._step_schemas = known  # a cache of the class, and no field
    return known


def _step_schemas(cls: type[WizardComponent]) -> Mapping[str, FormSchema]:
    found = {name: schema_of(kind) for name, kind in cls.steps.items()}
    if not found or None in found.values():
        raise ConfigurationError(
            f"{cls.__qualname__}.steps needs a schema class for each step: {{'address': Address, …}}."
        )
    parameters = inspect.signature(cls.finish).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        for name in found.keys() ^ (parameters.keys() - {"self"}):
            raise ConfigurationError(
                f"{cls.__qualname__}.finish() takes each step under its name, but not {name!r} ({nearest(name, found)})."
            )
    schemas = {name: schema for name, schema in found.items() if schema is not None}
    _require_open_steps(cls, schemas)
    return schemas


def _require_open_steps(cls: type[WizardComponent], schemas: Mapping[str, FormSchema]) -> None:
    for name, schema in list(schemas.items())[:-1]:
        secrets = [field for field in schema.fields if _is_secret(schema.fields, field)]
        if secrets and cls.lives_in != "store":
            raise ConfigurationError(
                f"{cls.__qualname__}: the page would keep {secrets[0]!r} of the step {name!r} in a token that its visitor can "
                'read. Write lives_in = "store", or ask for it in the last step.'
            )


def _is_secret(fields: Mapping[str, Any], name: str) -> bool:
    return name in fields and fields[name].kind == "password"
