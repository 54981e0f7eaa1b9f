"""Uploads as Django knows files, for its storages and its model fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django import forms
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.http.request import RawPostDataException
from django.utils.datastructures import MultiValueDict

from ...core.errors import ConfigurationError, Malformed, nearest
from ...core.fitting import Form
from ...core.intake import BATCH, Intake
from ...core.uploads import Limit, Rejected, Upload, read_files, uploads_in


def as_django_file(upload: Upload) -> File[bytes]:
    """`upload` for a storage or a FileField, under a name of the server's making: `order.scan = as_django_file(scan)`."""
    file: File[bytes] = File(upload.file, name=upload.new_name)
    file.size = upload.size
    file.seek(0)
    return file


def as_uploaded_file(upload: Upload) -> UploadedFile[bytes]:
    """`upload` as `form.files` has it, under the name that its visitor gave it."""
    upload.file.seek(0)
    return UploadedFile(upload.file, name=upload.name, content_type=upload.type, size=upload.size)


def limits_of(form: Any) -> dict[str, Limit]:
    """What the file fields of a form class let in: what its `limits` say, and else ten megabytes, of an image field images."""
    own: Mapping[str, Limit] = getattr(form, "limits", {})
    files = {name: field for name, field in form.base_fields.items() if isinstance(field, forms.FileField)}
    if unknown := own.keys() - files.keys():
        name = min(unknown)
        raise ConfigurationError(
            f"{form.__qualname__}.limits has {name!r}, which is no file field ({nearest(name, files)})."
        )
    return {name: _limit(field, own.get(name)) for name, field in files.items() if not field.disabled}


def _limit(field: forms.FileField, own: Limit | None) -> Limit:
    found = own or Limit(types={"image/*"} if isinstance(field, forms.ImageField) else ())
    many = getattr(field.widget, "allow_multiple_selected", False)
    return found if many else Limit(found.size, found.types, 1)


def split(
    sent: Form, fields: Mapping[str, Any], names: Collection[str], errors: dict[str, list[str]]
) -> MultiValueDict[str, Any]:
    """Take what came under `names` out of `sent`: the files for a form; what is none goes to `errors`."""
    files: MultiValueDict[str, Any] = MultiValueDict()
    for name in names & sent.keys():
        values: list[Any] = sent.pop(name)
        try:
            files.setlist(name, [as_uploaded_file(upload) for upload in read_files(values, many=True)])
        except ValueError as exc:
            is_text = not any(isinstance(value, Rejected) for value in values)
            errors[name] = [str(fields[name].error_messages["invalid"]) if is_text and name in fields else str(exc)]
    return files


def read_form(request: HttpRequest, intake: Intake) -> Form:
    """The form of `request`, read as it comes; or as Django has parsed it, for a middleware or its CSRF check."""
    if hasattr(request, "_files"):
        return intake.adopt([*_texts(request), *_files(request)])
    try:
        form = intake.read(_chunks(request))
    except RawPostDataException:
        raise Malformed("a middleware has read the body") from None
    files: Any = request
    files._post, files._files = QueryDict(), MultiValueDict({"": list(uploads_in(form))})  # closed with the response
    return form


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    if hasattr(request, "_body"):
        yield request.body
        return
    while chunk := request.read(BATCH):
        yield chunk


def _texts(request: HttpRequest) -> list[tuple[str, Any]]:
    return [(name, str(value)) for name, values in request.POST.lists() for value in values]


def _files(request: HttpRequest) -> list[tuple[str, Any]]:
    return [(name, _Found(file)) for name, files in request.FILES.lists() for file in files]


class _Found:
    """A file that Django has parsed, under the names that other frameworks use."""

    def __init__(self, file: Any) -> None:
        self.filename = file.name or ""
        self.content_type = file.content_type or ""
        self.file = file.file
