"""The console's page and files over HTTP."""

import asyncio
import gzip

import httpx
import pytest
from fastapi import FastAPI

from millrace.api.console import CONSOLE_PAGES, console_routes
from millrace.api.guard import BodyGuard
from millrace.api.problems import handle_errors

SCRIPT = b"export const answer = 42;\n" * 40


@pytest.fixture
def dist(tmp_path):
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>Millrace</title>")
    (built / "theme.js").write_text("/* theme */")
    (built / "icon.svg").write_text("<svg/>")
    (built / "source.sha256").write_text("0" * 64)
    (built / "assets/index-abc.js").write_bytes(SCRIPT)
    (built / "assets/style-abc.css").write_text("a{}")
    (tmp_path / "secret.js").write_text("secret")
    return built


@pytest.fixture
def get(dist):
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    handle_errors(app)
    app.include_router(console_routes(dist))
    app.add_middleware(BodyGuard, max_bytes=1000, timeout_seconds=5)

    def ask(path, method="GET", **headers):
        async def request():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(request())

    return ask


@pytest.mark.parametrize("path", ["/", *(f"/{page}" for page in CONSOLE_PAGES), "/exporters/2001:db8::1", "/docs/a/b"])
def test_every_page_is_the_same_document_and_is_asked_for_again(get, path):
    answer = get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers.get_list("cache-control") == ["no-cache"]
    assert "style-src 'self' 'unsafe-inline'" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "<title>Millrace" in answer.text


def test_a_file_named_by_its_content_is_kept_for_ever(get):
    answer = get("/assets/index-abc.js")

    assert answer.content == SCRIPT
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers.get_list("cache-control") == ["public, max-age=31536000, immutable"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("", False),
    ],
)
def test_a_file_is_compressed_for_who_takes_it(get, accepted, packed):
    answer = get("/assets/index-abc.js", **{"accept-encoding": accepted})

    assert (answer.headers.get("content-encoding") == "gzip") == packed
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == SCRIPT
    assert not packed or int(answer.headers["content-length"]) == len(gzip.compress(SCRIPT, 9))


def test_an_unchanged_page_is_not_sent_again(get):
    tag = get("/").headers["etag"]
    answer = get("/", **{"if-none-match": tag})

    assert (answer.status_code, answer.content) == (304, b"")


def test_head_says_what_get_would(get):
    assert get("/explore", method="HEAD").headers["content-length"] == get("/explore").headers["content-length"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/assets/",
        "/assets/../secret.js",
        "/assets/..%2F..%2Fsecret.js",
        "/assets/%2e%2e%2fsecret.js",
        "/assets/..\\secret.js",
        "/assets/index-abc.js%00",
        "/assets/.js",
        "/assets/index-abc.py",
        "/assets/" + "a" * 5000 + ".js",
        "/source.sha256",
        "/secret.js",
        "/nowhere",
        "/api/v1/nothing",
    ],
)
def test_there_is_nothing_else(get, path):
    answer = get(path)

    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_package_without_a_built_console_says_how_to_build_it(get, dist):
    (dist / "index.html").unlink()

    answer = get("/")

    assert answer.status_code == 503
    assert "make console" in answer.json()["detail"]
