"""Files in Django's forms: validated as Django does, saved by the form to Django's storage, and kept where none is sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from asgiref.sync import async_to_sync
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.core.validators import FileExtensionValidator
from django.test import AsyncClient, Client, override_settings
from django.utils.translation import override
from PIL import Image
from selectolax.lexbor import LexborHTMLParser

from component_framework import FormComponent, Limit, Registry, Upload
from component_framework.adapters.django import form_fields
from component_framework.adapters.django.rendering import DjangoRenderer
from component_framework.core.errors import ConfigurationError
from component_framework.core.fitting import Form
from component_framework.testing import Page, mount

from .django_parts import NAME
from .shop.models import Card

pytestmark = pytest.mark.django_db

registry = Registry()


def png(size: int = 8) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (size, size), "teal").save(stream, "PNG")
    return stream.getvalue()


PICTURE = png()


class Pictures(forms.ClearableFileInput):
    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """Several files in one field, as Django's documentation writes it."""

    widget = Pictures

    def clean(self, data: Any, initial: Any = None) -> Any:
        one = super().clean
        return [one(each, initial) for each in data] if isinstance(data, (list, tuple)) else [one(data, initial)]


def require_short(file: UploadedFile[bytes]) -> None:
    if (file.size or 0) > 50:
        raise ValidationError("This letter is too long.")


class LetterForm(forms.Form):
    limits: ClassVar[Any] = {"scans": Limit("2 KB", {"image/png"}, count=2)}
    name = forms.CharField(max_length=5)
    letter = forms.FileField(max_length=12, validators=[FileExtensionValidator(["txt"]), require_short])
    scans = PicturesField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("name") == "Eve":
            raise ValidationError("Eve writes no letters.")
        return cleaned


class CardForm(forms.ModelForm):  # type: ignore[type-arg]  # no class at run time
    class Meta:
        model = Card
        fields = ("name", "picture", "letter")


class Post(FormComponent):
    renderer = DjangoRenderer()
    template = "<section>{{ form }}<p>{{ said }}</p></section>"
    said: str = ""

    def on_submit(self, form: LetterForm) -> None:
        letter, scans = form.cleaned_data["letter"], form.cleaned_data["scans"]
        self.said = f"{letter.name} {letter.content_type} {letter.read().decode()} {[one.name for one in scans if one]}"
        self.reset()


@registry.register("card")
class Desk(FormComponent):
    schema = CardForm
    template = "<section>{{ form }}<p>{{ said }}</p></section>"
    pk: int = 0
    said: str = ""

    def form_arguments(self) -> dict[str, Any]:
        return {"instance": Card.objects.get(pk=self.pk)} if self.pk else {}

    def on_submit(self, form: CardForm) -> None:
        card = form.save()
        self.pk, self.said = card.pk, f"{card.picture.name} {card.letter.name}"
        self.reset()


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(
        COMPONENT_FRAMEWORK={"REGISTRY": registry}, ROOT_URLCONF=NAME, MEDIA_ROOT=tmp_path, MEDIA_URL="/media/"
    ):
        yield tmp_path


def tag(page: Page, selector: str) -> dict[str, str | None]:
    found = LexborHTMLParser(page.html).css_first(selector)
    assert found is not None, page.html
    return dict(found.attributes)


def errors(page: Page, name: str) -> list[str]:
    return page.texts(f"[id$=-{name}-errors] p")


def desk(**params: Any) -> Page:
    class Local(Desk):
        renderer = DjangoRenderer()

    return mount(Local, **params)


def test_a_file_field_is_shown_with_what_it_lets_in() -> None:
    page = mount(Post)
    letter, scans = tag(page, "[name=letter]"), tag(page, "[name=scans]")
    assert (letter["type"], "required" in letter, "multiple" in letter) == ("file", True, False)
    assert (scans["accept"], "multiple" in scans, "required" in scans) == ("image/png", True, False)
    assert tag(desk(), "[name=picture]")["accept"] == "image/*"
    assert tag(page, "form")["enctype"] == "multipart/form-data"


