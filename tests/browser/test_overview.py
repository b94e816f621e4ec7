"""The overview and dashboards."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from browser.explore import Explore, inked, until

TILES = ("Source AS", "Destination AS", "Source countries", "Protocols", "Destination ports", "Applications")


@pytest.fixture
def overview(page, demo):
    page.goto(f"{demo}/")
    for tile in TILES:
        expect(page.get_by_role("list", name=tile, exact=True).get_by_role("listitem").first).to_be_visible()
    return page


def test_every_tile_has_data(overview):
    inked(overview.get_by_role("region", name=re.compile("^Traffic")).get_by_role("figure"))
    expect(overview.get_by_role("list", name="Exporters").get_by_role("listitem")).to_have_count(4)
    expect(overview.get_by_role("list", name="Interfaces by load").get_by_role("listitem").first).to_be_visible()
    main = overview.get_by_role("main")
    expect(main).to_contain_text(re.compile("Flows now.*flows/s", re.DOTALL))
    expect(main).to_contain_text("AS64500 Example Network")


@pytest.mark.parametrize(("tile", "column"), [("Destination ports", "DstPort"), ("Source AS", "SrcAS")])
def test_a_tile_leads_to_the_exploration_behind_it(overview, demo, tile, column):
    ranked = overview.get_by_role("list", name=tile, exact=True).get_by_role("listitem").first.inner_text()
    overview.get_by_role("link", name=re.compile(f"^{tile} ?: explore")).click()

    explore = Explore(overview, demo)
    explore.reaches(by="" if column == "SrcAS" else column, graph="bars")
    explore.settle()
    assert explore.names()[0] in ranked


def test_a_value_filters_every_tile(overview):
    protocols = overview.get_by_role("list", name="Protocols", exact=True)
    protocols.get_by_role("button", name=re.compile("^Show only TCP")).click()

    expect(overview.get_by_role("textbox", name="Filter")).to_have_text("Proto = tcp")
    expect(protocols.get_by_role("listitem")).to_have_count(1)
    assert "Proto" in overview.url


def test_the_figures_change_as_flows_come(overview):
    figures = overview.get_by_role("main")
    before = re.findall(r"now\s+[\d.]+", figures.inner_text())
    until(overview, lambda: re.findall(r"now\s+[\d.]+", figures.inner_text()) != before)


@pytest.fixture
def dashboards(page, demo):
    """The page of dashboards of a server that keeps none."""
    for kept in httpx.get(f"{demo}/api/v1/dashboards").json():
        httpx.delete(f"{demo}/api/v1/dashboards/{kept['id']}").raise_for_status()
    page.goto(f"{demo}/dashboards")
    return page


def begin(page, template):
    page.get_by_role("button", name=re.compile("New dashboard|Make the first one")).first.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile(f"^{template}")).click()
    page.wait_for_url(re.compile(r"/dashboards/[\w-]"))


def test_a_dashboard_begins_with_a_template(dashboards):
    begin(dashboards, "Transit overview")

    expect(dashboards.get_by_role("article", name=re.compile("^Source AS behind transit"))).to_contain_text("AS")
    graph = dashboards.get_by_role("article", name=re.compile("^From and to each provider"))
    graph.scroll_into_view_if_needed()
    inked(graph.get_by_role("figure"))
    expect(dashboards.get_by_role("main").get_by_role("alert")).to_have_count(0)


def test_a_dashboard_is_made_arranged_saved_and_shared(dashboards):
    page = dashboards
    begin(page, "Empty")
    page.get_by_role("button", name="Add widget").click()
    page.get_by_role("menuitem", name=re.compile("^Graph")).click()
    dialog = page.get_by_role("dialog", name="Add a widget")
    dialog.get_by_role("textbox", name="Title").fill("Who sends")
    dialog.get_by_role("radio", name="Lines").click()
    dialog.get_by_role("button", name="Add", exact=True).click()
    widget = page.get_by_role("article", name=re.compile("^Who sends"))
    expect(widget).to_be_visible()

    before = widget.bounding_box()
    handle = page.get_by_role("button", name=re.compile("^Who sends: arrows move it"))
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    until(page, lambda: widget.bounding_box()["x"] > before["x"])
    page.keyboard.press("Shift+ArrowLeft")
    until(page, lambda: widget.bounding_box()["width"] < before["width"])

    page.get_by_role("button", name="Name and sharing").click()
    page.get_by_role("textbox", name="Name").fill("Night watch")
    page.get_by_role("checkbox", name=re.compile("^Shared")).check()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible()

    page.reload()
    inked(page.get_by_role("article", name=re.compile("^Who sends")).get_by_role("figure"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Night watch")
    assert page.get_by_role("article", name=re.compile("^Who sends")).bounding_box()["x"] > before["x"]
    page.goto(page.url.partition("/dashboards")[0] + "/dashboards")
    expect(page.get_by_role("main")).to_contain_text("Night watch")


def test_a_graph_of_explore_is_put_on_a_dashboard(dashboards, demo, window):
    page = dashboards
    Explore(page, demo).open(by="SrcCountry", **window)
    page.get_by_role("banner").get_by_role("button", name="Share").click()
    page.get_by_role("menuitem", name="Add to a dashboard…").click()
    dialog = page.get_by_role("dialog", name="Add to a dashboard")
    dialog.get_by_role("textbox", name="Title of the graph").fill("Countries")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Added to “New dashboard”.")).to_be_visible()

    page.goto(f"{demo}/dashboards")
    page.get_by_role("link", name=re.compile("New dashboard")).first.click()
    inked(page.get_by_role("article", name=re.compile("^Countries")).get_by_role("figure"))
