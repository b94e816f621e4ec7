"""The filter editor: completion, errors, saved filters."""

import re

import httpx
from playwright.sync_api import expect

from browser.explore import Explore, until


def test_columns_operators_and_values_are_completed(page, demo, window):
    explore = Explore(page, demo).open(**window)
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")

    explore.filter.click()
    page.keyboard.type("InIfProv")
    expect(options.filter(has_text="InIfProvider").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(explore.filter).to_have_text(re.compile(r"^InIfProvider\s*$"))
    page.keyboard.type(" = ")
    expect(options.filter(has_text="cogent").first).to_be_visible()
    page.keyboard.type("cog")
    expect(options).to_have_count(1)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Apply", exact=True).click()

    explore.reaches(filter='InIfProvider = "cogent"')
    until(page, lambda: explore.names() and explore.state()["filter"] == 'InIfProvider = "cogent"')


def test_an_unknown_column_is_refused_with_the_nearest(page, demo, window):
    explore = Explore(page, demo).open(**window)

    explore.type_filter("SrcAsn = 15169 AND Proto = udp")

    said = page.get_by_role("status").filter(has_text="unknown column")
    expect(said).to_contain_text("line 1, column 1")
    expect(said).to_contain_text("did you mean 'SrcAS'?")
    assert "filter" not in explore.state()
    assert page.locator("[aria-describedby]").filter(has_text="SrcAsn").count() == 1


def test_an_unfinished_filter_is_no_mistake_until_it_is_applied(page, demo, window):
    explore = Explore(page, demo).open(**window)

    explore.filter.click()
    with page.expect_response("**/filter/check"):
        page.keyboard.type("Proto = ")
    said = page.get_by_role("status").filter(has_text="line 1")
    expect(said).to_have_count(0)
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(said).to_have_count(1)


def test_a_filter_is_saved_and_used_by_its_name(page, demo, window):
    explore = Explore(page, demo).open(by="InIfProvider", filter="InIfConnectivity = transit", **window)
    providers = explore.names()

    page.get_by_role("button", name="Saved filters").click()
    page.get_by_role("menuitem", name="Save as…").click()
    page.get_by_role("textbox", name="Name").fill("transit")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Write @transit in any filter")).to_be_visible()

    page.get_by_role("button", name="Saved filters").click()
    page.get_by_role("menuitem", name="Clear").click()
    until(page, lambda: explore.names() != providers)
    explore.type_filter("@transit AND InIfBoundary = external")

    explore.reaches(filter="@transit AND InIfBoundary = external")
    until(page, lambda: explore.names() == providers)
    for saved in httpx.get(f"{demo}/api/v1/filters").json():
        httpx.delete(f"{demo}/api/v1/filters/{saved['id']}").raise_for_status()


def test_a_filter_of_several_lines_and_a_comment(page, demo, window):
    explore = Explore(page, demo).open(by="Proto", **window)

    explore.filter.click()
    page.keyboard.type("Proto = udp -- games and video")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("AND DstPort < 1024")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")

    explore.reaches(filter="Proto = udp -- games and video\nAND DstPort < 1024")
    until(page, lambda: explore.names() == ["UDP"])