def test_the_handler_gets_a_valid_form_with_files_as_django_knows_them() -> None:
    page = mount(Post).fill(name="Ada").choose("[name=letter]", ("../l.txt", b"Dear all"))
    page.choose("[name=scans]", ("a.png", PICTURE), ("b.png", PICTURE)).submit()
    assert page.text("form + p") == "l.txt text/plain Dear all ['a.png', 'b.png']"


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (("l.csv", b"a,b"), "File extension “csv” is not allowed. Allowed extensions are: txt."),
        (("l.txt", b"z" * 60), "This letter is too long."),
        (("l.txt", b""), "The submitted file is empty."),
        (("a-letter-to-all.txt", b"Dear all"), "Ensure this filename has at most 12 characters (it has 19)."),
        (None, "This field is required."),
    ],
)
def test_django_s_own_validators_speak_at_the_field(chosen: Any, message: str) -> None:
    page = mount(Post).fill(name="Ada")
    if chosen:
        page.choose("[name=letter]", chosen)
    assert (page.submit().status, errors(page, "letter")) == (422, [message])


def test_limits_and_all_other_errors_are_told_at_once_in_the_reader_s_language() -> None:
    with override("de"):
        page = mount(Post).fill(name="Augusta").choose("[name=scans]", *[("a.png", PICTURE)] * 3).submit()
    assert errors(page, "scans") == ["Choose at most 2 files."]
    assert errors(page, "letter") == ["Dieses Feld ist zwingend erforderlich."]
    assert len(errors(page, "name")) == 1
    page.choose("[name=scans]", ("a.png", png(600) + b"\0" * 2000)).submit()
    assert errors(page, "scans") == ["This file is larger than 2 KB."]


def test_text_in_the_place_of_a_file_is_refused() -> None:
    found = Post().dispatch("submit", Form(name=["Ada"], letter=["l.txt"]))
    assert found["errors"] == {"letter": ["No file was submitted. Check the encoding type on the form."]}


def test_leaving_a_field_does_not_ask_for_the_file() -> None:
    page = mount(Post).fill(name="Eve").trigger("[name=name]", "change")
    assert (page.status, page.texts(".cf-errors p")) == (200, [])
    page.choose("[name=letter]", ("l.txt", b"z" * 60)).submit()
    page.fill(name="Ada").trigger("[name=name]", "change")
    assert errors(page, "letter") == ["This letter is too long."]


def test_a_model_form_saves_to_django_s_storage(media: Path) -> None:
    page = (
        desk().fill(name="Ada").choose("[name=picture]", ("a.png", PICTURE)).choose("[name=letter]", ("l.txt", b"hi"))
    )
    assert page.submit().text("form + p") == "pictures/a.png letters/l.txt"
    assert (media / "pictures" / "a.png").read_bytes() == PICTURE
    assert (media / "letters" / "l.txt").read_bytes() == b"hi"


def test_what_is_no_picture_is_refused_and_nothing_is_stored(media: Path) -> None:
    page = desk().fill(name="Ada").choose("[name=picture]", ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40)).submit()
    assert page.status == 422
    assert errors(page, "picture")[0].startswith("Upload a valid image.")
    page.choose("[name=picture]", ("a.txt", b"text")).submit()
    assert errors(page, "picture") == ["Files of this type are not accepted here."]
    assert list(media.rglob("*.*")) == []


def stored() -> Card:
    card = Card(name="Ada")
    card.picture.save("a.png", ContentFile(PICTURE), save=False)
    card.letter.save("l.txt", ContentFile(b"Dear all"), save=False)
    card.save()
    return card


def test_a_stored_file_is_shown_and_stays_where_no_other_is_sent() -> None:
    page = desk(pk=stored().pk)
    assert [tag(page, selector)["href"] for selector in ("p a[href$=png]", "p a[href$=txt]")] == [
        "/media/pictures/a.png", "/media/letters/l.txt",
    ]  # fmt: skip
    assert "required" not in tag(page, "[name=picture]")
    assert not page.has("[name=picture-clear]")
    assert page.text("label[for$=letter-clear]") == "Clear"
    assert page.fill(name="Grace").submit().text("form + p") == "pictures/a.png letters/l.txt"
    assert Card.objects.get().name == "Grace"


def test_a_stored_file_can_be_cleared_and_replaced() -> None:
    page = desk(pk=stored().pk).check("[name=letter-clear]").fill(name="much too long").submit()
    assert page.status == 422
    assert "checked" in tag(page, "[name=letter-clear]")
    page.fill(name="Ada").choose("[name=picture]", ("b.png", png(9))).submit()
    assert page.text("form + p") == "pictures/b.png"
    assert not Card.objects.get().letter
    assert not page.has("[name=letter-clear]")


