"""Files as the fields of forms: from a schema of any kind, checked with the other fields, and in no state."""

from __future__ import annotations

import base64
import dataclasses
from typing import Annotated, Any

import msgspec
import pydantic
import pytest
from selectolax.lexbor import LexborHTMLParser

from component_framework import Component, Engine, FormComponent, Limit, Registry, Upload, WizardComponent
from component_framework.adapters.jinja import JinjaRenderer
from component_framework.core.component import Context
from component_framework.core.errors import ConfigurationError, Invalid
from component_framework.core.fitting import Form
from component_framework.core.schema import Input
from component_framework.testing import Page, mount

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
Photo = Annotated[Upload, Limit("1 KB", {"image/png"}, count=2)]
NO_PHOTOS: list[Any] = []
Name = Annotated[str, msgspec.Meta(max_length=5)]


class Member(msgspec.Struct):
    name: Name
    photo: Photo
    letter: Annotated[Upload, Limit("1 KB")] | None = None
    more: list[Photo] = []


@dataclasses.dataclass
class Person:
    name: Name
    photo: Photo
    letter: Annotated[Upload, Limit("1 KB")] | None = None
    more: list[Photo] = dataclasses.field(default_factory=list)


class Model(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=5)
    photo: Photo
    letter: Annotated[Upload, Limit("1 KB")] | None = None
    more: list[Photo] = []

    @pydantic.field_validator("photo")
    @classmethod
    def is_no_secret(cls, photo: Upload) -> Upload:
        if photo.name == "secret.png":
            raise ValueError("This picture is secret.")
        return photo


class Album(msgspec.Struct):
    members: list[Member]


class Wrong(msgspec.Struct):
    photo: Annotated[str, Input(type="file")]


class Club(FormComponent):
    template = "<section>{{ form }}<p>{{ said }}</p><button {{ on('tick') }}>{{ ticks }}</button></section>"
    said: str = ""
    ticks: int = 0

    def welcome(self, form: Any) -> None:
        if form.name == "Eve":
            raise Invalid({"name": ["There is an Eve already."]})
        letter = form.letter.read().decode() if form.letter is not None else "nothing"
        self.said = f"{form.name} {form.photo.name} {form.photo.size} {letter} {[one.name for one in form.more]}"
        self.reset()

    def on_tick(self) -> None:
        self.ticks += 1


class StructClub(Club):
    schema = Member

    def on_submit(self, form: Member) -> None:
        self.welcome(form)


class DataclassClub(Club):
    def on_submit(self, form: Person) -> None:
        self.welcome(form)


class ModelClub(Club):
    schema = Model

    def on_submit(self, form: Model) -> None:
        self.welcome(form)


class ArgumentsClub(Club):
    def on_submit(
        self,
        name: Name,
        photo: Photo,
        letter: Annotated[Upload, Limit("1 KB")] | None = None,
        more: list[Photo] = NO_PHOTOS,
    ) -> None:
        self.welcome(Person(name, photo, letter, more))


@pytest.fixture(params=[StructClub, DataclassClub, ModelClub, ArgumentsClub])
def page(request: pytest.FixtureRequest) -> Page:
    return mount(request.param)


def tag(page: Page, selector: str) -> dict[str, str | None]:
    found = LexborHTMLParser(page.html).css_first(selector)
    assert found is not None
    return dict(found.attributes)


def errors(page: Page) -> dict[str, list[str]]:
    return {name: page.texts(f"[id$=-{name}-errors] p") for name in ("name", "photo", "letter", "more")}


NOTHING: dict[str, list[str]] = {"name": [], "photo": [], "letter": [], "more": []}


def test_a_file_is_asked_for_with_an_input_of_its_own(page: Page) -> None:
    photo = tag(page, "[name=photo]")
    assert (photo["type"], photo["accept"], "required" in photo, "multiple" in photo) == (
        "file",
        "image/png",
        True,
        False,
    )
    assert page.text(f"label[for={photo['id']}]") == "Photo *"
    letter, more = tag(page, "[name=letter]"), tag(page, "[name=more]")
    assert ("accept" in letter, "required" in letter) == (False, False)
    assert (more["accept"], "multiple" in more, "required" in more) == ("image/png", True, False)
    form = tag(page, "form")
    assert (form["enctype"], form["hx-encoding"]) == ("multipart/form-data", "multipart/form-data")
    assert tag(page, "progress[data-upload]")["aria-label"] == "Sent"


