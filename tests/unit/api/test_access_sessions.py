"""Sessions over HTTP: cookies, forged requests, modes."""

import asyncio

import httpx
import pytest

from browsers import API, LIMIT, ORIGIN, PASSWORD, Browser, Clock, Console
from millrace.api.cookies import DEVICE_COOKIE, SESSION_COOKIE

SESSION = f"{API}/session"
NAMED = {"remote-user": "alice"}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_console(services, tmp_path, clock):
    opened = []

    def make(transport=None, **settings):
        console = Console(services, tmp_path, clock, transport, **settings)
        console.start()
        opened.append(console)
        return console

    yield make
    for console in opened:
        console.stop()


@pytest.fixture
def console(make_console):
    console = make_console()
    console.add_users()
    return console


def cookie_of(answer, name=SESSION_COOKIE):
    """Attributes of the session's cookie."""
    text = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(f"{name}="))
    return {part.strip().lower() for part in text.split(";")[1:]}


# --- logging in and out


def test_a_login_gives_a_cookie_that_scripts_and_other_sites_do_not_get(console):
    answer = console.browser().login("alice")
    assert {"httponly", "samesite=lax", "path=/", "max-age=604800"} <= cookie_of(answer)
    assert "secure" not in cookie_of(answer)
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert (said["name"], said["role"], said["via"], said["mode"]) == ("alice", "admin", "session", "login")
    assert said["may"] == {"share": True, "operate": True, "administer": True}


@pytest.mark.parametrize(
    ("settings", "base", "headers"),
    [
        ({}, "https://127.0.0.1:8080", {}),
        ({}, ORIGIN, {"x-forwarded-proto": "https"}),
        ({"session": {"secure_cookie": True}}, ORIGIN, {}),
        ({"public_url": "https://flows.example.org"}, ORIGIN, {}),
    ],
)
def test_the_cookie_is_marked_secure_where_the_browser_came_by_https(make_console, settings, base, headers):
    console = make_console(**settings)
    console.add_users()
    answer = console.browser(base=base, headers=headers).login("alice")
    for cookie in (SESSION_COOKIE, DEVICE_COOKIE):
        attributes = cookie_of(answer, f"__Host-{cookie}")
        # Browsers take the prefix with exactly these (RFC 6265bis §4.1.3.2).
        assert {"secure", "path=/", "httponly", "samesite=lax"} <= attributes
        assert not any(attribute.startswith("domain") for attribute in attributes)


def test_a_planted_cookie_without_the_prefix_is_no_session_where_browsers_come_by_https(make_console):
    """A neighbour in the domain, or somebody on the way, can plant a cookie, but none with the prefix."""
    console = make_console(public_url="https://flows.example.org")
    console.add_users()
    browser = console.browser(base="https://flows.example.org")
    browser.login("victor")
    secret = browser.cookies[f"__Host-{SESSION_COOKIE}"]
    browser.cookies.clear()
    for name in (SESSION_COOKIE, f" {SESSION_COOKIE}", f"__host-{SESSION_COOKIE}", f"\x85__Host-{SESSION_COOKIE}"):
        assert browser.get(SESSION, headers={"cookie": f"{name}={secret}".encode("latin-1")}).status_code == 401
    headers = {"cookie": f"{SESSION_COOKIE}=planted; __Host-{SESSION_COOKIE}={secret}"}
    assert browser.get(SESSION, headers=headers).json()["name"] == "victor"


def test_a_logout_takes_away_the_cookie_with_the_prefix(make_console):
    console = make_console(public_url="https://flows.example.org")
    console.add_users()
    browser = console.browser("alice", base="https://flows.example.org")
    answer = browser.delete(SESSION)
    assert {"secure", "path=/", "max-age=0"} <= cookie_of(answer, f"__Host-{SESSION_COOKIE}")
    assert [name for name in browser.cookies if "session" in name] == []