def test_a_file_cannot_be_both_cleared_and_replaced() -> None:
    page = desk(pk=stored().pk).check("[name=letter-clear]").choose("[name=letter]", ("m.txt", b"new")).submit()
    assert errors(page, "letter") == ["Please either submit a file or check the clear checkbox, not both."]
    assert Card.objects.get().letter.name == "letters/l.txt"


def test_a_box_to_clear_a_required_file_is_not_expected() -> None:
    found = Desk(pk=stored().pk).dispatch("submit", Form({"name": ["Ada"], "picture-clear": ["on"]}), {"pk": 1})
    assert "picture-clear" in found["errors"]


class Late(forms.Form):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["scan"] = forms.FileField()


class Misspelt(forms.Form):
    limits: ClassVar[Any] = {"scam": Limit()}
    scan = forms.FileField()


class Rows(forms.Form):
    formsets: ClassVar[Any] = {"letters": forms.formset_factory(LetterForm)}
    name = forms.CharField()


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (Late, "scan: a file is a field of the form class itself"),
        (Misspelt, "limits has 'scam', which is no file field.*scan"),
        (Rows, "letter: a file is a field of the form class itself.*no formset"),
    ],
)
def test_a_file_that_cannot_come_is_refused_with_what_to_write(form: Any, message: str) -> None:
    class Asks(FormComponent):
        schema = form
        renderer = DjangoRenderer()
        template = "<div>{{ form }}</div>"

        def on_submit(self, form: Any) -> None: ...

    with pytest.raises(ConfigurationError, match=message):
        mount(Asks)


def test_a_picture_without_pillow_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_fields, "find_spec", lambda name: None)

    class Fresh(forms.Form):
        picture = forms.ImageField()

    class Asks(FormComponent):
        schema = Fresh

        def on_submit(self, form: Any) -> None: ...

    with pytest.raises(
        ConfigurationError, match="picture: Django checks pictures with Pillow. Run: pip install pillow"
    ):
        mount(Asks)


def test_a_program_in_the_same_process_may_hand_a_file_over() -> None:
    found = Post().dispatch("submit", {"name": "Ada", "letter": Upload.from_bytes("l.txt", b"hi")})
    assert found["state"]["said"] == "l.txt text/plain hi []"


PAYLOAD = {"name": "Ada"}


def test_a_site_takes_a_form_with_a_file_and_a_middleware_may_have_read_it(media: Path) -> None:
    client = Client(enforce_csrf_checks=True)
    address = "/components/card?event=submit"
    headers = {"hx-request": "true", "accept": "text/html", "x-csrftoken": "c" * 32}
    client.cookies["csrftoken"] = "c" * 32
    answer = client.post(
        address, PAYLOAD | {"picture": SimpleUploadedFile("a.png", PICTURE, "image/png")}, headers=headers
    )
    assert answer.status_code == 200, answer.content
    assert "pictures/a.png" in answer.content.decode()
    del headers["x-csrftoken"]  # now Django's CSRF check parses the form itself
    answer = client.post(
        address,
        PAYLOAD | {"picture": SimpleUploadedFile("b.png", PICTURE, "image/png"), "csrfmiddlewaretoken": "c" * 32},
        headers=headers,
    )
    assert "pictures/b.png" in answer.content.decode()
    assert sorted(path.name for path in media.rglob("*.png")) == ["a.png", "b.png"]


def spooled() -> set[str]:
    """The temporary files that this process has open."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{number}"))
    return {path for path in found if path.startswith("/tmp/") and "deleted" in path}


@pytest.mark.parametrize("name", ["Ada", "much too long"])
def test_under_asgi_a_large_file_is_stored_or_refused_and_nothing_of_it_stays(media: Path, name: str) -> None:
    before = spooled()
    files = {
        "picture": SimpleUploadedFile("a.png", PICTURE, "image/png"),
        "letter": SimpleUploadedFile("../l.txt", b"z" * 2_000_000, "text/plain"),
    }
    headers = {"hx-request": "true", "accept": "text/html"}
    send = async_to_sync(AsyncClient().post)
    answer = send("/components/card?event=submit", {"name": name, **files}, headers=headers)
    stored = sorted((path.name, path.stat().st_size) for path in media.rglob("*.*"))
    if name == "Ada":
        assert (answer.status_code, stored) == (200, [("a.png", len(PICTURE)), ("l.txt", 2_000_000)])
    else:
        assert (answer.status_code, stored) == (422, [])
    assert spooled() == before
