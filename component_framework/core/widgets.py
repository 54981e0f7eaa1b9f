"""A form as a template sees it: `{{ form }}`, `{{ form.field("email") }}`, and the parts of each field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError, nearest
from .fitting import Form
from .form_data import removed_name, row_name, take_rows
from .marked import Markup
from .rendering import inline_renderer
from .schema import Choice, FormField, FormSchema

if TYPE_CHECKING:
    from .forms import FormComponent
    from .rendering import TemplateFunctions

FOLDER = "component_framework/forms"
"""Where the templates of forms are, in the package and in any template folder that has its own."""

_OWN_TEMPLATE = frozenset({"textarea", "select", "checkbox", "rows", "hidden", "file"})
_GROUPS = {"radio": "choices", "checkboxes": "choices", "select-multiple": "select"}


class BoundForm:
    """The form of a component, with what was typed into it and what is wrong with that."""

    def __init__(self, component: FormComponent) -> None:
        self.component = component
        self.id = f"{component.id}-f{component.form_draft.key}"
        self.submit_label = component._label()
        self._all_errors = component.errors
        self._known: dict[str, BoundField] = {}

    def __html__(self) -> str:
        if self.component._stays("form"):
            self.component._note_shown("form")
            return f'<form id="{self.id}" hx-preserve></form>'
        self.component._note_shown("form")
        return self.render(f"{FOLDER}/form.html", {"form": self})

    __str__ = __html__

    def __iter__(self) -> Iterator[BoundField]:
        return iter(self.fields)

    def __getitem__(self, name: str) -> BoundField:
        """For Django's templates: `{{ form.email }}`."""
        if name not in self.schema.fields:
            raise KeyError(name)
        return self.field(name)

    @property
    def fields(self) -> list[BoundField]:
        """All fields, in their order."""
        return [self.field(name) for name in self.schema.fields]

    def field(self, name: str) -> BoundField:
        """The field `name`; raises ConfigurationError for one that the schema does not have."""
        known = self._known.get(name)
        if known is not None:
            return known
        if name not in self.schema.fields:
            raise ConfigurationError(
                f"{self.schema.title} has no field {name!r} ({nearest(name, self.schema.fields)})."
            )
        bound = self._known[name] = BoundField(self, self.schema.fields[name], name, self.typed)
        return bound

    @cached_property
    def typed(self) -> Form:
        """What the inputs have in them."""
        return self.component._values()

    @cached_property
    def schema(self) -> FormSchema:
        """What the form is made of."""
        return self.component._schema()

    @cached_property
    def errors(self) -> list[str]:
        """What is wrong with the form as a whole, with hidden fields, and with names that it does not have."""
        found = []
        for name, texts in self._all_errors.items():
            field = self._described(name)
            if field is None or field.kind == "hidden":
                title = field.label if field is not None else name
                found += [f"{title}: {text}" if title else text for text in texts]
        return found

    def _described(self, name: str) -> FormField | None:
        """The field that is called `name`, which may be one of a row."""
        owner, _, rest = name.partition("-")
        field = self.schema.fields.get(owner)
        rows = field.rows if field is not None else None
        return field if rows is None or not rest else rows.fields.get(rest.partition("-")[2])

    @property
    def takes_files(self) -> bool:
        """Whether one of its fields is a file."""
        return any(field.limit is not None for field in self.schema.fields.values())

    @property
    def attributes(self) -> Markup:
        """What sends the form: for a <form> of your own."""
        assert self.schema is not None  # a form without a handler says so here
        return self.functions.form(self.component._form_event)

    @cached_property
    def focused(self) -> str:
        """The name of the field that the page goes to: the first that is wrong, or the first of a new row."""
        if self.component._focus:
            return self.component._focus
        if not self.component._failed:
            return ""
        names = (name for field in self.fields for name in field.names)
        return next((name for name in names if name in self._all_errors), "")

    @property
    def focuses_errors(self) -> bool:
        """Whether the page goes to the errors of the form as a whole, no field being wrong."""
        return self.component._failed and not self.focused

    @property
    def goes_back(self) -> bool:
        """Whether there is a step before this one."""
        return "back" in self.component._compiled.handlers and not getattr(self.component, "is_first", True)

    @property
    def back(self) -> Markup:
        """What goes back to the step before."""
        return self.functions.on("back")

    @property
    def back_label(self) -> str:
        """What the button says that goes back."""
        return str(getattr(self.component, "back_label", ""))

    @property
    def functions(self) -> TemplateFunctions:
        found = self.component._functions
        assert found is not None  # a form is shown while its component is
        return found

    def choices(self, field: FormField) -> Iterable[Choice]:
        """The options of a field, for this visitor."""
        return self.component._choices(field)

    def texts(self, name: str) -> list[str]:
        """What is wrong with the field of this name."""
        return self._all_errors.get(name, [])

    def binding(self, name: str) -> Markup:
        """What has the field checked when it is left."""
        trigger = self.component.validate_on
        return Markup("") if trigger is None else self.functions.on("validate", trigger=trigger, _field=name)

    def render(self, template: str, variables: Mapping[str, Any]) -> str:
        """`template`, by the component's renderer."""
        renderer = self.component.renderer or self.functions.host.renderer
        if renderer is None:
            renderer = inline_renderer(type(self.component).__qualname__)
        return str(getattr(renderer, "render_part", renderer.render)(template, variables))


