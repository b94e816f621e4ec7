"""Login by OpenID Connect over HTTP: from the button to the page that was wanted."""

from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from browsers import API, PASSWORD, Browser, Clock, Console
from login_provider import ISSUER, SECRET, Provider
from millrace.api.gate import SESSION_COOKIE
from millrace.state import NewUser

START = f"{API}/session/oidc/start"
SITE = "https://flows.example.org"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def provider(clock):
    return Provider(clock)


@pytest.fixture
def console(services, tmp_path, clock, provider):
    oidc = {"issuer": ISSUER, "client_id": "millrace", "client_secret": SECRET, "label": "Company login"}
    console = Console(services, tmp_path, clock, httpx.MockTransport(provider), oidc=oidc, public_url=SITE)
    console.start()
    yield console
    console.stop()


@pytest.fixture
def browser(console):
    return Browser(console.app, base=SITE)


def go(browser, provider, following="/"):
    """Press the button, log in at the provider, come back."""
    begun = browser.get(START, params={"next": following})
    assert begun.status_code == 303
    answer = provider.authorize(begun.headers["location"])
    return browser.get(f"{API}/session/oidc/callback", params=answer)


def test_the_browser_goes_to_the_provider_and_comes_back_logged_in(console, browser, provider):
    answer = go(browser, provider, "/explore?dimensions=SrcAS")
    assert (answer.status_code, answer.headers["location"]) == (303, "/explore?dimensions=SrcAS")
    assert browser.get(f"{API}/session").json()["name"] == "alice"
    assert [name for name in browser.cookies if name != SESSION_COOKIE] == []
    session = next(text for text in answer.headers.get_list("set-cookie") if text.startswith(SESSION_COOKIE))
    assert "HttpOnly" in session
    assert "Secure" in session


def test_the_provider_learns_where_to_send_the_browser_back(browser):
    question = dict(parse_qsl(urlsplit(browser.get(START).headers["location"]).query))
    assert question["redirect_uri"] == f"{SITE}{API}/session/oidc/callback"


def test_the_way_in_is_offered(browser):
    assert browser.get(f"{API}/session/methods").json()["methods"] == [
        {"kind": "password", "label": "Password", "address": ""},
        {"kind": "oidc", "label": "Company login", "address": START},
    ]


def test_the_provider_may_be_the_only_way_in(services, tmp_path, clock):
    oidc = {"issuer": ISSUER, "client_id": "millrace"}
    console = Console(services, tmp_path, clock, oidc=oidc, password={"enabled": False})
    console.start()
    browser = Browser(console.app)
    assert [method["kind"] for method in browser.get(f"{API}/session/methods").json()["methods"]] == ["oidc"]
    console.access.users.add(NewUser("alice", "admin"), PASSWORD)
    assert browser.login("alice").status_code == 403
    console.stop()


@pytest.mark.parametrize(
    "page", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nb: c", "/ä"]
)
def test_the_page_after_the_login_is_one_of_this_site(browser, provider, page):
    assert go(browser, provider, page).headers["location"] == "/"


def test_a_callback_in_another_browser_logs_nobody_in(console, browser, provider):
    """An attacker who sends the own answer of the provider to a victim."""
    begun = browser.get(START)
    answer = provider.authorize(begun.headers["location"])
    victim = Browser(console.app, base=SITE)
    refused = victim.get(f"{API}/session/oidc/callback", params=answer)
    assert refused.headers["location"] == "/login?problem=oidc-failed"
    assert victim.get(f"{API}/session").status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c.d.e", "." * 4000, "é"])
def test_a_broken_cookie_is_a_failed_login(browser, cookie):
    headers = {"cookie": f"millrace_oidc={cookie}".encode()}
    answer = browser.get(f"{API}/session/oidc/callback", params={"state": "x", "code": "y"}, headers=headers)
    assert answer.headers["location"] == "/login?problem=oidc-failed"


def test_a_user_who_may_not_is_told_so(console, browser, provider):
    go(browser, provider)
    provider.claims["sub"] = "8"
    answer = go(Browser(console.app, base=SITE), provider)
    assert answer.headers["location"] == "/login?problem=oidc-denied"


def test_a_provider_that_fails_leads_back_to_the_login(browser, provider, logs):
    provider.answers["/realm/.well-known/openid-configuration"] = httpx.Response(500)
    answer = browser.get(START)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?problem=oidc-failed")
    assert any("failed" in entry["event"] for entry in logs)


def test_secrets_of_the_login_are_not_logged(console, browser, provider, logs):
    go(browser, provider)
    provider.spoil["claims"] = {"nonce": "other"}
    go(browser, provider)
    text = str(logs)
    for secret in (SECRET, "the-code", browser.cookies[SESSION_COOKIE], provider.nonce, provider.challenge):
        assert secret not in text


def test_without_a_provider_there_is_no_such_login(services, tmp_path, clock):
    browser = Browser(Console(services, tmp_path, clock).app)
    assert browser.get(START).status_code == 404
    assert browser.get(f"{API}/session/oidc/callback").status_code == 404
