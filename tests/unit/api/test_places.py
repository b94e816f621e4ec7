"""Long answers: who may go on reading is looked up again, and places behind a turnstile are counted per client."""

import asyncio

import pytest
from fastapi import HTTPException, Request

from browsers import Clock, Console
from millrace.api import places
from millrace.api.askers import Anybody, OpenToAll, client_named
from millrace.api.gate import Gate
from millrace.api.places import Reader, Turnstile
from millrace.errors import StateError
from millrace.state import UserChange


@pytest.fixture
def console(services, tmp_path):
    console = Console(services, tmp_path / "state", Clock())
    console.start()
    console.add_users()
    yield console
    console.stop()


@pytest.fixture
def reads(console, monkeypatch):
    """Somebody who logged in and began to read: whether they may go on."""
    monkeypatch.setattr(places, "RECHECK_SECONDS", -1.0)
    cookie = console.browser().login("victor").headers["set-cookie"].partition(";")[0]
    gate = Gate(console.access)
    request = Request(
        {"type": "http", "headers": [(b"cookie", cookie.encode())], "client": ("127.0.0.1", 1), "method": "GET",
         "scheme": "http", "path": "/"}
    )  # fmt: skip
    victor = gate.recognised(request)
    assert victor is not None
    reader = Reader(gate, request, victor)
    return lambda: asyncio.run(reader.may_go_on())


@pytest.mark.parametrize(
    "change",
    [
        lambda console: console.access.users.change("victor", UserChange(enabled=False)),
        lambda console: console.access.users.change("victor", UserChange(scope_filter='InIfProvider = "a"')),
        lambda console: console.access.users.change("victor", UserChange(role="editor")),
        lambda console: console.access.users.remove("victor"),
        lambda console: console.access.state.sessions.close_all("victor"),
        lambda console: console.access.clock.move(30 * 86_400),
    ],
    ids=["disabled", "limited", "another role", "removed", "logged out", "session over"],
)
def test_nobody_reads_on_whose_rights_changed(console, reads, change):
    assert reads()
    change(console)
    assert not reads()


def test_who_was_let_in_reads_on_while_the_database_does_not_answer(console, reads, monkeypatch):
    def fail(*_, **__):
        raise StateError("the state database does not answer")

    monkeypatch.setattr(console.access, "identify", fail)
    assert reads()


def test_it_is_not_looked_up_all_the_time(reads, console, monkeypatch):
    monkeypatch.setattr(places, "RECHECK_SECONDS", 60.0)
    assert reads()  # and the next time in a minute
    console.access.users.remove("victor")
    assert reads()


@pytest.fixture
def behind_proxy(services, tmp_path):
    console = Console(services, tmp_path / "state", Clock(), mode="proxy")
    console.start()
    yield console
    console.stop()


def test_looking_again_is_no_word_of_the_proxy(behind_proxy, monkeypatch):
    monkeypatch.setattr(places, "RECHECK_SECONDS", -1.0)
    gate, noted = Gate(behind_proxy.access), []
    headers = [(b"remote-user", b"bob")]
    request = Request({"type": "http", "headers": headers, "client": ("127.0.0.1", 1), "scheme": "http", "path": "/"})
    reader = Reader(gate, request, gate.recognised(request))
    monkeypatch.setattr(behind_proxy.state.tokens, "note_owner", lambda *said: noted.append(said))
    behind_proxy.access.clock.move(86_400)
    assert asyncio.run(reader.may_go_on())
    assert noted == []


@pytest.mark.parametrize(("via", "anew"), [("proxy", True), ("session", False), ("token", False), ("open", False)])
def test_what_a_proxy_said_holds_for_a_while(monkeypatch, via, anew):
    """It cannot be asked whether it would say so again: only a request that goes through it shows that."""
    reader = Reader(OpenToAll(), Request({"type": "http"}), Anybody("bob", via=via))
    assert not reader.must_ask_anew()
    monkeypatch.setattr(places, "PROXY_SECONDS", 0.0)
    assert reader.must_ask_anew() is anew


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_network_is_one_client_where_nobody_logs_in(one, other, same):
    """One host had every place, turn and question, by as many addresses as it liked."""
    assert (client_named(Anybody(), one) == client_named(Anybody(), other)) is same


@pytest.mark.parametrize(("limit", "share"), [(1, 1), (2, 1), (3, 2), (16, 8)])
def test_a_client_has_half_of_the_places(limit, share):
    turnstile = Turnstile(limit, "clients watch flows")
    held = [turnstile.enter("user alice") for _ in range(share)]
    with pytest.raises(HTTPException) as refused:
        turnstile.enter("user alice")
    assert refused.value.status_code == 503
    held += [turnstile.enter("user bob") for _ in range(limit - share)]
    with pytest.raises(HTTPException, match="at the same time already; try again later"):
        turnstile.enter("user carol")
    for place in held:
        place.leave()
        place.leave()
    assert len([turnstile.enter("user alice") for _ in range(share)]) == share
    with pytest.raises(HTTPException):
        Turnstile(0, "clients watch flows").enter("user alice")
