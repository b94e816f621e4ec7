"""The filter editor: completion, errors, saved filters."""

import re
from collections import Counter

import httpx
import pytest
from playwright.sync_api import expect

from browser.explore import Explore, until


def test_columns_operators_and_values_are_completed(page, demo, window):
    explore = Explore(page, demo).open(**window)
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")

    explore.filter.click()
    page.keyboard.type("InIfProv")
    expect(options.filter(has_text="InIfProvider").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(explore.filter).to_have_text(re.compile(r"^InIfProvider\s*$"))
    page.keyboard.type(" = ")
    expect(options.filter(has_text="cogent").first).to_be_visible()
    page.keyboard.type("cog")
    expect(options).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Apply", exact=True).click()

    explore.reaches(filter='InIfProvider = "cogent"')
    until(page, lambda: explore.names() and explore.state()["filter"] == 'InIfProvider = "cogent"')


def test_values_that_the_store_tells_late_are_asked_for_again(page, demo, window):
    asked = Counter()

    def late(route):
        text = route.request.post_data_json["text"]
        asked[text] += 1
        answer = route.fetch()
        nothing = {"options": [], "late": True} if asked[text] < 3 else {}
        route.fulfill(response=answer, json=answer.json() | nothing)

    explore = Explore(page, demo).open(**window)
    page.route("**/api/v1/filter/complete", late)
    explore.filter.click()
    page.keyboard.insert_text("InIfSpeed = 1")

    options = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(options.first).to_contain_text("recent")
    assert set(asked) == {"InIfSpeed = 1"}
    assert asked["InIfSpeed = 1"] >= 3  # The third answer may be late of its own.


COMPLETE = [
    "Proto = 6",
    "SrcAS = 3",
    "DstPort = 0",
    "InIfSpeed = 10",
    "Proto IN (6, 17)",
    "NOT DstPort = 8",
    "SrcPort = DstPort",
    "SrcCountry = DE",
    "InIfBoundary = external AND SrcAS = 64",
    "DstPort BETWEEN 1 AND 8",
    "SrcAddr = 10.0.0.1",
    "SrcAddr IN (10.0.0.1, 10.0.0.2)",
    'InIfProvider = "co"',
    'NOT InIfProvider = "cogent" OR InIfSpeed = 10',
    "(Proto = 6)",
]
"""Filters that are right as they stand, though the list offers something else for their last word."""


@pytest.mark.parametrize("key", ["Enter", "Control+Enter", "Meta+Enter"])
@pytest.mark.parametrize("text", COMPLETE)
def test_what_is_complete_is_run_as_it_stands(page, demo, window, text, key):
    explore = Explore(page, demo).open(**window)
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")

    explore.filter.click()
    page.keyboard.type(text)
    # A bracket or a quote ends what can be completed, and addresses are in no list.
    if not text.endswith((")", '"')) and "Addr" not in text:
        expect(options.first).to_be_visible()
    page.keyboard.press(key)

    explore.reaches(filter=text)
    expect(explore.filter).to_have_text(text)
    expect(options).to_have_count(0)


def test_a_value_inside_of_brackets_is_run_as_it_stands(page, demo, window):
    """The closing bracket stands there by itself; the list is open for what is before it."""
    explore = Explore(page, demo).open(**window)

    explore.filter.click()
    page.keyboard.type("Proto IN (6, 1")
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")

    explore.reaches(filter="Proto IN (6, 1)")


@pytest.mark.parametrize("key", ["Enter", "Tab", "Apply"])
def test_what_is_pasted_is_run_as_it_stands(page, demo, window, key):
    explore = Explore(page, demo).open(**window)

    explore.filter.click()
    # One input event for all of it, as a paste is and what an input method hands over.
    page.keyboard.insert_text("Proto = 6")
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option").first).to_be_visible()
    if key == "Apply":
        page.get_by_role("button", name="Apply", exact=True).click()
    else:
        page.keyboard.press(key)
    if key == "Tab":
        expect(explore.filter).to_have_text("Proto = 6")
        assert "filter" not in explore.state()
    else:
        explore.reaches(filter="Proto = 6")


PROCESSED = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
"""Enter as the browser tells it while an input method has it."""


def test_enter_that_ends_a_composition_runs_nothing(page, demo, window):
    explore = Explore(page, demo).open(**window)
    methods = page.context.new_cdp_session(page)

    explore.filter.click()
    page.keyboard.type("Proto = ")
    methods.send("Input.imeSetComposition", {"text": "6", "selectionStart": 1, "selectionEnd": 1})
    methods.send("Input.dispatchKeyEvent", {**PROCESSED, "type": "rawKeyDown"})
    methods.send("Input.dispatchKeyEvent", {**PROCESSED, "type": "keyUp"})
    page.wait_for_timeout(500)
    assert "filter" not in explore.state()
    methods.send("Input.insertText", {"text": "6"})
    expect(explore.filter).to_have_text("Proto = 6")
    page.keyboard.press("Enter")

    explore.reaches(filter="Proto = 6")


def test_what_is_clicked_in_the_list_is_taken(page, demo, window):
    explore = Explore(page, demo).open(**window)

    explore.filter.click()
    page.keyboard.type("Proto = ud")
    page.get_by_role("listbox", name="Completions").get_by_role("option").filter(has_text="udp").first.click()
    expect(explore.filter).to_have_text("Proto = udp")
    assert "filter" not in explore.state()


def test_a_choice_does_not_outlive_typing(page, demo, window):
    """What was chosen with the arrows was chosen for another word."""
    explore = Explore(page, demo).open(**window)
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")

    explore.filter.click()
    page.keyboard.type("DstPort = 8")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.type("0")
    page.keyboard.press("Enter")

    explore.reaches(filter="DstPort = 80")


@pytest.mark.parametrize("text", ["Proto = 6", "SrcAS = 3", "DstPort = 0", "InIfSpeed = 10"])
def test_tab_leaves_what_is_complete(page, demo, window, text):
    explore = Explore(page, demo).open(**window)

    explore.filter.click()
    page.keyboard.type(text)
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Tab")

    expect(explore.filter).to_have_text(text)
    expect(explore.filter).not_to_be_focused()


def test_tab_finishes_a_word_that_is_none_by_itself(page, demo, window):
    explore = Explore(page, demo).open(**window)

    explore.filter.click()
    page.keyboard.type("(Proto = 6 AND InIfProv")
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Tab")

    expect(explore.filter).to_have_text("(Proto = 6 AND InIfProvider)")


def test_ctrl_enter_runs_what_stands_there_whatever_is_chosen(page, demo, window):
    explore = Explore(page, demo).open(**window)
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")

    explore.filter.click()
    page.keyboard.type("Proto = 6")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Control+Enter")

    explore.reaches(filter="Proto = 6")


def test_enter_takes_what_was_chosen_with_the_arrows(page, demo, window):
    explore = Explore(page, demo).open(**window)
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")

    explore.filter.click()
    page.keyboard.type("Proto = ud")
    expect(options.filter(has_text="udp").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(explore.filter).to_have_text("Proto = udp")
    page.keyboard.press("Enter")

    explore.reaches(filter="Proto = udp")


@pytest.mark.parametrize("path", ["/", "/flows", "/live"])
def test_every_page_runs_a_complete_filter_as_it_stands(page, demo, path):
    page.goto(f"{demo}{path}")
    field = page.get_by_role("textbox", name="Filter")

    field.click()
    page.keyboard.type("Proto = 6")
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")

    page.wait_for_function("() => new URLSearchParams(location.search).get('filter') === 'Proto = 6'")


def test_enter_in_an_empty_search_of_columns_adds_none(page, demo, window):
    explore = Explore(page, demo).open(by="SrcAS", **window)

    field = page.get_by_role("combobox", name=re.compile("^Add to "))
    field.focus()
    expect(page.get_by_role("listbox", name=re.compile("^Add to ")).get_by_role("option").first).to_be_visible()
    field.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Remove "))).to_have_count(1)
    # A whole name is the column of that name, whatever else holds its letters.
    field.fill("proto")
    field.press("Enter")

    explore.reaches(by="SrcAS,Proto")


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