def test_strangers_do_not_lock_a_user_out(console, clock):
    alice, stranger = console.browser("alice"), console.browser(peer="198.51.100.7")
    for _ in range(8):
        clock.move(60)
        stranger.login("alice", "wrong password")
    assert stranger.login("alice").status_code == 429
    assert console.browser().login("alice").status_code == 200
    # From the same address, behind a proxy that does not say whose it is, say.
    alice.delete(SESSION)
    alice._peer = "198.51.100.7"
    assert alice.login("alice").status_code == 200


def test_the_session_says_who_asks_and_what_they_may(console):
    said = console.browser("tina").get(SESSION).json()
    assert (said["name"], said["role"], said["scope_filter"]) == ("tina", "viewer", 'InIfProvider = "a"')
    assert said["may"] == {"share": False, "operate": False, "administer": False}
    assert said["has_password"]


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_wrong_password_is_refused_without_a_word_of_the_user(console, name):
    answer = console.browser().login(name, "wrong password")
    assert answer.status_code == 401
    assert answer.json()["detail"] == "the user name or the password is wrong"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in answer.headers


def test_too_many_failures_are_refused_for_a_while(console, clock):
    browser = console.browser()
    for _ in range(5):
        browser.login("alice", "wrong password")
    answer = browser.login("alice")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    clock.move(1)
    assert browser.login("alice").status_code == 200


def test_a_planted_session_is_not_the_one_after_the_login(console):
    """Session fixation."""
    attacker = console.browser("victor")
    planted = attacker.cookies[SESSION_COOKIE]
    victim = console.browser()
    victim.cookies.update(attacker.cookies)
    victim.csrf = attacker.csrf
    assert victim.login("alice").status_code == 200
    assert victim.cookies[SESSION_COOKIE] != planted
    assert attacker.get(SESSION).status_code == 401


def test_logout_ends_the_session_at_the_server(console):
    browser = console.browser("alice")
    kept = browser.cookies[SESSION_COOKIE]
    assert browser.delete(SESSION).status_code == 204
    assert SESSION_COOKIE not in browser.cookies
    browser.cookies.set(SESSION_COOKIE, kept)
    assert browser.get(SESSION).status_code == 401


def test_logout_everywhere_ends_every_session_of_the_user(console):
    first, second, other = console.browser("alice"), console.browser("alice"), console.browser("victor")
    assert first.delete(f"{SESSION}?everywhere=true").status_code == 204
    assert second.get(SESSION).status_code == 401
    assert other.get(SESSION).status_code == 200


def test_a_new_password_ends_the_other_sessions_and_replaces_this_one(console):
    first, second = console.browser("alice"), console.browser("alice")
    old = first.cookies[SESSION_COOKIE]
    answer = first.post(f"{SESSION}/password", json={"old": PASSWORD, "new": "another password"})
    assert answer.status_code == 200
    assert first.cookies[SESSION_COOKIE] != old
    assert answer.json()["csrf_token"] != first.csrf
    assert first.get(SESSION).status_code == 200
    assert second.get(SESSION).status_code == 401
    assert console.browser().login("alice").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"old": "wrong password", "new": "another password"}, 401),
        ({"old": PASSWORD, "new": "short"}, 422),
        ({"old": PASSWORD, "new": "x" * 4097}, 422),
        ({"old": PASSWORD}, 422),
    ],
)
def test_a_password_that_cannot_be_changed_stays(console, body, status):
    assert console.browser("alice").post(f"{SESSION}/password", json=body).status_code == status
    assert console.browser().login("alice").status_code == 200


def test_the_methods_of_login_need_no_login(console, make_console):
    assert console.browser().get(f"{SESSION}/methods").json() == {
        "mode": "login",
        "methods": [{"kind": "password", "label": "Password", "address": ""}],
    }
    assert make_console(mode="proxy").browser().get(f"{SESSION}/methods").json() == {"mode": "proxy", "methods": []}


