"""Single flows: search, all fields of one, files; and flows as they pass."""

import csv
import re

import pytest
from playwright.sync_api import expect

from browser.explore import inked, until

GRID = re.compile("^Flows, the latest first")


@pytest.fixture
def flows(page, demo, window):
    page.goto(f"{demo}/flows?v=1&from={window['from']}&to={window['to']}")
    expect(page.get_by_role("grid", name=GRID).get_by_role("row").nth(1)).to_be_visible()
    return page


def apply(page, text):
    page.get_by_role("textbox", name="Filter").click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.get_by_role("button", name="Apply", exact=True).click()


def column(page, at):
    return page.get_by_role("grid", name=GRID).evaluate(
        "(table, at) => [...table.tBodies[0].rows].map(row => row.cells[at]?.innerText.trim())"
        ".filter(text => text !== undefined && text !== '')",
        at,
    )


def test_a_search_shows_only_what_matches(flows):
    apply(flows, "DstPort = 53 AND Proto = udp")

    until(flows, lambda: set(column(flows, 4)) == {"53 domain"})
    assert {cell.split()[0] for cell in column(flows, 5)} == {"UDP"}
    assert "DstPort" in flows.url


def test_older_flows_follow_below(flows):
    grid = flows.get_by_role("grid", name=GRID)
    first = int(re.search(r"(\d+) loaded", grid.get_attribute("aria-label")).group(1))

    flows.get_by_role("button", name="Older flows").click()

    expect(flows.get_by_role("grid", name=f"Flows, the latest first: {2 * first} loaded")).to_be_visible()


def test_a_flow_shows_all_of_its_fields_and_leads_to_its_neighbours(flows):
    apply(flows, "Proto = tcp")  # The latest flow may be of a protocol that has no ports.
    until(flows, lambda: {cell.split()[0] for cell in column(flows, 5)} == {"TCP"})
    flows.get_by_role("grid", name=GRID).get_by_role("row").nth(1).click(position={"x": 5, "y": 10})

    dialog = flows.get_by_role("dialog", name="Flow")
    expect(dialog).to_contain_text("Destination port")
    dialog.get_by_role("checkbox", name=re.compile("fields without a value")).check()
    assert dialog.locator("dt").count() > 60
    before = flows.url
    dialog.get_by_role("button", name="Older").click()
    until(flows, lambda: flows.url != before)
    flows.reload()
    expect(flows.get_by_role("dialog", name="Flow")).to_contain_text("Source address")
    flows.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_value_becomes_a_filter(flows):
    flows.get_by_role("grid", name=GRID).get_by_role("gridcell", name="TCP 6").first.get_by_role("button").click()
    flows.get_by_role("menuitem", name=re.compile("^Only TCP")).click()

    expect(flows.get_by_role("textbox", name="Filter")).to_have_text("Proto = tcp")


def test_columns_are_chosen_and_remembered(flows, demo):
    flows.get_by_role("button", name="Columns", exact=True).click()
    dialog = flows.get_by_role("dialog", name="Columns")
    dialog.get_by_role("searchbox", name="Find a column").fill("TCP flags")
    dialog.get_by_role("checkbox", name="TCP flags").check()
    dialog.get_by_role("button", name="Show these").click()
    expect(flows.get_by_role("columnheader", name="TCP flags")).to_have_count(1)

    flows.goto(f"{demo}/flows")
    expect(flows.get_by_role("columnheader", name="TCP flags")).to_have_count(1)


def test_flows_as_a_file(flows):
    apply(flows, "DstPort = 53 AND Proto = udp")
    until(flows, lambda: set(column(flows, 4)) == {"53 domain"})
    flows.get_by_role("button", name="Export", exact=True).click()
    flows.get_by_role("menuitem", name=re.compile("^CSV")).click()
    dialog = flows.get_by_role("dialog", name="Export flows")
    dialog.get_by_role("spinbutton").fill("25")
    with flows.expect_download() as download:
        dialog.get_by_role("button", name="Export", exact=True).click()

    with download.value.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 25
    assert {row["DstPort"] for row in rows} == {"53"}


@pytest.fixture
def live(page, demo):
    page.goto(f"{demo}/live")
    expect(page.get_by_role("grid", name=re.compile("^Flows as they pass")).get_by_role("row").nth(3)).to_be_visible()
    return page


def first_row(page):
    return page.get_by_role("grid", name=re.compile("^Flows as they pass")).get_by_role("row").nth(1).inner_text()


def test_flows_come_and_can_be_held(live):
    before = first_row(live)
    until(live, lambda: first_row(live) != before)
    inked(live.get_by_role("region", name="Rates").get_by_role("figure"))

    live.get_by_role("button", name="Pause", exact=True).click()
    held = first_row(live)
    expect(live.get_by_text(re.compile(r"paused, \d+ newer"))).to_be_visible()
    assert first_row(live) == held
    live.get_by_role("button", name="Go on").click()
    until(live, lambda: first_row(live) != held)


def test_a_filter_holds_for_flows_as_they_pass(live):
    apply(live, "Proto = tcp")
    grid = live.get_by_role("grid", name=re.compile("^Flows as they pass"))
    protocols = "table => [...table.tBodies[0].rows].map(row => row.cells[5]?.innerText.trim().split(/\\s/)[0])"

    until(live, lambda: set(filter(None, grid.evaluate(protocols))) == {"TCP"})


def test_the_top_of_the_last_minute_is_there(live):
    live.get_by_role("combobox", name="Top by").select_option("Source AS")

    expect(live.get_by_role("list", name="Top by Source AS").get_by_role("listitem").first).to_be_visible()
