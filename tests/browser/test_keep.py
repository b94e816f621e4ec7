"""What is taken away or kept: files, pictures, short links, views."""

import csv
import re

import httpx
import pytest
from playwright.sync_api import expect

from browser.explore import Explore, figure_words, inked


@pytest.fixture
def explore(page, demo, window):
    explore = Explore(page, demo).open(by="SrcCountry", graph="lines", limit=4, **window)
    inked(explore.figure)
    return explore


def export(page, item):
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=item, exact=True).click()
    return download.value


def test_figures_as_csv_are_those_of_the_table(page, explore):
    download = export(page, "Figures (CSV)")

    assert download.suggested_filename == "millrace-lines-SrcCountry.csv"
    with download.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = explore.cells()
    assert len(rows) in (len(shown), len(shown) - 1)
    average = next(name for name in rows[0] if name.lower().startswith("average"))
    assert [figure_words(float(row[average])) for row in rows[:4]] == [row["Average"] for row in shown[:4]]


def test_figures_as_json_lines(page, explore):
    download = export(page, "Figures (JSON lines)")

    assert download.suggested_filename.endswith(".jsonl")
    assert len(download.path().read_text().splitlines()) >= 5


def test_the_graph_as_a_picture(page, explore):
    assert export(page, "Picture (PNG)").path().read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    drawing = export(page, "Picture (SVG)").path().read_text()
    assert drawing.startswith("<svg")
    assert "United States" in drawing


def test_a_short_link_opens_the_same(page, demo, explore):
    page.get_by_role("banner").get_by_role("button", name="Share").click()
    page.get_by_role("menuitem", name="Copy short link").click()
    said = page.get_by_text(re.compile(r"Short link copied: http://\S+/s/[\w-]+"))
    expect(said).to_be_visible()
    link = re.search(r"http://\S+/s/[\w-]+", said.inner_text()).group()
    assert page.evaluate("navigator.clipboard.readText()") == link
    before, names = explore.state(), explore.names()

    page.goto(f"{demo}/docs")
    page.goto(link)

    explore.settle()
    assert explore.state() == before
    assert explore.names() == names


def test_a_view_is_saved_found_and_removed(page, demo, explore):
    before = explore.state()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Save as a view…").click()
    page.get_by_role("textbox", name="Name").fill("Countries by line")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as “Countries by line”")).to_be_visible()

    page.goto(f"{demo}/explore")
    explore.settle()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitemradio", name="Countries by line").click()
    explore.reaches(**before)

    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Remove “Countries by line”").click()
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("menuitemradio", name="Countries by line")).to_have_count(0)
    assert httpx.get(f"{demo}/api/v1/views").json() == []