class BoundField:
    """One field of a form, or of a row of it; `{{ field }}` is its label, its input, its help and its errors."""

    def __init__(self, form: BoundForm, field: FormField, name: str, values: Form) -> None:
        self.form = form
        self.name = name
        self.label, self.help, self.kind = field.label, field.help, field.kind
        self.required = field.required
        self.stored, self.clears = field.stored, field.clears
        self._field = field
        self._values = values
        self.id = f"{form.id}-{name}"
        self.errors = form.texts(name)
        """What is wrong with it."""
        self.values = [] if self.kind == "password" else values.get(field.name, [])
        """What is in it; of a password, nothing."""

    def __html__(self) -> str:
        component = self.form.component
        part = self.name
        stays = component._stays(part)
        component._note_shown(part)
        if stays:
            return f'<div id="{self.id}-field" hx-preserve></div>'
        return self.form.render(f"{FOLDER}/field.html", {"form": self.form, "field": self})

    __str__ = __html__

    @property
    def templates(self) -> tuple[str, ...]:
        """The templates of its input, the first that exists being taken."""
        widgets, field = self.form.component.widgets, self._field
        if not widgets and field.widget is None:
            return _templates(field.kind)
        return _templates(field.kind, field.widget, widgets.get(field.name), widgets.get(field.kind))

    @property
    def is_group(self) -> bool:
        """Whether it has several inputs, so that its label is a legend."""
        return self.kind in ("radio", "checkboxes", "rows")

    @property
    def value(self) -> str:
        """What is in it, as one text."""
        return self.values[-1] if self.values else ""

    @property
    def is_checked(self) -> bool:
        """Whether its box is ticked."""
        return self.value.lower() in ("on", "true", "1", "yes")

    @property
    def is_cleared(self) -> bool:
        """Whether the box is ticked that takes its stored file away."""
        return bool(self._values.get(self.clears))

    @property
    def is_multiple(self) -> bool:
        """Whether several of its options may be chosen."""
        return self.kind in ("checkboxes", "select-multiple")

    @property
    def offers_nothing(self) -> bool:
        """Whether its list of options begins with an empty one."""
        unnamed = self.kind == "select" and not ((self._field.initial or self.required) and self.value)
        return unnamed and not any(option.value == "" for option in self.options)

    @cached_property
    def options(self) -> list[Option]:
        """Its options, and which of them are chosen."""
        options = [Option(self, choice, number) for number, choice in enumerate(self.form.choices(self._field))]
        for before, option in zip([None, *options], options, strict=False):
            option.opens_group = bool(option.group) and (before is None or before.group != option.group)
        for option, after in zip(options, [*options[1:], None], strict=False):
            option.closes_group = bool(option.group) and (after is None or after.group != option.group)
        return options

    @property
    def attributes(self) -> list[tuple[str, str]]:
        """The attributes of its input, but for id, name, type and value."""
        lasting = self._lasting
        return [*lasting, *self._passing_beside(lasting)]

    @property
    def attribute_text(self) -> Markup:
        """`attributes` and `binding`, as they stand in a tag."""
        lasting = self._lasting
        passing = "".join(
            [f' {name}="{value}"' for name, value in self._passing_beside(lasting)]
        )  # ids and words of ours
        return Markup(f"{_spell(lasting)}{passing} {self.binding}")

    @property
    def _lasting(self) -> tuple[tuple[str, str], ...]:
        found = self._field.attributes
        if self.kind == "textarea" and not any(name == "rows" for name, _ in found):
            found = (*found, ("rows", "4"))
        if self.form.component._version > 1 and any(name == "autofocus" for name, _ in found):
            found = tuple(pair for pair in found if pair[0] != "autofocus")  # of the page as it is loaded
        return (("required", "required"), *found) if self.required and self.kind != "checkboxes" else found

    def _passing_beside(self, lasting: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        found = [("aria-invalid", "true")] if self.errors else []
        if self.help or self.errors:
            found.append(("aria-describedby", self.described_by))
        if self.is_focused and not any(name == "autofocus" for name, _ in lasting):
            found.append(("autofocus", "autofocus"))
        return found

    @property
    def described_by(self) -> str:
        """The ids of its help and its errors."""
        return " ".join(([f"{self.id}-help"] if self.help else []) + ([f"{self.id}-errors"] if self.errors else []))

    @property
    def is_focused(self) -> bool:
        """Whether the page goes to it."""
        return self.form.focused == self.name

    @property
    def binding(self) -> Markup:
        """What has it checked when it is left."""
        return self.form.binding(self.name)

    @property
    def names(self) -> list[str]:
        """Its name, and those of the fields of its rows."""
        own = [] if self.kind == "hidden" else [self.name]
        return [*own, *(name for row in self.rows for field in row.fields for name in field.names)]

    @cached_property
    def rows(self) -> list[Row]:
        """Its rows, for a list of sub-forms."""
        if self._field.rows is None:
            return []
        rows = list(take_rows(Form(self._values), self._field.name).items())[: self._field.most]
        return [Row(self, key, values, number, number == len(rows)) for number, (key, values) in enumerate(rows, 1)]

    @property
    def removed(self) -> list[str]:
        """What was stored of the rows that were removed from it."""
        return self._values.get(removed_name(self._field.name), [])

    @property
    def adds(self) -> Markup:
        """What adds a row to it."""
        return self.form.functions.on("add_row", _rows=self.name)

    @property
    def is_full(self) -> bool:
        """Whether it takes no more rows."""
        return len(self.rows) >= self._field.most


@lru_cache(maxsize=1024)
def _spell(attributes: tuple[tuple[str, str], ...]) -> str:
    return "".join(f' {name}="{escape(str(value))}"' for name, value in attributes)


@cache
def _templates(kind: str, *own: str | None) -> tuple[str, ...]:
    stem = kind if kind in _OWN_TEMPLATE else _GROUPS.get(kind, "input")
    return (*filter(None, own), *(f"{FOLDER}/{name}.html" for name in dict.fromkeys((kind, stem))))


class Option:
    """One of the options of a field."""

    def __init__(self, field: BoundField, choice: Choice, number: int) -> None:
        self.value, self.label, self.group = choice.value, choice.label, choice.group
        self.opens_group = self.closes_group = False
        self.is_chosen = choice.value in field.values
        self.id = f"{field.id}-{number}"
        self.is_focused = field.is_focused and number == 0


class Row:
    """One sub-form of a list."""

    def __init__(self, owner: BoundField, key: str, values: Form, number: int, is_last: bool) -> None:
        self.key, self.number = key, number
        self.is_first, self.is_last = number == 1, is_last
        self.id = f"{owner.id}-{key}"
        self._owner = owner
        self._values = values

    @property
    def fields(self) -> list[BoundField]:
        """The fields of the sub-form."""
        schema = self._owner._field.rows
        assert schema is not None  # a row has one
        return [
            BoundField(self._owner.form, field, row_name(self._owner.name, self.key, name), self._values)
            for name, field in schema.fields.items()
        ]

    @property
    def removes(self) -> Markup:
        """What removes this row."""
        return self._on("remove_row")

    @property
    def moves_up(self) -> Markup:
        """What moves this row before the one above it."""
        return self._on("move_row", _by="-1")

    @property
    def moves_down(self) -> Markup:
        """What moves this row behind the one below it."""
        return self._on("move_row", _by="1")

    def _on(self, event: str, **args: str) -> Markup:
        return self._owner.form.functions.on(event, _rows=self._owner.name, _row=self.key, **args)