# --- forged requests


CHANGES = [
    ("POST", "/filters"),
    ("POST", "/links"),
    ("DELETE", "/session"),
    ("POST", "/users"),
    ("PATCH", "/users/victor"),
    ("DELETE", "/users/victor"),
    ("POST", "/session/password"),
    ("POST", "/flows/top"),
    ("POST", "/filter/check"),
]


def test_a_change_by_cookie_needs_the_csrf_token(console):
    browser = console.browser("alice")
    for method, path in CHANGES:
        for token in (None, b"", b"wrong", "ä".encode()):
            answer = browser.send(method, f"{API}{path}", headers={"x-csrf-token": token}, json={})
            assert answer.status_code == 403, (path, token)
            assert "X-CSRF-Token" in answer.json()["detail"]


def test_the_csrf_token_of_another_session_does_not_fit(console):
    alice, eve = console.browser("alice"), console.browser("eve")
    alice.csrf = eve.csrf
    assert alice.post(f"{API}/links", json={"state": "x"}).status_code == 403


def test_the_csrf_token_is_told_to_the_session_again(console):
    browser = console.browser("alice")
    assert browser.get(SESSION).json()["csrf_token"] == browser.csrf


OTHERS = [
    "http://evil.example",
    "null",
    "",
    "http://127.0.0.1:9090",
    "https://127.0.0.1.evil.example",
    "x" * 5000,
    "http://[",
    "http://a]b",
]


@pytest.mark.parametrize("mode", ["open", "login", "proxy"])
def test_a_change_from_another_site_is_refused_in_every_mode(make_console, mode):
    console = make_console(mode=mode)
    browser = console.browser(headers=NAMED)
    if mode == "login":
        console.add_users()
        browser.login("alice")
    for origin in OTHERS:
        answer = browser.post(f"{API}/links", json={"state": "x"}, headers={"origin": origin})
        assert answer.status_code == 403, origin
        assert "another site" in answer.json()["detail"]
        assert browser.get(f"{API}/session", headers={"origin": origin}).status_code == 200
    assert browser.post(f"{API}/links", json={"state": "x"}).status_code == 200


def test_a_login_from_another_site_is_refused(console):
    body = {"name": "alice", "password": PASSWORD}
    answer = console.browser().post(SESSION, json=body, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


def test_a_browser_that_hides_the_origin_still_says_that_it_is_another_site(make_console):
    browser = make_console(mode="open").browser()
    headers = {"origin": None, "sec-fetch-site": "cross-site"}
    assert browser.post(f"{API}/links", json={"state": "x"}, headers=headers).status_code == 403
    assert browser.post(f"{API}/links", json={"state": "x"}, headers={"origin": None}).status_code == 200


FROM_ELSEWHERE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}


