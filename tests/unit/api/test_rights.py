"""Every route of the application, asked as everybody, does what the table of rights says."""

import asyncio
import json
from dataclasses import dataclass, field
from itertools import count
from typing import get_args

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from browsers import API, LIMIT, ORIGIN, PASSWORD, Clock, Console
from millrace.api.cookies import SESSION_COOKIE
from millrace.api.rights import MAY, OPEN, PAGES, RIGHTS, WORDS, Right, Who
from millrace.state import NewUser, UserChange

DAY = 86_400
SECRET = "a secret of the proxy's own"
PROXY = {
    "role_header": "Remote-Role",
    "filter_header": "Remote-Filter",
    "filter_required": True,
    "secret": SECRET,
}
NAMES = {"viewer": "victor", "editor": "eve", "admin": "alice", "tenant": "tina"}
ENDING = {("DELETE", f"{API}/session"), ("POST", f"{API}/session/password")}
"""Requests after which a session has ended: each is sent with one of its own."""


@dataclass
class Caller:
    """Somebody who asks; `who` None: is not recognised."""

    label: str
    who: Who | None
    console: Console
    headers: dict = field(default_factory=dict)
    peer: str = "127.0.0.1"
    via: str = "token"


def session(console, label, name, who):
    """Headers of a browser that has logged in."""
    browser = console.browser(name)
    cookie = f"{SESSION_COOKIE}={browser.cookies[SESSION_COOKIE]}"
    headers = {"cookie": cookie, "x-csrf-token": browser.csrf, "origin": ORIGIN}
    return Caller(label, who, console, headers, via="session")


def token(console, label, name, who, role="viewer", **options):
    made = console.access.tokens.create(console.access.of_user(name), label, role, options.pop("days", 300), **options)
    return Caller(label, who, console, {"authorization": f"Bearer {made.text}"})


def named(console, label, who, *, peer="127.0.0.1", secret=SECRET, name="peter", **headers):
    said = {"remote-user": name, "remote-filter": "*", "x-proxy-secret": secret, **headers}
    return Caller(label, who, console, {key: value for key, value in said.items() if value is not None}, peer, "proxy")


@pytest.fixture(scope="module")
def consoles(services, tmp_path_factory):
    """The same users and tokens in three modes."""
    folder, clock = tmp_path_factory.mktemp("state"), Clock()
    settings = {"login": {}, "proxy": {"mode": "proxy", "proxy": PROXY}, "open": {"mode": "open"}}
    consoles = {mode: Console(services, folder, clock, **more) for mode, more in settings.items()}
    for console in consoles.values():
        console.start()
        # Streams end at once.
        console.app.state.stopping = True
    consoles["login"].add_users()
    yield consoles
    for console in consoles.values():
        console.stop()


