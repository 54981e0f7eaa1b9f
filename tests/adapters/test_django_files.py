"""Django: uploads go to storages, and keep to its settings where Django has parsed them itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import AsyncClient, Client, override_settings

from component_framework import Component, Limit, Registry, Upload
from component_framework.adapters.django.files import as_django_file

from .django_parts import NAME

registry = Registry()
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 3_000_000
seen: list[str] = []


@registry.register("shelf")
class Shelf(Component):
    """Keeps pictures in the default storage."""

    template = "<div><p>{{ said }}</p>{{ errors.picture.0 }}</div>"
    said: str = ""

    def on_put(self, picture: Annotated[Upload, Limit("5 MB", {"image/png"})]) -> None:
        self.said = default_storage.save(f"pictures/{picture.new_name}", as_django_file(picture))


@registry.register("async_shelf")
class AsyncShelf(Component):
    """The same, with a handler that waits."""

    template = Shelf.template
    said: str = ""

    async def on_put(self, picture: Annotated[Upload, Limit("5 MB", {"image/png"})]) -> None:
        self.said = f"{picture.name} {picture.size}"


class NotedHandler(TemporaryFileUploadHandler):
    """A handler of the site's own, such as one that looks for viruses."""

    def file_complete(self, file_size: int) -> Any:
        found: Any = super().file_complete(file_size)
        seen.append(found.temporary_file_path())
        return found


@pytest.fixture(autouse=True)
def site(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "arriving").mkdir()
    seen.clear()
    with override_settings(
        COMPONENT_FRAMEWORK={"REGISTRY": registry},
        ROOT_URLCONF=NAME,
        MEDIA_ROOT=tmp_path / "kept",
        FILE_UPLOAD_PERMISSIONS=0o640,
        FILE_UPLOAD_DIRECTORY_PERMISSIONS=0o750,
        FILE_UPLOAD_TEMP_DIR=tmp_path / "arriving",
        FILE_UPLOAD_MAX_MEMORY_SIZE=1000,
    ):
        yield tmp_path


def said(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    found = re.search("<p>(.*)</p>", answer.content.decode())
    assert found is not None
    return found[1]


def picture(content: bytes = PNG) -> dict[str, Any]:
    return {"picture": SimpleUploadedFile("../../cat.exe", content, "image/png")}


def test_a_file_goes_to_the_storage_with_its_permissions_and_a_name_of_the_servers(site: Path) -> None:
    name = said(Client().post("/components/shelf?event=put", picture()))
    kept = site / "kept" / name
    assert re.fullmatch(r"pictures/[0-9a-f]{32}\.png", name)
    assert kept.read_bytes() == PNG
    assert kept.stat().st_mode & 0o777 == 0o640
    assert kept.parent.stat().st_mode & 0o777 == 0o750
    assert list((site / "arriving").iterdir()) == []


def test_a_file_that_came_in_pieces_goes_to_the_storage(site: Path) -> None:
    client = Client()

    def piece(step: str, body: bytes) -> Any:
        answer = client.post(
            "/components/shelf?event=put", body, content_type="application/partial-upload",
            headers={"X-Component-Upload": step},
        )  # fmt: skip
        return json.loads(answer.content)

    begun = {"field": "picture", "name": "cat.png", "type": "image/png", "size": len(PNG)}
    token = piece("new", json.dumps(begun).encode())["upload"]
    for offset in range(0, len(PNG), 2**20):
        piece(f"{token}; offset={offset}", PNG[offset : offset + 2**20])
    name = said(client.post("/components/shelf?event=put", {"picture": token}))
    assert (site / "kept" / name).read_bytes() == PNG


@pytest.mark.parametrize("handlers", [settings.FILE_UPLOAD_HANDLERS, [f"{__name__}.NotedHandler"]])
@pytest.mark.parametrize("component", ["shelf", "async_shelf"])
def test_what_a_middleware_has_had_parsed_keeps_to_the_sites_upload_handlers(
    site: Path, component: str, handlers: list[str]
) -> None:
    middleware = [*settings.MIDDLEWARE, f"{NAME}.reads_the_form"]
    with override_settings(MIDDLEWARE=middleware, FILE_UPLOAD_HANDLERS=handlers):
        assert said(Client().post(f"/components/{component}?event=put", picture()))
        refused = Client().post(f"/components/{component}?event=put", picture(b"<html>"))
        assert refused.status_code == 422
        assert b"This file is not what its name says." in refused.content
    assert len(seen) == (2 if len(handlers) == 1 else 0)
    assert all(path.startswith(str(site / "arriving")) for path in seen)
    assert list((site / "arriving").iterdir()) == []


@pytest.mark.parametrize("component", ["shelf", "async_shelf"])
async def test_the_same_under_asgi(site: Path, component: str) -> None:
    middleware = [*settings.MIDDLEWARE, f"{NAME}.reads_the_form"]
    assert said(await AsyncClient().post(f"/components/{component}?event=put", picture()))
    with override_settings(MIDDLEWARE=middleware):
        assert said(await AsyncClient().post(f"/components/{component}?event=put", picture()))
    assert list((site / "arriving").iterdir()) == []
