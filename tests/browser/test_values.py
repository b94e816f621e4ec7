"""What a click on a value does."""

import pytest
from playwright.sync_api import expect

from browser.explore import Explore, inked, until


@pytest.fixture
def explore(page, demo, window):
    return Explore(page, demo).open(by="SrcAS", filter="InIfBoundary = external", **window)


GOOGLE = "AS15169 Google"


def test_only_this(page, explore):
    explore.value(GOOGLE, "Show only AS15169")

    explore.reaches(filter="InIfBoundary = external AND SrcAS = AS15169")
    until(page, lambda: explore.names() == [GOOGLE])
    page.go_back()
    explore.reaches(filter="InIfBoundary = external")
    until(page, lambda: len(explore.names()) == 10)


def test_exclude(page, explore):
    explore.value(GOOGLE, "Exclude AS15169")

    explore.reaches(filter="InIfBoundary = external AND SrcAS != AS15169")
    until(page, lambda: len(explore.names()) == 10 and GOOGLE not in explore.names())


def test_drill_down(page, explore):
    explore.value(GOOGLE, "Drill down")
    dialog = page.get_by_role("dialog", name="Drill down")
    expect(dialog).to_contain_text("Source AS AS15169 Google")
    dialog.get_by_role("textbox", name="Find a column").fill("destination port")
    page.keyboard.press("Enter")

    explore.reaches(by="DstPort", filter="InIfBoundary = external AND SrcAS = AS15169")
    expect(explore.table.get_by_role("columnheader", name="Destination port")).to_be_visible()


def test_the_flows_behind_a_value(page, explore):
    explore.value(GOOGLE, "Show flows")

    page.wait_for_url("**/flows?*")
    assert "SrcAS" in page.url


def test_a_click_in_the_graph_offers_the_same(page, demo, window):
    explore = Explore(page, demo).open(by="InIfBoundary", graph="bars", **window)
    box = explore.figure.bounding_box()

    def menu():
        return page.get_by_role("menu", name="What to do with")

    until(page, lambda: explore.figure.locator("canvas").count() > 0)
    explore.figure.click(position={"x": box["width"] * 0.4, "y": 24})
    menu().get_by_role("menuitem", name="Show only").first.click()

    until(page, lambda: len(explore.names()) == 1)


def test_a_row_that_is_looked_at_stands_out_in_the_graph(page, explore):
    """The drawing changes while the pointer is on a row."""
    picture = "figure => figure.querySelector('canvas').toDataURL()"
    inked(explore.figure)
    until(page, lambda: explore.figure.evaluate(picture) == explore.figure.evaluate(picture))
    before = explore.figure.evaluate(picture)

    explore.table.get_by_role("row", name=GOOGLE).hover()

    until(page, lambda: explore.figure.evaluate(picture) != before)
