"""Login by OpenID Connect over HTTP: from the button to the page that was wanted."""

import asyncio
import threading
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from browsers import API, PASSWORD, QUICK, Browser, Clock, Console
from login_provider import ISSUER, SECRET, Provider
from millrace.api import cookies
from millrace.state import NewUser
from millrace.telemetry import Brake

SESSION_COOKIE = f"__Host-{cookies.SESSION_COOKIE}"
PENDING_COOKIE = f"__Host-{cookies.PENDING_COOKIE}"
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


def test_the_provider_is_another_site_that_leads_back_here(browser, provider):
    """As browsers tell it of a redirect (W3C Fetch Metadata)."""
    browser.headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert go(browser, provider).headers["location"] == "/"


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


def test_a_password_of_before_is_not_asked_for_where_nobody_logs_in_with_one(services, tmp_path, clock, provider):
    oidc = {"issuer": ISSUER, "client_id": "millrace", "client_secret": SECRET, "link_existing": True}
    transport = httpx.MockTransport(provider)
    console = Console(
        services, tmp_path, clock, transport, oidc=oidc, public_url=SITE, password={"enabled": False, **QUICK}
    )
    console.start()
    console.access.users.add(NewUser("alice", "admin"), PASSWORD)
    browser = Browser(console.app, base=SITE)
    go(browser, provider)
    said = browser.get(f"{API}/session").json()
    browser.csrf = said["csrf_token"]
    assert not said["has_password"]
    assert browser.post(f"{API}/tokens", json={"name": "t"}).status_code == 201
    change = {"old": PASSWORD, "new": "another long password"}
    assert browser.post(f"{API}/session/password", json=change).status_code == 403
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
    headers = {"cookie": f"{PENDING_COOKIE}={cookie}".encode()}
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


def test_strangers_do_not_fill_the_log(browser, logs, monkeypatch):
    """Every request without a login that was begun here wrote a line, as many as anybody liked."""
    monkeypatch.setattr("millrace.api.oidc_routes._brake", Brake())
    for _ in range(100):
        assert browser.get(f"{API}/session/oidc/callback?state=x&code=y").status_code == 303
    assert sum("failed" in entry["event"] for entry in logs) == 60


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


# --- strangers


def test_a_login_that_was_not_begun_here_asks_the_provider_nothing(console, browser, provider):
    """The cookie is signed: one that somebody wrote is none, and one that was changed neither."""
    question = {"state": "s", "code": "c"}
    until = "99999999999"
    for cookie in (f"s.n.v.{until}", f"s.n.v.{until}.Lw", f"s.n.v.{until}.Lw.{'0' * 64}"):
        headers = {"cookie": f"{PENDING_COOKIE}={cookie}"}
        answer = browser.get(f"{API}/session/oidc/callback", params=question, headers=headers)
        assert answer.headers["location"] == "/login?problem=oidc-failed"
    assert provider.requests == []


def test_what_the_browser_keeps_meanwhile_cannot_be_changed(console, browser, provider):
    begun = browser.get(START, params={"next": "/explore"})
    answer = provider.authorize(begun.headers["location"])
    asked = len(provider.requests)
    kept = browser.cookies[PENDING_COOKIE]
    state, nonce, verifier, until, following, signature = kept.split(".")
    for changed in (
        f"{state}.{nonce}.{verifier}.{until}9.{following}.{signature}",
        f"{state}.{nonce}.other.{until}.{following}.{signature}",
        f"{state}.{nonce}.{verifier}.{until}.Lw.{signature}",
        f"{state}.{nonce}.{verifier}.{until}.{following}",
    ):
        refused = Browser(console.app, base=SITE, headers={"cookie": f"{PENDING_COOKIE}={changed}"})
        location = refused.get(f"{API}/session/oidc/callback", params=answer).headers["location"]
        assert location == "/login?problem=oidc-failed"
    assert len(provider.requests) == asked
    assert browser.get(f"{API}/session/oidc/callback", params=answer).headers["location"] == "/explore"


class SlowProvider:
    """Answers only when the test lets it."""

    def __init__(self, provider):
        self.provider, self.slow, self.asked, self.go_on = provider, True, 0, threading.Event()

    def __call__(self, request):
        self.asked += 1
        if self.slow:
            assert self.go_on.wait(30)
        return self.provider(request)


