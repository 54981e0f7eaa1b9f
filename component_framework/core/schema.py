"""What a form is made of: the description of its fields, and a schema that validates what was typed into them.

A schema class is a msgspec Struct, a dataclass, a Pydantic model or a Django form, as its author wrote it. `schema_of()`
finds what understands it by where its base classes come from: nothing here imports what the application does not.
"""

from __future__ import annotations

import datetime
import importlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Protocol

import msgspec

from .fitting import Form
from .form_data import MOST_ROWS
from .uploads import Limit

Kind = Literal[
    "text", "email", "password", "url", "tel", "search", "color", "number", "range", "date", "datetime-local", "time", "month",
    "week", "hidden", "textarea", "select", "select-multiple", "radio", "checkbox", "checkboxes", "file", "rows",
]  # fmt: skip
"""How a field is asked for: the type of its input, or another element's name."""


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What the type of a field does not say about its input: `email: Annotated[str, Input(type="email")]`.

    `widget` is a template of its own; `choices` maps values to labels. `required` on a bool: it must be ticked.
    `comma`: a number may be typed with a decimal comma. `min`, `max` and `step` are those of a Decimal, a date or a time.
    `zone` is the time zone that a date with a time is typed in ("Europe/Amsterdam"); a type that has to have one has UTC.
    `mismatch` is what a visitor reads whose text does not fit the pattern.
    """

    type: Kind | None = None
    label: str = ""
    help: str = ""
    placeholder: str = ""
    autocomplete: str = ""
    choices: Mapping[str, str] | None = None
    widget: str | None = None
    required: bool = False
    comma: bool = False
    mismatch: str = ""
    min: Any = None
    max: Any = None
    step: Any = None
    zone: str | datetime.tzinfo = ""


Email = Annotated[
    str,
    msgspec.Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
    Input(type="email", autocomplete="email", mismatch="Enter an address like name@example.org."),
]
"""An address with one @ in it and a dot behind it; whether it exists, only a message to it can tell."""
Password = Annotated[str, Input(type="password")]
"""Text that no answer brings back: neither in the markup nor in the state."""
LongText = Annotated[str, Input(type="textarea")]
"""Text of several lines."""


class Choice(msgspec.Struct, frozen=True):
    """One of the options of a field."""

    value: str
    label: str
    group: str = ""
    """The heading that it stands under."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The file that a field has had from before; `url` may be empty."""

    name: str
    url: str = ""
    label: str = "Currently"
    clear_label: str = "Clear"


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One field, described for whoever shows it; every value in it is text as a form spells it."""

    name: str
    label: str
    kind: Kind = "text"
    required: bool = False
    help: str = ""
    initial: tuple[str, ...] = ()
    choices: Iterable[Choice] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    """Attributes of its input: min, max, minlength, maxlength, pattern, step, autocomplete, placeholder, inputmode."""
    widget: str | None = None
    limit: Limit | None = None
    """What a field lets in that is a file."""
    stored: Stored | None = None
    clears: str = ""
    """The name of the box that takes the stored file away."""
    rows: FormSchema | None = None
    """The sub-form of each row, for a list of them."""
    mismatch: str = ""
    zone: str | datetime.tzinfo = ""
    fewest: int = 0
    most: int = MOST_ROWS
    row_key: str = ""
    """The field of a row that says which stored object it is: those of removed rows are remembered as `lines-removed`."""


class FormSchema(Protocol):
    """What a form's values have to be."""

    @property
    def title(self) -> str:
        """The schema's name, for messages to the developer."""
        ...

    @property
    def fields(self) -> Mapping[str, FormField]:
        """The fields by name, in their order."""
        ...

    def begin(self, values: Any) -> Form:
        """What an untouched form has in it: `values`, an instance of the class or a mapping, and the defaults of other fields."""
        ...

    def validate(self, data: Mapping[str, Any]) -> Any:
        """The value that `data` means: a form's fields (`Form`), or JSON. Raises Invalid with the errors of every field.

        A field of a row is named `lines-0-amount`, "" is the form as a whole, and a name that is no field is an error.
        A schema that may ask a database for this has `blocking = True`. One whose form is made anew for each event has
        `made_with(arguments)`, which gives the schema of that event; `dynamic = True` says that it may have other names.
        """
        ...


def schema_of(kind: Any) -> FormSchema | None:
    """The schema that the class `kind` stands for; None for what is no schema class."""
    return _schema_of(kind) if isinstance(kind, type) else None


_FOREIGN = {
    "pydantic": "component_framework.adapters.pydantic",
    "django": "component_framework.adapters.django.forms",
}


@cache
def _schema_of(kind: type) -> FormSchema | None:
    from .typed_schema import typed_schema

    for owner in kind.__mro__:
        if (place := _FOREIGN.get(owner.__module__.partition(".")[0])) is not None:
            found: FormSchema | None = importlib.import_module(place).schema_of(kind)
            return found
    return typed_schema(kind)


def form_wide(text: str) -> dict[str, list[str]]:
    """An error of the form as a whole."""
    return {"": [text]}
