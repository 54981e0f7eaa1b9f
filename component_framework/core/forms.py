"""A component with a form: validated before its handler runs, shown from its schema, checked while it is filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from .component import Component
from .errors import ConfigurationError, Invalid
from .fitting import Form, only
from .form_data import as_form, next_key, put_rows, removed_name, take_rows
from .payloads import Fit, FormPayload, Payload, RawPayload, form_payload, schema_for
from .schema import Choice, FormField, FormSchema
from .spec import Handler, spec_of
from .widgets import BoundForm

CUES = frozenset({"_field", "_rows", "_row", "_by"})
"""What the form's own events say besides the form: the field that was left; the list, its row, and how far to move it."""


class Draft(msgspec.Struct, frozen=True):
    """What is remembered of a form between two events; what was typed is not: it stays in the page and comes with each."""

    key: int = 0
    """Counts the resets: a form with another number is another form."""
    touched: tuple[str, ...] = ()
    """The fields that were left, so that what is wrong with them may be shown."""
    submitted: bool = False
    shown: tuple[str, ...] = ()
    """The parts that the page shows."""
    refused: dict[str, list[str]] = {}
    """What was wrong with files when they were sent: they are not, when another field is checked."""


class FormComponent(Component):
    """A component with a form; `on_submit` runs with valid values only, and on no path without.

    @register("sign_up")
    class SignUp(FormComponent):
        schema = Account
        template = "<section>{{ form }}</section>"

        def on_submit(self, form: Account) -> None:
            create(form.email)
            self.reset()
    """

    __slots__ = ("_cue", "_failed", "_focus", "_fresh", "_made", "_sent", "_was_shown")

    schema: ClassVar[Any] = None
    """A msgspec Struct, a dataclass, a Pydantic model or a Django form; without one, the parameters of `on_submit`."""
    widgets: ClassVar[Mapping[str, str]] = {}
    """Templates by the name of a field, or by its kind: {"email": "my/email.html"}."""
    validate_on: ClassVar[str | None] = "change"
    """When a field is checked (htmx's hx-trigger; "input changed delay:400ms" is while typing); None: on submit alone."""
    submit_label: ClassVar[str] = "Save"
    """What the button of `{{ form }}` says."""

    form_draft: Draft = Draft()

    _form_event: ClassVar[str] = "submit"
    _sent: Form | None
    _cue: Mapping[str, str]
    _failed: bool
    _fresh: bool
    _focus: str
    _was_shown: tuple[str, ...]
    _made: dict[FormSchema, FormSchema]

    # -- override, or use in a handler -----------------------------------------------------------------------------

    def initial(self) -> Any:
        """The values to begin with: an instance of the schema, or some of its fields as a mapping."""
        return {}

    def form_arguments(self) -> Mapping[str, Any]:
        """What a Django form is made with besides its data, once for each event: `{"instance": self.find_order()}`."""
        return {}

    def reset(self) -> None:
        """Show a new, empty form."""
        self.form_draft = Draft(key=self.form_draft.key + 1)
        self._sent, self._fresh, self._made = None, True, {}
        self.errors = {}

    def get_context(self) -> Any:
        """The variables of the template: those of every component, and `form`."""
        self._was_shown, self.form_draft = self.form_draft.shown, replace(self.form_draft, shown=())
        return {**super().get_context(), "form": BoundForm(self)}

    # -- events that every form has --------------------------------------------------------------------------------

    def on_validate(self, form: Form) -> None:
        """Show what is wrong with the fields that were left so far."""
        self._check(self._cue.get("_field"))

    def on_add_row(self, form: Form) -> None:
        """Add an empty row to a list of sub-forms."""
        self._change_rows(self._add)

    def on_remove_row(self, form: Form) -> None:
        """Remove a row."""
        self._change_rows(self._remove)

    def on_move_row(self, form: Form) -> None:
        """Move a row up or down."""
        self._change_rows(self._move)

    # -- the framework's own ---------------------------------------------------------------------------------------

    def _forget(self, *, anew: bool) -> None:
        super()._forget(anew=anew)
        self._sent, self._cue, self._focus = None, {}, ""
        self._fresh = self._failed = False
        self._was_shown, self._made = (), {}

    @classmethod
    def _describe_form(cls, payload: Payload) -> FormSchema:
        return schema_for(cls, payload)

    def _schema(self) -> FormSchema:
        return self._for_this_event(form_schema(type(self)))

    def _for_this_event(self, schema: FormSchema) -> FormSchema:
        make = getattr(schema, "made_with", None)
        if make is None:
            return schema
        if schema not in self._made:
            self._made[schema] = make(self.form_arguments)
        return self._made[schema]

    def _payload(self, handler: Handler) -> Fit:
        return form_payload(handler.shape, self._schema) if handler.event == self._form_event else handler.shape

    def _choices(self, field: FormField) -> Iterable[Choice]:
        return field.choices

    def _label(self) -> str:
        return self.submit_label

    def _accept(self, handler: Handler, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        self._cue = {name: _cue(payload[name]) for name in CUES & payload.keys()}
        given = only(payload, payload.keys() - CUES)
        if self._is_form(handler):
            self._sent = Form(as_form(only(given, given.keys() - self._compiled.bound.names - self._files(handler))))
            if handler.event != self._form_event:
                given = only(given, given.keys() - (self._files() - handler.uploads.keys()))
            arguments = super()._accept(handler, given)
            if handler.event == self._form_event:
                self.form_draft = replace(self.form_draft, touched=(), submitted=False, refused={})
            return arguments
        return super()._accept(handler, self._set_aside(handler, given))

    def _is_form(self, handler: Handler) -> bool:
        return isinstance(handler.shape, (FormPayload, RawPayload)) or handler.event == self._form_event

    def _files(self, handler: Handler | None = None) -> Set[str]:
        """The names of the form's files, and of those of `handler`: they are in no answer and in no state."""
        own = self._compiled.handlers.get(self._form_event)
        names: Set[str] = own.uploads.keys() if own is not None else frozenset()
        return names if handler is None or handler is own else names | handler.uploads.keys()

    def _set_aside(self, handler: Handler, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the handler takes; the fields of the form around its button are kept for the next rendering."""
        fields = self._schema().fields
        own = {name for name in given if name not in handler.shape.names and name.partition("-")[0] in fields}
        if not own:
            return given
        self._sent = Form(as_form(only(given, own - self._files())))
        return only(given, given.keys() - own)

    def _show_refusal(self, handler: Handler, errors: dict[str, list[str]]) -> None:
        self.errors = errors
        self._failed = self._is_form(handler)
        if self._failed:
            self.form_draft = replace(self.form_draft, submitted=True)
        if self._failed and handler.uploads:
            refused = {name: errors[name] for name in self._files(handler) if name in errors}
            self.form_draft = replace(self.form_draft, refused=refused)

    def _check(self, left: str | None) -> None:
        assert self._sent is not None  # _accept() put it there
        draft = self.form_draft
        if left and left not in draft.touched and self._knows(left):
            draft = self.form_draft = replace(draft, touched=(*draft.touched, left))
        if left in draft.refused:  # there is another file now, or none
            kept = {name: texts for name, texts in draft.refused.items() if name != left}
            draft = self.form_draft = replace(draft, refused=kept)
        wrong: Mapping[str, list[str]] = {}
        try:
            self._schema().validate(self._sent)
        except Invalid as exc:
            wrong = exc.errors
        told = wrong.keys() - self._files()
        self.errors = {
            name: wrong[name] for name in wrong if name in told and (draft.submitted or name in draft.touched)
        }
        self.errors.update(draft.refused)

    def _knows(self, name: str) -> bool:
        sent = self._sent if self._sent is not None else {}
        return name in self._schema().fields or name in sent

    def _change_rows(self, change: Callable[[dict[str, Form]], Any]) -> None:
        name = self._cue.get("_rows", "")
        field = self._schema().fields.get(name)
        if field is None or field.rows is None or self._sent is None:
            raise Invalid({name: ["There is no such list."]})
        rows = take_rows(self._sent, name)
        change(rows)
        put_rows(self._sent, name, rows)
        self._check(None)

    def _add(self, rows: dict[str, Form]) -> None:
        field = self._schema().fields[self._cue["_rows"]]
        assert field.rows is not None
        if len(rows) >= field.most:
            raise Invalid({field.name: [f"Must be at most {field.most} long."]})
        key = next_key(rows)
        rows[key] = field.rows.begin({})
        self._focus = f"{field.name}-{key}-{next(iter(field.rows.fields), '')}"

    def _remove(self, rows: dict[str, Form]) -> None:
        name = self._cue["_rows"]
        row = rows.pop(self._row(rows))
        if stored := row.get(self._schema().fields[name].row_key):
            assert self._sent is not None  # _accept() put it there
            removed = removed_name(name)
            self._sent[removed] = [*self._sent.get(removed, []), *stored]

    def _move(self, rows: dict[str, Form]) -> None:
        key, keys = self._row(rows), list(rows)
        place = keys.index(key) + (-1 if self._cue.get("_by") == "-1" else 1)
        keys.remove(key)
        keys.insert(max(0, place), key)
        moved = {other: rows[other] for other in keys}
        rows.clear()
        rows.update(moved)

    def _row(self, rows: Mapping[str, Form]) -> str:
        key = self._cue.get("_row", "")
        if key not in rows:
            raise Invalid({self._cue.get("_rows", ""): ["There is no such row."]})
        return key

    def _values(self) -> Form:
        """What the inputs have in them: what was sent, or what the form begins with."""
        if self._sent is not None:
            return self._sent
        return self._schema().begin(self.initial())

    def _stays(self, part: str) -> bool:
        """Whether the page keeps `part` as the visitor left it: this event came without the form."""
        return self._sent is None and not self._fresh and self._version > 1 and part in self._was_shown

    def _note_shown(self, part: str) -> None:
        self.form_draft = replace(self.form_draft, shown=(*self.form_draft.shown, part))


def form_schema(cls: type[FormComponent]) -> FormSchema:
    """The schema of the class: that of its `on_submit`."""
    found: FormSchema | None = cls.__dict__.get("_form_schema")
    if found is None:
        handler = spec_of(cls).handlers.get(cls._form_event)
        if handler is None:
            raise ConfigurationError(
                f"{cls.__qualname__} has no on_{cls._form_event}. Write def on_submit(self, form: …) -> None."
            )
        found = cls._describe_form(handler.shape)
        cls._form_schema = found  # type: ignore[attr-defined]  # a cache of the class, and no field
    return found


def _cue(value: Any) -> str:
    return str(value[-1] if isinstance(value, list) and value else value)