def test_the_handler_gets_files_among_the_values(page: Page) -> None:
    page.fill(name="Ada").choose("[name=photo]", ("../a.png", PNG)).choose("[name=letter]", ("l.txt", b"Dear all"))
    page.choose("[name=more]", ("b.png", PNG), ("c.png", PNG)).submit()
    assert (page.status, page.text("form + p")) == (200, "Ada a.png 108 Dear all ['b.png', 'c.png']")


def test_files_that_may_be_missing_are_nothing(page: Page) -> None:
    page.fill(name="Ada").choose("[name=photo]", ("a.png", PNG)).submit()
    assert page.text("form + p") == "Ada a.png 108 nothing []"


def test_everything_that_is_wrong_with_files_and_other_fields_is_told_at_once(page: Page) -> None:
    page.fill(name="Augusta").choose("[name=photo]", ("a.png", PNG * 20)).choose("[name=letter]", ("l.png", b"<html>"))
    page.choose("[name=more]", *[("b.png", PNG)] * 3).submit()
    assert page.status == 422
    found = errors(page)
    assert "5" in found.pop("name")[0]
    assert found == {
        "photo": ["This file is larger than 1 KB."],
        "letter": [],
        "more": ["Choose at most 2 files."],
    }
    photo = tag(page, "[name=photo]")
    assert (photo["aria-invalid"], photo["aria-describedby"]) == ("true", f"{photo['id']}-errors")
    assert page.value("[name=name]") == "Augusta"


def test_a_file_that_is_missing_or_of_a_wrong_type_says_so(page: Page) -> None:
    page.submit()
    assert errors(page)["photo"] == ["This field is required."]
    page.fill(name="Ada").choose("[name=photo]", ("a.png", b"no picture")).submit()
    assert errors(page)["photo"] == ["Files of this type are not accepted here."]


def test_typed_values_stay_when_another_field_is_wrong(page: Page) -> None:
    page.fill(name="Eve").choose("[name=photo]", ("a.png", PNG)).submit()
    assert (page.status, page.value("[name=name]")) == (422, "Eve")
    assert errors(page) == NOTHING | {"name": ["There is an Eve already."]}
    assert page.fill(name="Ada").submit().text("form + p").startswith("Ada a.png")


def test_leaving_a_field_neither_sends_nor_requires_a_file(page: Page) -> None:
    page.choose("[name=photo]", ("a.png", PNG)).fill(name="Augusta").trigger("[name=name]", "change")
    assert page.status == 200
    found = errors(page)
    assert len(found.pop("name")) == 1
    assert not any(found.values())
    assert tag(page, "[name=name]")["hx-encoding"] == "application/x-www-form-urlencoded"


def test_what_is_wrong_with_a_file_stays_until_another_is_chosen(page: Page) -> None:
    page.fill(name="Augusta").choose("[name=photo]", ("a.png", PNG * 20)).submit()
    page.fill(name="Ada").trigger("[name=name]", "change")
    assert errors(page) == NOTHING | {"photo": ["This file is larger than 1 KB."]}
    page.choose("[name=photo]", ("a.png", PNG)).trigger("[name=photo]", "change")
    assert errors(page) == NOTHING
    assert page.submit().status == 200


class Inside(StructClub):
    template = """<section><form {{ form.attributes }}>{% for field in form %}{{ field }}{% endfor %}
      <button type="button" {{ on("tick") }}>{{ ticks }}</button><button>Save</button></form><p>{{ said }}</p></section>"""

    def on_submit(self, form: Member) -> None:
        self.welcome(form)

    def on_tick(self, **fields: Any) -> None:
        self.ticks += 1


def test_a_button_within_the_form_does_not_send_the_files_and_keeps_what_was_typed() -> None:
    page = mount(Inside).fill(name="Ada").choose("[name=photo]", ("a.png", PNG)).click("button[type=button]")
    assert (page.status, page.text("button[type=button]"), page.value("[name=name]")) == (200, "1", "Ada")
    assert tag(page, "button[type=button]")["hx-encoding"] == "application/x-www-form-urlencoded"
    assert "object File" not in page.html
    assert page.submit().text("p:last-child") == "Ada a.png 108 nothing []"


