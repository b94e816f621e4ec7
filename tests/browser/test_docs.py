"""The documentation inside the console."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def docs(page, demo):
    page.goto(f"{demo}/docs")
    expect(page.get_by_role("article")).to_be_visible()
    return page


def test_links_between_pages_stay_in_the_console(docs):
    docs.get_by_role("article").get_by_role("link", name="First flows").click()

    expect(docs).to_have_url(re.compile("/docs/tutorial/first-flows$"))
    expect(docs.get_by_role("article", name="First flows")).to_contain_text("make demo")


def test_the_navigation_lists_the_pages_by_their_kind(docs):
    navigation = docs.get_by_role("navigation", name="Pages of the documentation")
    navigation.get_by_role("link", name="Filter language").click()

    expect(docs.get_by_role("heading", level=1, name="Filter language").first).to_be_visible()
    expect(navigation.get_by_role("link", name="Filter language")).to_have_attribute("aria-current", "page")


def test_a_search_finds_words_inside_pages(docs):
    docs.get_by_role("searchbox", name="Search the documentation").fill("softflowd")
    navigation = docs.get_by_role("navigation", name="Pages of the documentation")
    navigation.get_by_role("link", name=re.compile("softflowd")).first.click()

    expect(docs.get_by_role("article")).to_contain_text("softflowd")
    docs.get_by_role("searchbox", name="Search the documentation").fill("xyzzyplugh")
    expect(navigation).to_contain_text("No page has these words")


def test_pictures_of_a_page_are_shown(docs, demo):
    docs.goto(f"{demo}/docs/tutorial/explore-your-traffic")
    pictures = docs.get_by_role("article").get_by_role("img")
    expect(pictures.first).to_be_visible()
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        docs.wait_for_function("image => image.complete && image.naturalWidth > 300", arg=picture.element_handle())
        assert len(picture.get_attribute("alt")) > 10


def test_an_unknown_page_is_said_to_be_missing(docs, demo):
    docs.goto(f"{demo}/docs/no-such-page")

    expect(docs.get_by_role("alert")).to_be_visible()
    docs.wrong.clear()  # The API's 404 stands in the browser's log.
