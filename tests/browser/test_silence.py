"""A server that stops under open pages: they keep what they have, say of when it is, and go on by themselves."""

import re
import subprocess

import httpx
import pytest
from playwright.sync_api import expect

from browser.conftest import MILLRACE
from services.collector import Collector, wait_for

SILENT = "the server does not answer; trying again"

PAGES = {
    "/": "Traffic, last 24 hours",
    "/explore?by=ExporterName&from=now-1h": "edge1.ams",
    "/flows?from=now-1h": "flow",
    "/live": "Top of the last minute",
    "/exporters": "127.0.1.1",
    "/exporters/127.0.1.1": "Traffic of the last hour",
    "/dashboards": "Wall",
    "/dashboards/{wall}": "Average",
    "/docs/reference/filter-language": "Filter",
    "/settings/about": "Store",
    "/settings/views": "Views",
    "/settings/filters": "Saved filters",
    "/settings/profile": "Profile",
    "/settings/users": "Users",
    "/settings/appearance": "Appearance",
}
"""Pages, and words that stand on them while the server answers."""

WIDGETS = ("graph", "top", "number")

UNLOADED = {
    "Explore": "/explore", "Flows": "/flows", "Live": "/live", "Exporters": "/exporters", "Dashboards": "/dashboards",
    "Documentation": "/docs", "Settings": "/settings",
}  # fmt: skip
"""Entries of the navigation, and where they lead."""


@pytest.fixture
def collector(tmp_path):
    collector = Collector(tmp_path, extra="exporters:\n  127.0.1.1: {name: edge1.ams, default_sampling_rate: 1}\n")
    collector.start()
    send = ["generate", "--to", f"127.0.0.1:{collector.udp_port}", "--count", "3000", "--rate", "3000"]
    subprocess.run([MILLRACE, *send], check=True)

    def stored() -> bool:
        body = {"dimensions": ["ExporterName"], "last_seconds": 3600}
        answer = httpx.post(f"{collector.url}/api/v1/flows/top", json=body, timeout=5)
        return answer.status_code == 200 and bool(answer.json()["rows"])

    wait_for(stored, 60)
    yield collector
    collector.stop()


@pytest.fixture
def tab(context):
    """Pages that may say that a request failed, but throw nothing."""
    thrown: list[str] = []

    def open_tab():
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(f"{page.url}: {error}"))
        return page

    yield open_tab
    assert not thrown, thrown


def notice(page):
    return page.locator("[data-server-notice]")


def test_every_page_keeps_what_it_has_and_recovers(collector, tab):
    place = {"x": 0, "w": 4, "h": 6}
    widgets = [
        {
            "id": kind, "kind": kind, "title": kind, "place": {**place, "y": 6 * row},
            "exploration": {"v": 1, "dimensions": ["ExporterName"], "from": "now-1h", "figure": "average"},
        }
        for row, kind in enumerate(WIDGETS)
    ]  # fmt: skip
    made = httpx.post(
        f"{collector.url}/api/v1/dashboards",
        json={"name": "Wall", "widgets": widgets},
        headers={"origin": collector.url},
    ).raise_for_status()
    wall = made.json()["id"]
    open_pages = {path: tab() for path in PAGES}
    kept = {}
    for path, page in open_pages.items():
        page.goto(f"{collector.url}{path.format(wall=wall)}")
        expect(page.locator("main")).to_contain_text(PAGES[path])
        page.wait_for_load_state("networkidle") if path != "/live" else page.wait_for_timeout(2000)
        kept[path] = page.locator("main").locator("h2, h3, article h1, th").all_inner_texts()

    collector.stop()
    for path, page in open_pages.items():
        expect(notice(page), path).to_contain_text(SILENT, timeout=30_000)
        expect(notice(page), path).to_contain_text(re.compile(r"As of \d\d:\d\d:\d\d UTC[+−]\d"))
        expect(page.locator("main"), path).to_contain_text(PAGES[path])
        expect(page.get_by_role("button", name="Try again"), path).to_have_count(0)
        assert len(page.locator("main").locator("h2, h3, article h1, th").all_inner_texts()) >= len(kept[path]), path

    collector.start()
    for path, page in open_pages.items():
        expect(notice(page), path).to_have_count(0, timeout=30_000)
        expect(page.locator("[data-old]"), path).to_have_count(0, timeout=30_000)
        expect(page.locator("main"), path).to_contain_text(PAGES[path])