def test_what_the_handler_says_of_a_file_stays_at_its_field_until_another_is_chosen() -> None:
    class Picky(StructClub):
        def on_submit(self, form: Member) -> None:
            raise Invalid({"photo": ["Not this one."], "name": ["Nor you."]})

    page = mount(Picky).fill(name="Ada").choose("[name=photo]", ("a.png", PNG)).submit()
    assert errors(page) == NOTHING | {"photo": ["Not this one."], "name": ["Nor you."]}
    assert errors(page.trigger("[name=name]", "change")) == NOTHING | {"photo": ["Not this one."]}
    assert errors(page.trigger("[name=photo]", "change")) == NOTHING


def test_a_button_beside_the_form_leaves_the_files_alone(page: Page) -> None:
    page.choose("[name=photo]", ("a.png", PNG)).click("button", text="0")
    assert (page.status, page.has("form[hx-preserve]") or page.has("[name=photo]")) == (200, True)


def test_a_file_is_in_no_state_and_in_no_answer(page: Page) -> None:
    content = PNG + b"canary"
    page.fill(name="Eve").choose("[name=photo]", ("name-of-it.png", content)).submit()
    token = tag(page, "[data-state]")["data-state"] or ""
    known = base64.urlsafe_b64decode(token.partition(".")[0] + "==")
    assert b"form_draft" in known
    assert b"canary" not in known + page.html.encode()
    assert b"name-of-it" not in known + page.html.encode()


@pytest.mark.parametrize("kind", [StructClub, DataclassClub, ModelClub, ArgumentsClub])
@pytest.mark.parametrize(
    "payload",
    [Form(name=["Ada"], photo=["a.png"]), {"name": "Ada", "photo": "a.png"}, {"name": "Ada", "photo": {"a": 1}}],
)
def test_text_in_the_place_of_a_file_is_refused(kind: type[Component], payload: Any) -> None:
    found = kind().dispatch("submit", payload)
    assert (found["errors"], found["state"]["said"]) == ({"photo": ["Choose a file."]}, "")


@pytest.mark.parametrize("kind", [StructClub, DataclassClub, ModelClub, ArgumentsClub])
def test_a_test_may_hand_files_over(kind: type[Component]) -> None:
    found = kind().dispatch("submit", {"name": "Ada", "photo": Upload.from_bytes("a.png", PNG)})
    assert found["state"]["said"] == "Ada a.png 108 nothing []"


def test_a_model_s_own_validator_sees_the_file() -> None:
    page = mount(ModelClub).fill(name="Ada").choose("[name=photo]", ("secret.png", PNG)).submit()
    assert errors(page)["photo"] == ["This picture is secret."]


def test_any_component_takes_a_form_with_a_file() -> None:
    class Takes(Component):
        template = """<div><form {{ on("save") }}><input name="name"><input type="file" name="photo"></form><p>{{ who }}</p></div>"""
        who: str = ""

        def on_save(self, form: Member) -> None:
            self.who = f"{form.name} {form.photo.type}"

    page = mount(Takes).fill(name="Ada").choose("[name=photo]", ("a.png", PNG)).submit()
    assert page.text("p") == "Ada image/png"


def test_what_the_form_begins_with_may_name_no_file() -> None:
    class Edits(StructClub):
        def initial(self) -> Any:
            return Member("Ada", Upload.from_bytes("a.png", PNG))

    page = mount(Edits)
    assert (page.value("[name=name]"), page.value("[name=photo]")) == ("Ada", "")


def test_a_page_with_such_a_form_loads_the_script_that_sends_files() -> None:
    registry = Registry()
    registry.register("club")(StructClub)
    engine = Engine(renderer=JinjaRenderer(), secret_key="k", registry=registry)
    assert "upload.js" in engine.scripts(None, Context())


def test_a_file_in_a_row_or_in_a_step_is_refused_with_what_to_write() -> None:
    class Rows(FormComponent):
        schema = Album

        def on_submit(self, form: Album) -> None: ...

    with pytest.raises(
        ConfigurationError, match=r"a row of Album.members cannot have the file 'photo'.*list\[Annotated"
    ):
        mount(Rows)
    with pytest.raises(ConfigurationError, match="the step 'member' cannot have the file 'photo'"):

        class Steps(WizardComponent):
            steps = {"member": Member}


def test_an_input_for_files_needs_an_upload() -> None:
    class Asks(FormComponent):
        schema = Wrong

        def on_submit(self, form: Wrong) -> None: ...

    with pytest.raises(ConfigurationError, match=r"photo: a file is an Upload: photo: Annotated\[Upload"):
        mount(Asks)
