"""Every page: it loads, names itself, fits a telephone, follows the theme, and works by keyboard."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from browser.explore import Explore, inked, until

PAGES = {
    # Path: entry of the navigation, title, something that is there when the data is.
    "/": ("Overview", "Overview", "AS64500 Example Network"),
    "/explore": ("Explore", "Explore", "AS64500 Example Network"),
    "/flows": ("Flows", "Flows", "back to"),
    "/live": ("Live", "Live", "Top of the last minute"),
    "/exporters": ("Exporters", "Exporters", "edge1.ams"),
    "/exporters/127.0.1.1": ("Exporters", "edge1.ams", "Traffic of the last hour"),
    "/dashboards": ("Dashboards", "Dashboards", re.compile("dashboard", re.IGNORECASE)),
    "/docs": ("Documentation", "Millrace documentation", "learn by doing"),
    "/docs/reference/configuration": ("Documentation", "Settings", "receive.listeners"),
    "/settings": ("Settings", "Profile", "you see every flow"),
}
WIDTH = "() => document.scrollingElement.scrollWidth"


def opened(page, demo, path):
    _, title, text = PAGES[path]
    page.goto(f"{demo}{path}")
    expect(page.get_by_role("heading", level=1).first).to_contain_text(title)
    expect(page.get_by_role("main").get_by_text(text).filter(visible=True).first).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_and_the_navigation_leads_to_it(page, demo, path):
    opened(page, demo, path)

    expect(page).to_have_title(re.compile("Millrace$"))
    expect(page.get_by_role("main").get_by_role("alert")).to_have_count(0)
    entry = page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link", name=PAGES[path][0])
    expect(entry).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_telephone(page, demo, path):
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, demo, path)

    assert page.evaluate(WIDTH) <= 360
    navigation = page.get_by_role("navigation", name="Main pages")
    expect(navigation.get_by_role("link", name="Explore")).to_be_in_viewport()


def test_the_rest_of_the_navigation_is_in_a_drawer(page, demo):
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, demo, "/")

    page.get_by_role("button", name="More").click()
    page.get_by_role("dialog", name="More pages").get_by_role("link", name="Documentation").click()

    expect(page).to_have_url(re.compile("/docs$"))


def test_explore_works_on_a_telephone(page, demo, window):
    page.set_viewport_size({"width": 360, "height": 740})
    explore = Explore(page, demo).open(**window)

    explore.kind("Bars")
    explore.reaches(graph="bars")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("dialog").get_by_role("combobox", name="Unit").select_option("Packets/s")
    page.get_by_role("button", name="Done").click()

    expect(explore.figure).to_have_accessible_name(re.compile("^Bars graph of Packets/s"))
    inked(explore.figure)
    assert page.evaluate(WIDTH) <= 360


def test_the_theme_is_the_system_s_until_it_is_chosen(browser, demo):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    opened(page, demo, "/docs")
    background = (
        "() => getComputedStyle(document.documentElement).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"
    )

    assert max(page.evaluate(background)) < 60
    page.emulate_media(color_scheme="light")
    until(page, lambda: min(page.evaluate(background)) > 200)
    theme = page.get_by_role("button", name=re.compile("^Theme: "))
    theme.click()
    theme.click()
    expect(theme).to_have_accessible_name("Theme: dark. Change it")
    until(page, lambda: max(page.evaluate(background)) < 60)
    page.reload()
    assert max(page.evaluate(background)) < 60
    context.close()


def test_graphs_follow_the_theme(page, demo, window):
    page.emulate_media(color_scheme="dark")
    explore = Explore(page, demo).open(**window)
    inked(explore.figure)


def test_pages_and_saved_things_are_found_by_typing(page, demo):
    opened(page, demo, "/docs")

    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search pages").fill("exporters")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/exporters$"))


def test_shortcuts_lead_to_pages_and_are_listed(page, demo):
    opened(page, demo, "/docs")

    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile("/explore"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Edit the filter")


def test_explore_by_keyboard_only(page, demo, window):
    explore = Explore(page, demo).open(by="Proto", **window)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    expect(explore.filter).to_be_focused()
    page.keyboard.type("InIfBoundary = external")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    explore.reaches(filter="InIfBoundary = external")

    reach(page, page.get_by_role("radio", name="Stacked"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    explore.reaches(graph="lines")
    explore.settle()

    value = explore.table.get_by_role("button", name="UDP", exact=True)
    reach(page, value)
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Show only UDP")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    explore.reaches(filter="InIfBoundary = external AND Proto != udp")


def reach(page, element):
    """Press Tab until an element has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if element.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{element} cannot be reached by Tab")


def test_the_console_loads_nothing_that_it_does_not_bring(demo):
    policy = httpx.get(demo).headers["content-security-policy"]
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