@pytest.fixture
def slow(services, tmp_path, clock, provider):
    """A console whose provider does not answer yet."""
    waiting = SlowProvider(provider)
    oidc = {"issuer": ISSUER, "client_id": "millrace", "client_secret": SECRET}
    console = Console(services, tmp_path, clock, httpx.MockTransport(waiting), oidc=oidc, public_url=SITE)
    console.start()
    console.add_users()
    yield console, waiting
    waiting.go_on.set()
    console.stop()


def test_a_slow_provider_takes_no_threads_from_other_requests(slow):
    """Forty anonymous requests took all of them: nobody got an answer while the provider was slow."""
    console, provider = slow
    alice = console.browser("alice", base=SITE)

    async def ask(client, path, peer):
        return await client(peer).get(path)

    async def everything():
        clients = {}

        def client(peer):
            if peer not in clients:
                transport = httpx.ASGITransport(console.app, client=(peer, 1))
                clients[peer] = httpx.AsyncClient(transport=transport, base_url=SITE)
            return clients[peer]

        starts = [asyncio.create_task(ask(client, START, f"192.0.2.{number % 25}")) for number in range(200)]
        async with asyncio.timeout(10):
            while sum(task.done() for task in starts) < 200 - 64:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        busy = [task.result() for task in starts if task.done()]
        secret = alice.cookies[SESSION_COOKIE]
        headers = {"cookie": f"{SESSION_COOKIE}={secret}"}
        other = await asyncio.wait_for(client("203.0.113.1").get(f"{API}/session", headers=headers), 5)
        provider.go_on.set()
        begun = await asyncio.gather(*starts)
        return busy, other, begun

    busy, other, begun = asyncio.run(everything())
    assert other.json()["name"] == "alice"
    # Whom there is no place for is told so at once.
    assert {answer.headers["location"] for answer in busy} == {"/login?problem=oidc-busy"}
    assert len(busy) == 200 - 64
    # The others shared one question to the provider.
    assert provider.asked == 1
    assert sum(answer.headers["location"].startswith(ISSUER) for answer in begun) == 64


def test_one_address_does_not_take_every_place(slow):
    console, provider = slow

    async def everything():
        def client(peer):
            return httpx.AsyncClient(transport=httpx.ASGITransport(console.app, client=(peer, 1)), base_url=SITE)

        flood = [asyncio.create_task(client(f"2001:db8::{number:x}").get(START)) for number in range(1, 101)]
        await asyncio.sleep(0.2)
        honest = asyncio.create_task(client("203.0.113.1").get(START))
        await asyncio.sleep(0.1)
        provider.go_on.set()
        return await asyncio.gather(*flood), await honest

    flood, honest = asyncio.run(everything())
    assert honest.headers["location"].startswith(ISSUER)
    assert sum(answer.headers["location"].startswith(ISSUER) for answer in flood) == 4


def test_a_provider_that_failed_is_not_waited_for_by_everybody(browser, provider, clock):
    provider.answers["/realm/.well-known/openid-configuration"] = httpx.Response(500)
    for _ in range(20):
        assert browser.get(START).headers["location"] == "/login?problem=oidc-failed"
    assert len(provider.requests) == 1
    provider.answers.clear()
    clock.move(5)
    assert browser.get(START).headers["location"].startswith(ISSUER)


def test_what_the_provider_said_serves_while_it_is_asked_again(slow):
    console, provider = slow
    provider.slow = False
    assert console.browser(base=SITE).get(START).headers["location"].startswith(ISSUER)
    provider.slow = True
    console.access.clock.move(3600)

    async def everything():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(console.app), base_url=SITE) as client:
            first = asyncio.create_task(client.get(START))
            await asyncio.sleep(0.1)
            second = await asyncio.wait_for(client.get(START), 5)
            waits = not first.done()
            provider.go_on.set()
            return waits, second, await first

    waits, second, first = asyncio.run(everything())
    assert waits
    assert second.headers["location"].startswith(ISSUER)
    assert first.headers["location"].startswith(ISSUER)