@pytest.mark.parametrize("path", [f"{API}/exporters", f"{API}/flows/live", f"{API}/store", "/metrics"])
@pytest.mark.parametrize("more", [{}, {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, {"origin": "null"}])
def test_a_page_of_another_site_has_no_answers_made(make_console, path, more):
    """It could not read them, but hold every live stream, where nobody logs in or a proxy knows the browser."""
    console = make_console(mode="open")
    console.app.state.stopping = True
    browser = console.browser()
    assert browser.get(path, headers={**FROM_ELSEWHERE, **more}).status_code == 403
    for site in ("same-origin", "same-site", "none"):
        assert browser.get(path, headers={**FROM_ELSEWHERE, **more, "sec-fetch-site": site}).status_code == 200


def test_a_link_on_another_site_leads_here(make_console):
    browser = make_console(mode="open", allowed_origins=["http://localhost:5173"]).browser()
    follows = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    for path in (f"{API}/openapi.json", "/api/docs", "/explore"):
        assert browser.get(path, headers=follows).status_code == 200
    # The console itself may be looked at from anywhere, and allowed sites may ask.
    assert browser.get("/", headers=FROM_ELSEWHERE).status_code == 200
    assert (
        browser.get(f"{API}/columns", headers={**FROM_ELSEWHERE, "origin": "http://localhost:5173"}).status_code == 200
    )


def test_other_sites_may_be_allowed(make_console):
    console = make_console(
        mode="open", allowed_origins=["http://localhost:5173"], public_url="https://flows.example.org"
    )
    for origin in ("http://localhost:5173", "https://flows.example.org"):
        answer = console.browser().post(f"{API}/links", json={"state": "x"}, headers={"origin": origin})
        assert answer.status_code == 200


def test_where_the_public_address_is_known_a_forwarded_one_means_nothing(make_console):
    """A proxy passes on what a client sends in the header, unless it is told otherwise."""
    site = "https://flows.example.org"
    evil = {"origin": "https://evil.example", "x-forwarded-host": "evil.example"}
    known = make_console(mode="open", public_url=site).browser(base=site)
    assert known.post(f"{API}/links", json={"state": "x"}, headers=evil).status_code == 403
    assert known.post(f"{API}/links", json={"state": "x"}).status_code == 200
    # On the machine itself, past the proxy.
    local = make_console(mode="open", public_url=site).browser()
    assert local.post(f"{API}/links", json={"state": "x"}).status_code == 200


def test_a_page_without_https_is_another_site_than_the_public_address(make_console):
    """Anybody on the way may have written it."""
    browser = make_console(mode="open", public_url="https://flows.example.org").browser(
        base="https://flows.example.org"
    )
    for origin in ("http://flows.example.org", "ftp://flows.example.org", "//flows.example.org"):
        answer = browser.post(f"{API}/links", json={"state": "x"}, headers={"origin": origin})
        assert answer.status_code == 403, origin


def test_only_json_is_taken_as_a_form_of_another_site_can_send_other_kinds(make_console):
    browser = make_console(mode="open").browser(headers={"origin": None})

    def status(kind):
        return browser.post(f"{API}/links", content=b'{"state": "x"}', headers={"content-type": kind}).status_code

    for kind in (None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"):
        assert status(kind) == 415, kind
    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        assert status(kind) == 200, kind


# --- tokens and modes


def test_a_token_needs_no_csrf_token(console):
    browser = console.browser("victor")
    made = browser.post(f"{API}/tokens", json={"name": "t", "password": PASSWORD}).json()
    script = Browser(console.app, headers={"authorization": f"Bearer {made['token']}"})
    assert script.get(SESSION).json()["via"] == "token"
    assert script.post(f"{API}/links", json={"state": "x"}, headers={"origin": None}).status_code == 200


def test_a_token_of_nothing_is_refused_even_where_a_cookie_would_do(console):
    answer = console.browser("alice").get(SESSION, headers={"authorization": "Bearer mlr_x"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_is_shown_once_and_revoked(console, clock):
    browser = console.browser("victor")
    made = browser.post(f"{API}/tokens", json={"name": "t", "days": 1, "password": PASSWORD}).json()
    listed = browser.get(f"{API}/tokens").json()
    assert [token["id"] for token in listed] == [made["id"]]
    assert made["token"] not in str(listed)
    assert (made["owner"], made["role"], made["expires"]) == ("victor", "viewer", "2026-01-02T12:00:00.000Z")
    script = Browser(console.app, headers={"authorization": f"Bearer {made['token']}"})
    assert script.get(SESSION).status_code == 200
    assert browser.delete(f"{API}/tokens/{made['id']}").status_code == 204
    assert script.get(SESSION).status_code == 401
    assert browser.delete(f"{API}/tokens/{made['id']}").status_code == 404


def make_token(browser, **body):
    return browser.post(f"{API}/tokens", json={"name": "t", "password": PASSWORD, **body})


def script_of(console, made):
    return Browser(console.app, headers={"authorization": f"Bearer {made.json()['token']}", "origin": None})


def test_making_a_token_asks_for_the_password(console):
    """A session that somebody else got hold of must not become a token that lasts."""
    browser = console.browser("victor")
    assert make_token(browser, password=None).status_code == 403
    assert make_token(browser, password="").status_code == 403
    assert make_token(browser, password="wrong password").status_code == 401
    assert browser.get(f"{API}/tokens").json() == []
    assert make_token(browser).status_code == 201


RIGHTS_GIVEN = [
    ("POST", "", {"name": "thief", "role": "admin", "password": "a long password"}),
    ("POST", "", {"name": "thief"}),
    ("PATCH", "/alice", {"password": "a long password"}),
    ("PATCH", "/victor", {"password": "a long password"}),
    ("PATCH", "/victor", {"role": "admin"}),
    ("PATCH", "/tina", {"scope_filter": ""}),
    ("PATCH", "/ted", {"enabled": True}),
]


@pytest.mark.parametrize(("method", "path", "body"), RIGHTS_GIVEN)
def test_a_stolen_session_of_an_administrator_gives_nobody_rights(console, clock, method, path, body):
    """It made an administrator of the thief's, and set its owner's password, who was out then."""
    admin = console.browser("alice")
    clock.move(3600)
    path = f"{API}/users{path}"
    assert admin.send(method, path, json=body).status_code == 403
    assert admin.send(method, path, json={**body, "own_password": ""}).status_code == 403
    assert admin.send(method, path, json={**body, "own_password": "wrong password"}).status_code == 401
    assert admin.send(method, path, json={**body, "own_password": PASSWORD}).status_code in (200, 201)


def test_an_administrator_s_session_takes_rights_away_without_more(console, clock):
    admin = console.browser("alice")
    clock.move(3600)
    users = f"{API}/users"
    assert admin.patch(f"{users}/victor", json={"full_name": "V.", "email": "v@example.org"}).status_code == 200
    assert admin.patch(f"{users}/victor", json={"enabled": False}).status_code == 200
    assert admin.delete(f"{users}/victor").status_code == 204
    assert len(admin.get(users).json()) == 4


def test_a_token_of_an_administrator_manages_nobody(console):
    """A stolen one made an administrator of the thief's, and set its owner's password."""
    admin = console.browser("alice")
    script = script_of(console, make_token(admin, role="admin"))
    assert script.get(SESSION).json()["role"] == "admin"
    assert script.get(SESSION).json()["may"]["administer"] is False
    body = {"name": "thief", "role": "admin", "password": "a long password"}
    assert script.post(f"{API}/users", json=body).status_code == 403
    assert script.patch(f"{API}/users/alice", json={"password": "a long password"}).status_code == 403
    assert script.patch(f"{API}/users/alice", json={"enabled": True}).status_code == 403
    assert script.get(f"{API}/users").status_code == 403
    assert script.delete(f"{API}/users/victor").status_code == 403
    assert script.get(f"{API}/tokens").status_code == 403
    assert script.post(f"{API}/tokens", json={"name": "more", "role": "admin"}).status_code == 403
    own = admin.get(f"{API}/tokens").json()[0]["id"]
    assert script.delete(f"{API}/tokens/{own}").status_code == 403
    assert script.post(f"{SESSION}/password", json={"old": PASSWORD, "new": "a long password"}).status_code == 403
    assert script.get(f"{API}/exporters").status_code == 200
    assert console.browser("alice").get(f"{API}/users").status_code == 200


def test_a_token_that_was_made_to_manage_does(console):
    admin = console.browser("alice")
    made = make_token(admin, role="admin", manages=True)
    assert made.json()["manages"] is True
    script = script_of(console, made)
    assert script.post(f"{API}/users", json={"name": "bob"}).status_code == 201
    assert script.get(SESSION).json()["may"]["administer"] is True
    assert script.delete(f"{API}/tokens/{made.json()['id']}").status_code == 204
    assert make_token(admin, name="x", role="editor", manages=True).status_code == 422
    # Not even such a token makes tokens, which would outlive it.
    again = script_of(console, make_token(admin, role="admin", manages=True))
    assert again.post(f"{API}/tokens", json={"name": "more", "password": PASSWORD}).status_code == 403


def test_tokens_say_when_they_end_and_why_they_are_refused(console, clock):
    browser = console.browser("victor")
    made = make_token(browser).json()
    assert (made["expires"], made["mode"], made["refused"]) == ("2026-04-01T12:00:00.000Z", "login", None)
    assert made["login_by"] == "2026-04-01T12:00:00.000Z"
    clock.move(90 * 86_400)
    assert console.browser("victor").get(f"{API}/tokens").json()[0]["refused"] == "has expired"


def test_where_nobody_logs_in_everybody_administers(make_console):
    browser = make_console(mode="open").browser()
    said = browser.get(SESSION).json()
    assert (said["role"], said["via"], said["csrf_token"], said["has_password"]) == ("admin", "open", "", False)
    assert browser.get(f"{API}/users").json() == []
    assert browser.delete(SESSION).status_code == 204


def test_a_proxy_says_who_asks_and_nobody_else(make_console):
    console = make_console(mode="proxy")
    headers = {**NAMED, "x-logout-url": "https://login.example.org/logout"}
    said = console.browser(headers=headers).get(SESSION).json()
    assert (said["name"], said["role"], said["via"]) == ("alice", "viewer", "proxy")
    assert said["logout_url"] == "https://login.example.org/logout"
    assert console.browser(peer="192.0.2.1", headers=headers).get(SESSION).status_code == 401
    assert console.browser().get(SESSION).status_code == 401


def test_two_headers_of_a_name_are_not_one_user(make_console):
    """A proxy that adds its header to one that the client sent."""
    console = make_console(mode="proxy")
    headers = [("Remote-User", "admin"), ("Remote-User", "alice")]
    assert console.browser().get(SESSION, headers=dict(headers) | {}).status_code == 200

    async def request():
        transport = httpx.ASGITransport(console.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.get(SESSION, headers=headers)

    assert asyncio.run(request()).status_code == 401


HIDING = "SrcPort >= 0 -- "
"""A limit that a client sends before that of a proxy."""


@pytest.mark.parametrize(
    "headers",
    [
        [("Remote-Filter", HIDING), ("Remote-Filter", LIMIT)],
        [("Remote-Filter", f"{HIDING}, {LIMIT}")],
        [("Remote-Filter", LIMIT), ("Remote-Name", "root"), ("Remote-Name", "Alice")],
        [("Remote-Filter", LIMIT), ("Remote-Role", "admin"), ("Remote-Role", "admin")],
    ],
)
def test_a_proxy_that_adds_to_what_clients_send_lets_nobody_in(make_console, headers):
    """A comment in the client's header hid the limit in the proxy's."""
    console = make_console(mode="proxy", proxy={"filter_header": "Remote-Filter", "role_header": "Remote-Role"})

    async def request():
        transport = httpx.ASGITransport(console.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.get(SESSION, headers=[("Remote-User", "alice"), *headers])

    assert asyncio.run(request()).status_code == 401


@pytest.mark.parametrize(("metrics_open", "status"), [(False, 401), (True, 200)])
def test_metrics_need_a_login_unless_they_are_open(make_console, metrics_open, status):
    console = make_console(metrics_open=metrics_open)
    assert console.browser().get("/metrics").status_code == status
    assert console.browser().get(f"{API}/status").status_code == 401


def test_a_database_that_does_not_answer_lets_nobody_in(console):
    browser = console.browser("alice")
    console.stop()
    answer = browser.get(f"{API}/columns")
    assert answer.status_code == 503
    assert browser.get("/health").status_code == 200
    console.start()
    assert browser.get(f"{API}/columns").status_code == 200