@pytest.fixture(scope="module")
def callers(consoles):
    login, proxy, opened = consoles["login"], consoles["proxy"], consoles["open"]
    users, clock = login.access.users, login.access.clock
    for name in ("gone", "absent"):
        users.add(NewUser(name, "admin"), PASSWORD)
    gone = [
        session(login, "an expired session", "absent", None),
        token(login, "an expired token", "alice", None, "admin", days=1, follows_login=False),
        token(login, "a token of somebody who does not log in any more", "absent", None, "admin"),
    ]
    clock.move(100 * DAY)
    gone += [
        session(login, "a session of a disabled user", "gone", None),
        token(login, "a token of a disabled user", "gone", None, "admin", manages=True),
        token(opened, "a token of the mode open", "alice", None, "admin", manages=True),
        token(proxy, "a token of the mode proxy", "alice", None, "admin", manages=True),
    ]
    gone[-2].console = gone[-1].console = login
    users.change("gone", UserChange(enabled=False))
    strangers = [
        Caller("nobody", None, login),
        Caller("an unknown token", None, login, {"authorization": f"Bearer mlr_aaaaaaaaaaaa_{43 * 'a'}"}),
        Caller("an unknown session", None, login, {"cookie": f"{SESSION_COOKIE}={43 * 'a'}"}),
        named(login, "headers of a proxy where there is none", None),
        named(proxy, "headers of a proxy from elsewhere", None, peer="192.0.2.1"),
        named(proxy, "headers of a proxy without its secret", None, secret=None),
        named(proxy, "headers of a proxy with another secret", None, secret="another secret of nobody's"),
        named(proxy, "headers of a proxy without the limit", None, **{"remote-filter": None}),
        named(proxy, "a disabled user named by a proxy", None, name="gone"),
        token(login, "a token of the mode login behind a proxy", "alice", None, "admin"),
    ]
    strangers[-1].console = proxy
    people = [
        *(session(login, f"{who} by session", name, who) for who, name in NAMES.items()),
        session(login, "limited editor by session", "ted", "tenant"),
        *(named(proxy, f"{who} by proxy", who, **{"remote-role": who}) for who in ("viewer", "editor", "admin")),
        named(proxy, "tenant by proxy", "tenant", **{"remote-role": "admin", "remote-filter": LIMIT}),
        Caller("anybody where nobody logs in", "admin", opened, via="open"),
    ]
    tokens = [
        *(token(login, f"{who}'s token", NAMES[who], f"{who}'s token", who) for who in ("viewer", "editor", "admin")),
        token(login, "tenant's token", "tina", "tenant's token"),
        token(login, "limited editor's token", "ted", "tenant's token", "editor"),
        token(login, "managing token", "alice", "managing token", "admin", manages=True),
        token(proxy, "admin's token behind a proxy", "alice", "admin's token", "admin"),
    ]
    return [*gone, *strangers, *people, *tokens]


def ask(requests):
    """Status codes of (caller, method, path, body), in order."""

    async def answer(caller, method, path, body):
        transport = httpx.ASGITransport(caller.console.app, False, client=(caller.peer, 50_000))
        headers = {"content-type": "application/json", **caller.headers}
        content = None if method == "GET" else json.dumps(body)
        request = httpx.Request(method, f"{ORIGIN}{path}", headers=headers, content=content)
        return (await transport.handle_async_request(request)).status_code

    async def everything():
        return [await answer(*request) for request in requests]

    return asyncio.run(everything())


def expected(need, caller):
    """Whether somebody is refused, and how: 401, 403 or 0."""
    if need == "nothing":
        return 0
    if caller.who is None:
        return 401
    may = caller.who in MAY[need] and (need != "session" or caller.via == "session")
    return 0 if may else 403


def compare(cases):
    """Ask (caller, method, path, body, need) and tell what is otherwise than the table says."""
    statuses = ask([case[:4] for case in cases])
    return [
        f"{caller.label}: {method} {path} needs {need}: {status}"
        for (caller, method, path, _, need), status in zip(cases, statuses, strict=True)
        if (status if status in (401, 403) else 0) != expected(need, caller)
    ]


def filled(path):
    """A path with something in each of its places, though nothing that is there."""
    return (
        path.replace("{address}", "192.0.2.1")
        .replace("{path:path}", "x")
        .replace("{page:path}", "x")
        .translate(str.maketrans("", "", "{}"))
    )


NUMBERS = count()


def body_of(right):
    if right.path == f"{API}/session/password":
        return {"old": PASSWORD, "new": PASSWORD}
    if right.path == f"{API}/tokens":
        return {"name": f"made {next(NUMBERS)}", "password": PASSWORD}
    return {}


def test_every_route_has_a_row_and_every_row_a_route(consoles):
    """A new route without a row fails here: decide who may use it."""
    for console in consoles.values():
        routes = {
            (method, context.path)
            for context in iter_route_contexts(console.app.routes)
            for method in context.methods - {"HEAD"}
        }
        rows = [(right.method, right.path) for right in (*RIGHTS, *PAGES)]
        assert len(set(rows)) == len(rows)
        assert routes == set(rows)


