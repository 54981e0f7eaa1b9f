"""The gallery of the examples, on both kinds of site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from examples.fastapi_app.main import app as fastapi_app
from examples.litestar_app import app as litestar_app
from examples.shared.gallery import served
from tests.servers import uvicorn_thread

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


@pytest.fixture(scope="module", params=[fastapi_app, litestar_app], ids=["FastAPI", "Litestar"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    app: Any = request.param
    with uvicorn_thread(app) as address, httpx.Client(base_url=address) as client:
        yield client


def test_a_picture_is_sent_shown_and_served_as_what_it_is(client: httpx.Client) -> None:
    page = client.get("/gallery").text
    assert "upload.js" in page
    token = re.search(r'data-component="gallery"[^>]*data-state="([^"]+)"', page)
    assert token is not None
    answer = client.post(
        "/components/gallery?event=upload",
        files=[("pictures", ("../<b>cat.png", PNG, "image/png"))],
        headers={"HX-Request": "true", "X-Component-State": token[1]},
    )
    assert answer.status_code == 200
    assert "&lt;b&gt;cat.png · 1 KB" in answer.text
    source = re.search(r'src="(/pictures/[0-9a-f]{32}\.png)"', answer.text)
    assert source is not None
    picture = client.get(source[1])
    assert picture.content == PNG
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["x-content-type-options"] == "nosniff"


def test_nothing_else_is_served(client: httpx.Client) -> None:
    assert client.get("/pictures/gallery.py").status_code == 404
    assert served("../../etc/passwd") is None
    assert served("0" * 32 + ".png") is None
