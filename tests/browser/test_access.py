"""Logins, roles, tenants and tokens, on a server that wants them."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from browser.conftest import PASSWORDS
from browser.explore import Explore


@pytest.fixture
def login(page, guarded):
    """Log in by the form."""

    def login(name, password=None, path="/"):
        page.goto(f"{guarded}{path}")
        page.get_by_role("textbox", name="Name").fill(name)
        page.get_by_label("Password").fill(password or PASSWORDS[name])
        page.get_by_role("button", name="Log in").click()

    yield login
    # Who is not logged in is answered 401, which browsers log as an error.
    page.wrong[:] = [text for text in page.wrong if "401" not in text]


def navigation(page):
    return page.get_by_role("navigation", name="Pages", exact=True)


def test_a_wrong_password_says_no_more_than_that(page, login):
    login("eve", "wrong password")

    expect(page.get_by_role("alert")).to_contain_text("the user name or the password is wrong")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page).to_have_url(re.compile("/login"))


def test_a_login_leads_to_the_page_that_was_wanted(page, guarded, login):
    login("eve", path="/explore?v=1&by=Proto&from=now-1h")

    expect(page).to_have_url(re.compile(r"/explore\?v=1&by=Proto&from=now-1h$"))
    Explore(page, guarded).settle()
    expect(navigation(page).get_by_role("button", name="eve viewer")).to_be_visible()


def test_what_a_login_leaves_in_the_browser_is_not_for_scripts(page, context, login):
    login("eve")
    expect(navigation(page)).to_be_visible()

    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    # The other one makes the browser known at the next login.
    assert set(cookies) == {"millrace_session", "millrace_device"}
    assert all(cookie["httpOnly"] for cookie in cookies.values())
    assert all(cookie["sameSite"] in ("Lax", "Strict") for cookie in cookies.values())
    assert page.evaluate("document.cookie") == ""


def test_after_a_logout_nothing_is_shown(page, guarded, login):
    login("eve")
    navigation(page).get_by_role("button", name="eve viewer").click()
    page.get_by_role("menuitem", name="Log out").click()

    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.goto(f"{guarded}/flows")
    expect(page).to_have_url(re.compile("/login"))
    assert page.request.get(f"{guarded}/api/v1/columns").status == 401


@pytest.mark.parametrize("path", ["/", "/live", "/docs", "/explore?v=1&by=Proto&from=now-1h"])
def test_a_session_that_ends_under_an_open_page_leads_to_a_login_and_back(page, context, guarded, login, path):
    login("eve", path=path)
    page.wait_for_url(f"{guarded}{path}**")
    expect(navigation(page)).to_be_visible()

    context.clear_cookies()
    # Whichever question comes next; each page asks how the server is.
    expect(page.get_by_label("Password")).to_be_visible(timeout=30_000)
    page.get_by_role("textbox", name="Name").fill("eve")
    page.get_by_label("Password").fill(PASSWORDS["eve"])
    page.get_by_role("button", name="Log in").click()

    page.wait_for_url(f"{guarded}{path}**")
    expect(navigation(page)).to_be_visible()


def test_a_viewer_has_no_users_page(page, guarded, login):
    login("eve", path="/settings")
    expect(page.get_by_role("main")).to_contain_text("eve")

    expect(page.get_by_role("main").get_by_role("link", name="Users")).to_have_count(0)
    assert page.request.get(f"{guarded}/api/v1/users").status == 403


def test_a_tenant_sees_only_their_own_flows(page, guarded, login):
    login("tess", path="/explore?v=1&by=ExporterName&from=now-1h")
    explore = Explore(page, guarded)
    explore.settle()

    assert explore.names() == ["gw1.office"]
    expect(navigation(page).get_by_role("link", name="Exporters")).to_have_count(0)
    page.goto(f"{guarded}/flows?v=1&from=now-1h")
    expect(page.get_by_role("main")).to_contain_text("gw1.office")
    assert "edge1" not in page.get_by_role("main").inner_text()
    page.goto(f"{guarded}/?from=now-1h")
    expect(page.get_by_role("main")).to_contain_text("Source AS")
    assert "edge1" not in page.get_by_role("main").inner_text()
    assert page.request.get(f"{guarded}/api/v1/exporters").status == 403


def test_an_administrator_adds_a_user(page, guarded, login):
    login("ada", path="/settings/users")
    page.get_by_role("button", name="New user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name", exact=True).fill("nina")
    dialog.get_by_label("Initial password").fill("a long enough password")
    dialog.get_by_role("button", name="Add the user").click()

    expect(page.get_by_role("row", name="nina")).to_contain_text("viewer")
    answer = httpx.post(
        f"{guarded}/api/v1/session",
        json={"name": "nina", "password": "a long enough password"},
        headers={"origin": guarded},
    )
    assert answer.status_code == 200


def test_a_token_made_in_the_settings_opens_the_api(page, guarded, login):
    login("eve", path="/settings/tokens")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("script")
    dialog.get_by_label("Your password").fill(PASSWORDS["eve"])
    dialog.get_by_role("button", name="Make the token").click()
    made = page.get_by_role("dialog", name="The token")
    expect(made).to_contain_text("it is not shown again")
    token = re.search(r"mlr_[\w-]+", made.inner_text()).group()

    answer = httpx.get(f"{guarded}/api/v1/session", headers={"authorization": f"Bearer {token}"})
    assert answer.json()["name"] == "eve"
    assert answer.json()["via"] == "token"