def test_a_page_that_was_not_loaded_opens_when_the_server_is_back(collector, tab):
    page = tab()
    page.goto(collector.url)
    expect(page.get_by_text("Traffic, last 24 hours")).to_be_visible()

    collector.stop()
    page.get_by_role("navigation").get_by_role("link", name="Flows", exact=True).first.click()
    expect(notice(page)).to_contain_text("Flows opens when it does", timeout=30_000)
    expect(page.get_by_text("Traffic, last 24 hours")).to_be_visible()

    collector.start()
    expect(page.get_by_role("grid")).to_be_visible(timeout=30_000)
    assert page.url.endswith("/flows")
    expect(notice(page)).to_have_count(0)


def test_every_page_opens_when_the_server_is_back(collector, tab):
    open_pages = {name: tab() for name in UNLOADED}
    for page in open_pages.values():
        page.goto(collector.url)
        expect(page.get_by_text("Traffic, last 24 hours")).to_be_visible()

    collector.stop()
    for name, page in open_pages.items():
        page.get_by_role("navigation").get_by_role("link", name=name, exact=True).first.click()
        expect(notice(page)).to_contain_text(f"{name} opens when it does", timeout=30_000)
        expect(page.get_by_text("Traffic, last 24 hours")).to_be_visible()

    collector.start()
    for name, page in open_pages.items():
        page.wait_for_url(f"{collector.url}{UNLOADED[name]}**", timeout=30_000)
        expect(notice(page), name).to_have_count(0, timeout=30_000)
        expect(page.locator("main"), name).to_be_visible()
        expect(page.get_by_text("Traffic, last 24 hours"), name).to_have_count(0)


def test_a_failed_refresh_keeps_the_graph(collector, tab):
    page = tab()
    page.goto(f"{collector.url}/explore?by=ExporterName&from=now-1h")
    figure = page.get_by_role("region", name="Graph", exact=True).get_by_role("figure")
    table = page.get_by_role("region", name="Figures of the graph").get_by_role("table")
    expect(table).to_contain_text("edge1.ams")

    collector.stop()
    page.get_by_role("button", name="Ask again").click()
    mark = page.get_by_role("region", name="Graph", exact=True).locator("[data-old]")
    expect(mark).to_contain_text(SILENT)
    expect(figure).to_be_visible()
    expect(table).to_contain_text("edge1.ams")
    # A question that nobody can answer leaves the graph too.
    page.get_by_role("radio", name="Lines", exact=True).click()
    expect(figure).to_be_visible()

    collector.start()
    expect(mark).to_have_count(0, timeout=30_000)
    expect(table).to_contain_text("edge1.ams")


def test_the_overview_shows_no_old_now(collector, tab):
    page = tab()
    page.goto(collector.url)
    expect(page.get_by_role("link", name=re.compile("^Traffic now"))).to_be_visible()

    collector.stop()
    expect(page.get_by_role("link", name=re.compile(r"^Traffic at \d\d:\d\d:\d\d"))).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Traffic now")).to_have_count(0)

    collector.start()
    expect(page.get_by_role("link", name=re.compile("^Traffic now"))).to_be_visible(timeout=30_000)


def test_live_promises_no_more_than_is_known(collector, tab):
    page = tab()
    page.goto(f"{collector.url}/live")
    expect(page.get_by_text("Top of the last minute")).to_be_visible()
    page.wait_for_timeout(1500)

    collector.stop()
    said = page.locator("main").get_by_role("status").filter(has_text="Trying again")
    expect(said).to_contain_text("only if the collector still runs", timeout=30_000)
    expect(page.get_by_text("is stored and found")).to_have_count(0)

    collector.start()
    expect(said).to_have_count(0, timeout=40_000)


def test_after_an_update_a_page_is_loaded_anew_once(collector, tab):
    page = tab()
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url) if request.is_navigation_request() else None)
    page.goto(collector.url)
    expect(page.get_by_text("Traffic, last 24 hours")).to_be_visible()
    # What the page of before asks for is gone; the page of after has it.
    gone = re.compile(r"/assets/FlowsPage-.*\.js$")
    page.route(gone, lambda route: route.fulfill(status=404) if len(loads) == 1 else route.continue_())

    page.get_by_role("navigation").get_by_role("link", name="Flows", exact=True).first.click()

    expect(page.get_by_role("grid")).to_be_visible()
    assert len(loads) == 2
    assert page.url.endswith("/flows")