def test_the_table_speaks_of_everybody(callers):
    assert {caller.who for caller in callers} == {None, *get_args(Who)}
    assert set(MAY) == set(WORDS)
    assert {right.need for right in RIGHTS} | {right.shared for right in RIGHTS} - {""} == set(MAY)


def test_every_route_lets_in_exactly_whom_the_table_says(callers, store):
    rows = [right for right in RIGHTS if (right.method, right.path) not in ENDING]
    wrong = compare(
        [(caller, right.method, filled(right.path), body_of(right), right.need) for right in rows for caller in callers]
    )
    assert wrong == []


def test_pages_of_the_console_are_open(callers):
    strangers = [caller for caller in callers if caller.label in ("nobody", "an expired session", "viewer by proxy")]
    assert len(strangers) == 3
    assert compare([(caller, "GET", filled(page.path), {}, page.need) for page in PAGES for caller in strangers]) == []


@pytest.mark.parametrize("ending", sorted(ENDING))
def test_so_do_those_that_end_the_session(consoles, callers, ending):
    (right,) = [right for right in RIGHTS if (right.method, right.path) == ending]
    wrong = []
    for caller in callers:
        if caller.via == "session" and caller.who is not None:
            # Of users of their own: sessions of the others go on.
            role, limit = ("viewer", LIMIT) if caller.who == "tenant" else (caller.who, "")
            user = NewUser(f"user-{next(NUMBERS)}", role, scope_filter=limit)
            consoles["login"].access.users.add(user, PASSWORD)
            caller = session(consoles["login"], caller.label, user.name, caller.who)
        wrong += compare([(caller, right.method, right.path, body_of(right), right.need)])
    assert wrong == []


SHARED = {
    "filters": {"text": "Proto = udp"},
    "views": {"state": {"kind": "bars"}},
    "dashboards": {"widgets": []},
}


@pytest.mark.parametrize("kind", SHARED)
def test_what_is_shared_is_changed_by_whom_the_table_says(consoles, callers, kind):
    path = f"{API}/{kind}"
    rights = {right.method: right for right in RIGHTS if right.path in (path, f"{path}/{{id}}")}
    alice = session(consoles["login"], "", "alice", "admin")
    wrong = []
    for caller in callers:
        body = {"name": f"shared {next(NUMBERS)}", "shared": True, **SHARED[kind]}
        shelf = getattr(consoles["login"].state, kind)
        assert ask([(alice, "POST", path, body)]) == [201]
        (own,) = [saved for saved in shelf.visible("alice") if saved.content.name == body["name"]]
        another = {**body, "name": f"shared {next(NUMBERS)}"}
        wrong += compare(
            [
                (caller, "POST", path, another, rights["POST"].shared),
                (caller, "PATCH", f"{path}/{own.id}", {"description": "x"}, rights["PATCH"].shared),
                (caller, "DELETE", f"{path}/{own.id}", None, rights["DELETE"].shared),
            ]
        )
    assert wrong == []


def test_the_guard_opens_what_the_table_says(consoles):
    """Nothing else of the API answers a stranger, known route or not."""
    stranger = Caller("nobody", None, consoles["login"])
    paths = {right.path for right in RIGHTS if right.path.startswith("/api/")}
    requests = [
        (stranger, method, filled(path), {})
        for path in sorted(paths)
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS")
        if (method, path) not in OPEN
    ]
    assert set(ask(requests)) == {401}


def test_a_route_that_the_table_calls_otherwise_is_found(callers):
    """The comparison can fail."""
    viewer = next(caller for caller in callers if caller.label == "viewer by session")
    right = Right("GET", f"{API}/columns", "users")
    assert compare([(viewer, right.method, right.path, {}, right.need)]) != []
    assert compare([(viewer, "GET", f"{API}/users", {}, "identity")]) != []
