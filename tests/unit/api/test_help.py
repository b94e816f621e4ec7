"""The documentation over HTTP."""

import re
from dataclasses import replace

import pytest
from fastapi import HTTPException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millrace.api import create_app
from millrace.api.help import Library

from .conftest import Client


def test_pages_are_listed_in_the_order_of_reading(client):
    pages = client.get("/api/v1/help").json()
    sections = [page["section"] for page in pages]
    assert pages[0] == {"path": "index", "title": "Millrace documentation", "section": "", "excerpt": "", "anchor": ""}
    assert list(dict.fromkeys(sections)) == ["", "Tutorial", "How-to", "Reference", "Explanation"]
    assert pages[1]["path"] == "tutorial/first-flows"


def test_every_page_is_served_and_its_links_lead_somewhere(client):
    pages = {
        page["path"]: client.get(f"/api/v1/help/{page['path']}").json() for page in client.get("/api/v1/help").json()
    }
    for page in pages.values():
        assert page["title"]
        assert "<!--" not in page["html"]
        assert "&lt;!--" not in page["html"]
        for target in re.findall(r'href="([^"]*)"', page["html"]):
            if target.startswith("/docs/"):
                path, _, anchor = target.removeprefix("/docs/").partition("#")
                assert path in pages, target
                assert not anchor or anchor in {heading["anchor"] for heading in pages[path]["toc"]}, target
            else:
                assert re.match(r"https?://|#", target), target
        for source in re.findall(r'src="([^"]*)"', page["html"]):
            assert client.get(source).status_code == 200, source


def test_images_are_served_as_such(client):
    answer = client.get("/api/v1/help/images/overview.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize(
    "path",
    ["nothing", "../README", "%2e%2e/README", "tutorial/../../README", "images/x.png",
     "images/%2e%2e%2findex.md", "/etc/passwd", "tutorial", "how-to/", "index.md/x", "%00"],
)  # fmt: skip
def test_nothing_else_is_served(client, path):
    answer = client.get(f"/api/v1/help/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_search_finds_words_and_says_where(client):
    found = client.get("/api/v1/help", params={"search": "SAMPLING default_sampling_rate"}).json()
    assert found
    assert all(page["excerpt"] for page in found)
    assert client.get("/api/v1/help", params={"search": "xyzzy plugh"}).json() == []


@pytest.fixture
def library(tmp_path):
    def library(**pages):
        for path, text in pages.items():
            file = tmp_path / f"{path.replace('__', '/')}.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        for section in ("tutorial", "how-to", "reference", "explanation"):
            (tmp_path / section).mkdir(exist_ok=True)
        return Library("/img", "/docs", tmp_path)

    return library


def test_headings_have_anchors_of_their_own(library):
    page = library(index="# Title\n\n## A `b`: c!\n\n### A b c\n\n## Ünï\n").page("index")
    assert page.title == "Title"
    assert "<h1" not in page.html
    assert [(h.level, h.title, h.anchor) for h in page.toc] == [
        (2, "A b: c!", "a-b-c"),
        (3, "A b c", "a-b-c-2"),
        (2, "Ünï", "ünï"),
    ]
    assert '<h3 id="a-b-c-2">' in page.html


def test_links_lead_to_the_console_and_images_to_the_api(library):
    made = library(
        index="# I\n\n[t](tutorial/one.md#part)",
        tutorial__one="# One\n\n[i](../index.md) [l](../../LICENSE) ![p](../images/p.png) "
        "[w](https://w.example/x) [h](#h)",
    )
    assert 'href="/docs/tutorial/one#part"' in made.page("index").html
    html = made.page("tutorial/one").html
    for part in ('href="/docs/index"', 'href="#"', 'src="/img/p.png"', 'href="#h"'):
        assert part in html
    assert 'href="https://w.example/x" target="_blank" rel="noopener noreferrer"' in html


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a <img src=x onerror=alert(1)> b", "[x](javascript:alert(1))", "<!-- x -->"]
)
def test_pages_hold_no_html_of_their_own(library, text):
    html = library(index=f"# T\n\n{text}\n").page("index").html
    assert not re.search(r"<(script|img)|javascript:[^)]*\"|<!--", html)


def test_tables_are_tables(library):
    assert "<td>2</td>" in library(index="# T\n\n| a | b |\n|---|---|\n| 1 | 2 |\n").page("index").html


def test_titles_weigh_more_than_text(library):
    made = library(
        index="# I\n",
        tutorial__a="# A\n\nloss loss loss\n",
        tutorial__b="# Loss\n",
        tutorial__c="# C\n\n## Of loss\n\nx",
    )
    found = made.search("loss")
    assert [entry.path for entry in found] == ["tutorial/b", "tutorial/c", "tutorial/a"]
    assert found[1].anchor == "of-loss"
    assert [entry.path for entry in made.search("LOSS of")] == ["tutorial/c"]
    assert len(made.search("  ")) == 4


def test_missing_documentation_is_no_failure(tmp_path):
    assert Library("/img", folder=tmp_path / "none").search("x") == []


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_any_search_and_any_path_are_answered(library_of_all, text):
    library_of_all.search(text)
    library_of_all.page(text)
    library_of_all.image(text)


@pytest.fixture(scope="module")
def library_of_all():
    return Library("/img")


def test_documentation_is_for_those_who_may_ask(services):
    class Nobody:
        def identity(self, request):
            raise HTTPException(401, "log in first")

        def saved(self, asker):
            return {}

    client = Client(create_app(replace(services, authenticator=Nobody())))
    for path in ("", "/index", "/images/overview.png"):
        assert client.get(f"/api/v1/help{path}").status_code == 401
