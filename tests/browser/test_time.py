"""Ranges of time: by words, presets, arrows, and dragging across the graph."""

import re
from datetime import datetime

import pytest
from playwright.sync_api import expect

from browser.explore import Explore, inked, until


@pytest.fixture
def explore(page, demo, window):
    return Explore(page, demo).open(**window)


def drag(explore, start, end):
    """Drag across the drawing; places as parts of its width."""
    inked(explore.figure)
    box = explore.figure.bounding_box()
    height = box["y"] + box["height"] / 2
    mouse = explore.page.mouse
    mouse.move(box["x"] + box["width"] * start, height)
    mouse.down()
    mouse.move(box["x"] + box["width"] * (start + end) / 2, height)
    mouse.move(box["x"] + box["width"] * end, height)
    mouse.up()


def span(state):
    return datetime.fromisoformat(state["from"]), datetime.fromisoformat(state["to"])


def test_dragging_across_the_graph_looks_closer_and_back_returns(page, explore, window):
    drag(explore, 0.4, 0.6)
    page.wait_for_function("before => !location.search.includes(before)", arg=f"from={window['from']}")

    (start, end), (first, last) = span(explore.state()), span(window)
    assert first < start < end < last
    assert 0.1 < (end - start) / (last - first) < 0.3
    page.go_back()
    explore.reaches(**window)


def test_dragging_across_the_columns_takes_whole_intervals(page, demo, window):
    explore = Explore(page, demo).open(graph="columns", interval=3600, **window)

    drag(explore, 0.4, 0.6)
    page.wait_for_function("before => !location.search.includes(before)", arg=f"from={window['from']}")

    assert all(moment.minute == 0 for moment in span(explore.state()))


def test_a_double_click_returns_from_a_closer_look(page, explore, window):
    drag(explore, 0.4, 0.6)
    page.wait_for_function("before => !location.search.includes(before)", arg=f"from={window['from']}")
    explore.settle()

    explore.figure.dblclick(position={"x": 300, "y": 40})
    explore.reaches(**window)


def test_arrows_shift_by_half_and_zoom_out_doubles(page, explore, window):
    first, last = span(window)

    page.get_by_role("button", name="Earlier", exact=True).click()
    until(page, lambda: span(explore.state())[1] < last)
    start, end = span(explore.state())
    assert (start, end) == (first - (last - first) / 2, last - (last - first) / 2)

    page.get_by_role("button", name="Later", exact=True).click()
    until(page, lambda: span(explore.state()) == (first, last))
    page.get_by_role("button", name="Zoom out").click()
    until(page, lambda: span(explore.state())[1] > last)
    start, end = span(explore.state())
    assert end - start == 2 * (last - first)


def test_natural_words_stay_in_the_address(page, explore):
    page.get_by_role("group", name="Time range").get_by_role("button", expanded=False).click()
    dialog = page.get_by_role("dialog", name="Choose a time range")

    dialog.get_by_role("textbox", name="From").fill("a fortnight before the flood")
    expect(dialog).to_contain_text("is no time")
    expect(dialog.get_by_role("button", name="Apply")).to_be_disabled()
    dialog.get_by_role("textbox", name="From").fill("8 hours ago")
    dialog.get_by_role("textbox", name="To").fill("now-2h")
    page.keyboard.press("Enter")

    explore.reaches(**{"from": "8 hours ago", "to": "now-2h"})
    expect(page.get_by_role("button", name="8 hours ago to now-2h")).to_be_visible()
    explore.settle()


def test_a_preset_is_one_click(page, explore):
    page.get_by_role("group", name="Time range").get_by_role("button", expanded=False).click()
    page.get_by_role("list", name="Presets").get_by_role("button", name="Last 3 hours").click()

    explore.reaches(**{"from": "now-3h", "to": ""})
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(explore.figure).to_have_accessible_name(re.compile("Stacked graph of IP bit/s"))


def test_auto_refresh_asks_again(page, demo):
    Explore(page, demo).open(**{"from": "now-5m"})

    with page.expect_response("**/flows/series", timeout=10_000) as answer:
        page.get_by_role("combobox", name="Auto refresh").select_option("5 s")
    assert answer.value.status == 200
