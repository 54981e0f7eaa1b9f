"""Uploads as Django knows files, for its storages and its model fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.files import File
from django.http import HttpRequest, QueryDict
from django.http.request import RawPostDataException
from django.utils.datastructures import MultiValueDict

from ...core.errors import Malformed
from ...core.fitting import Form
from ...core.intake import BATCH, Intake
from ...core.uploads import Upload, uploads_in


def as_django_file(upload: Upload) -> File[bytes]:
    """`upload` for a storage or a FileField, under a name of the server's making: `order.scan = as_django_file(scan)`."""
    file: File[bytes] = File(upload.file, name=upload.new_name)
    file.size = upload.size
    file.seek(0)
    return file


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
