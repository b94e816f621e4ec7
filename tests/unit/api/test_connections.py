"""Clients that connect and do nothing, read nothing, or never end: others are served meanwhile."""

import contextlib
import os
import socket
import stat
import threading
import time
from collections import Counter

import httpx
import pytest
from fastapi import Response
from hypothesis import given
from hypothesis import strategies as st

from browsers import Clock, Console
from millrace.api import ApiServer, ApiSettings, create_app
from millrace.api.connections import MOST_UNREAD, Connections, Debtors, shed_unread
from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.errors import ConfigError, SourceError

SETTINGS = ApiSettings(
    port=0,
    max_connections=8,
    header_timeout_seconds=1.0,
    body_timeout_seconds=0.5,
    send_timeout_seconds=1.0,
    max_live_clients=64,
)


@pytest.fixture(scope="module")
def served(services):
    app = create_app(services, SETTINGS)

    @app.get("/api/v1/large", include_in_schema=False)
    def large() -> list[int]:
        return list(range(2_000_000))

    @app.get("/api/v1/bulky", include_in_schema=False)
    def bulky() -> Response:
        return Response(bytes(24 * 2**20))

    return app


@pytest.fixture
def server(served):
    server = ApiServer(served, SETTINGS)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def connect(server):
    """Opens connections, from some address of this machine."""
    with contextlib.ExitStack() as stack:

        def connect(count=1, sends=b"", address="127.0.0.1"):
            port = int(server.url.rsplit(":", 1)[1])
            opened = []
            for _ in range(count):
                client = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(address, 0))
                opened.append(stack.enter_context(client))
                client.sendall(sends)
            return opened

        yield connect


def get(server, path, address="127.0.0.1"):
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
        return client.get(f"{server.url}{path}").status_code


def is_closed(client, seconds=4.0):
    client.settimeout(seconds)
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


HALF_A_REQUEST = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: "
HALF_A_BODY = b"POST /api/v1/flows/top HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"
ONE_AND_A_HALF = b"GET /api/v1/columns HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET "


@pytest.mark.parametrize("sends", [b"", HALF_A_REQUEST, HALF_A_BODY, ONE_AND_A_HALF])
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_who_holds_every_connection_keeps_nobody_out(server, connect, sends, address):
    connect(40, sends, address)
    for path in ("/health", "/api/v1/columns"):
        assert get(server, path) == 200
        assert get(server, path, address) == 200


@pytest.mark.parametrize("sends", [b"", HALF_A_REQUEST, HALF_A_BODY, ONE_AND_A_HALF, b"\r\n"])
def test_who_owes_something_is_closed(connect, sends):
    (client,) = connect(1, sends)
    began = time.monotonic()
    assert is_closed(client, 9.0)
    assert time.monotonic() - began < 7.5  # the keep-alive of five seconds is the longest


@pytest.mark.parametrize("sends", [HALF_A_REQUEST, HALF_A_BODY])
def test_a_byte_now_and_then_does_not_hold_a_connection(connect, sends):
    (client,) = connect(1, sends)
    began = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - began < 6.0:
            client.sendall(b"a")
            time.sleep(0.2)
    assert time.monotonic() - began < 4.0


def test_who_reads_nothing_is_closed(server, connect):
    (client,) = connect(1, b"GET /api/v1/large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    deadline = time.monotonic() + 10
    while len(server._places) == 0:
        time.sleep(0.05)
    while len(server._places):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert client.recv(100).startswith(b"HTTP/1.1 200")


class Fake:
    """A connection that is dropped."""

    def __init__(self):
        self.dropped = False

    def drop(self):
        self.dropped = True


BULKY = b"GET /api/v1/bulky HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def unread(server):
    return sum(connection.unread for connection in list(server._server.server_state.connections))


def test_answers_that_nobody_reads_take_memory_within_a_bound(served):
    """An answer that is made holds no place: who asked for large ones and read none filled the memory."""
    settings = SETTINGS.model_copy(update={"send_timeout_seconds": 60.0, "max_connections": 100})
    server = ApiServer(served, settings)
    server.start()
    port = int(server.url.rsplit(":", 1)[1])
    try:
        with contextlib.ExitStack() as stack:
            honest = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5, ("127.0.0.2", 0)))
            honest.sendall(BULKY)
            for _ in range(20):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
                client.sendall(BULKY)
                assert client.recv(12) == b"HTTP/1.1 200"
            deadline = time.monotonic() + 5
            while unread(server) > MOST_UNREAD:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            received = 0
            while received < 24 * 2**20:
                part = honest.recv(2**20)
                assert part
                received += len(part)
    finally:
        server.stop()


class Reader(Fake):
    """A connection with something to read."""

    def __init__(self, site, unread):
        super().__init__()
        self.site, self.unread = site, unread


def test_who_reads_least_is_closed_first_and_others_keep_what_they_have():
    many = [Reader("192.0.2.1", size) for size in (10, 30, 20)]
    one = Reader("192.0.2.2", 40)
    assert shed_unread([*many, one], 100) == 0
    assert shed_unread([*many, one], 60) == 2
    assert [reader.dropped for reader in (*many, one)] == [False, True, False, True]
    assert shed_unread([]) == 0


STREAM = b"GET /api/v1/flows/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_an_address_has_a_share_and_health_is_answered_beyond_it(server, connect):
    for client in connect(6, STREAM):
        assert client.recv(12) == b"HTTP/1.1 200"
    assert get(server, "/health") == 200
    assert get(server, "/api/v1/columns") == 503
    assert get(server, "/api/v1/columns", "127.0.0.2") == 200
    assert "made room" in server.condition().reasons[0] or server.condition().status == "degraded"


def test_health_is_answered_when_every_connection_is_busy(server, connect):
    for address in ("127.0.0.1", "127.0.0.2"):
        for client in connect(4, STREAM, address):
            assert client.recv(12) == b"HTTP/1.1 200"
    connect(40, b"", "127.0.0.3")
    assert get(server, "/api/v1/columns", "127.0.0.4") == 503
    assert get(server, "/health", "127.0.0.4") == 200
    assert get(server, "/healthz") == 200


def test_keep_alive_serves_many_requests_on_one_connection(server):
    with httpx.Client() as client:
        for _ in range(20):
            assert client.get(f"{server.url}/api/v1/columns").status_code == 200
        time.sleep(1.5)  # longer than a head may take
        assert client.get(f"{server.url}/api/v1/columns").status_code == 200
    assert server.condition().status == "ok"


def test_the_one_that_owed_something_for_longest_makes_room():
    places = Connections(3, 3)
    first, second, third, fourth = (Fake() for _ in range(4))
    for number, one in enumerate((first, second, third)):
        assert places.enter(one, f"192.0.2.{number}")
    places.note(first, owes=False)
    places.note(first, owes=True)
    assert places.enter(fourth, "192.0.2.9")
    assert [one.dropped for one in (first, second, third)] == [False, True, False]
    assert len(places) == 3


def test_who_has_one_connection_does_not_leave_for_who_has_many():
    places = Connections(100, 75)
    honest = Fake()
    assert places.enter(honest, "192.0.2.1")
    for number in range(1000):
        assert places.enter(Fake(), f"198.51.100.{number % 2}")
    assert not honest.dropped
    assert len(places) == 100


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), max_size=200))
def test_whatever_comes_and_goes_the_books_agree(steps):
    """Against a slow account of the same: who is there, who owes, and which address owes most."""
    debtors, books = Debtors(), {}
    for number, site, comes in steps:
        key = (number, f"192.0.2.{site}")
        if comes and key not in books:
            books[key] = len(books)
            debtors.add(*key)
        elif not comes and key in books:
            del books[key]
            debtors.remove(*key)
        owed = Counter(site for _, site in books)
        oldest = debtors.oldest_of_most()
        assert (oldest is None) == (not books)
        if books:
            assert any(oldest == number and owed[site] == max(owed.values()) for number, site in books)
        assert debtors._most == max(owed.values(), default=0)


def test_an_ipv6_network_is_one_address_and_a_socket_has_no_share():
    places = Connections(100, 2)
    same = [Fake() for _ in range(4)]
    for number, one in enumerate(same):
        assert places.enter(one, f"2001:db8::{number + 1}")
    assert [one.dropped for one in same] == [True, True, False, False]
    mapped = [Fake() for _ in range(3)]
    for one, address in zip(mapped, ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"), strict=True):
        assert places.enter(one, address)
    assert [one.dropped for one in mapped] == [True, False, False]
    local = [Fake() for _ in range(50)]
    assert all(places.enter(one, "") for one in local)
    assert not any(one.dropped for one in local)


def test_places_are_given_back_whatever_happened():
    places = Connections(4, 3)
    everybody = [Fake() for _ in range(60)]
    for number, one in enumerate(everybody):
        places.enter(one, f"192.0.2.{number % 3}")
        places.note(one, owes=number % 2 == 0)
    assert len(places) <= 4 + 16
    for one in everybody:
        places.leave(one)
        places.leave(one)
    assert len(places) == 0
    assert not any((places._held, places._debtors._of, places._debtors._sites, places._debtors._most, places._reserved))


@pytest.fixture
def on_socket(services, tmp_path):
    servers = []

    def start(**given):
        settings = ApiSettings(socket=tmp_path / "http.sock", **given)
        server = ApiServer(create_app(services, settings), settings)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


def ask_socket(path):
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
        return client.get("http://anything/api/v1/columns").status_code


@pytest.mark.parametrize(("mode", "bits"), [("0600", 0o600), ("0660", 0o660)])
def test_a_socket_answers_whom_its_mode_lets_in(on_socket, tmp_path, mode, bits):
    before = os.umask(0)
    try:
        server = on_socket(socket_mode=mode)
    finally:
        os.umask(before)
    path = tmp_path / "http.sock"
    assert stat.S_IMODE(path.stat().st_mode) == bits
    assert server.url == f"unix:{path}"
    assert ask_socket(path) == 200
    server.stop()
    assert not path.exists()


def test_a_socket_that_a_dead_process_left_is_replaced_and_that_of_a_living_one_is_not(on_socket, tmp_path):
    path = tmp_path / "http.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    on_socket()
    with pytest.raises(SourceError, match=r"another program answers on .*http.sock"):
        on_socket()
    assert ask_socket(path) == 200


def test_what_is_no_socket_is_left_alone(on_socket, tmp_path):
    path = tmp_path / "http.sock"
    path.write_text("precious")
    with pytest.raises(SourceError, match="is no socket"):
        on_socket()
    assert path.read_text() == "precious"


def test_a_mode_is_read_as_it_was_meant():
    assert ApiSettings(socket_mode=0o660).socket_mode == "0660"
    with pytest.raises(ValueError, match="socket_mode"):
        ApiSettings(socket_mode=0o666)


def test_many_connections_come_and_go_in_little_time():
    places, began = Connections(1500, 1125), time.perf_counter()
    for number in range(20_000):
        places.enter(Fake(), f"198.51.100.{number % 250}")
    assert time.perf_counter() - began < 2.0
    assert threading.active_count() < 100


def test_who_comes_through_a_socket_is_a_proxy_on_this_machine(services, tmp_path):
    console = Console(services, tmp_path / "state", Clock(), mode="proxy")
    console.start()
    console.add_users()
    server = ApiServer(console.app, ApiSettings(socket=tmp_path / "http.sock"))
    server.start()
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(tmp_path / "http.sock"))) as client:
            said = client.get("http://flows.example.org/api/v1/session", headers={"Remote-User": "alice"}).json()
            assert (said["name"], said["via"]) == ("alice", "proxy")
            assert client.get("http://flows.example.org/api/v1/session").status_code == 401
    finally:
        server.stop()
        console.stop()


def test_a_socket_needs_no_login_whatever_the_address(tmp_path):
    given = {"data": tmp_path / "data", "receive": {"listeners": []}}
    with pytest.raises(ConfigError, match=r"api\.host"):
        Application(Settings.model_validate({**given, "api": {"host": "0.0.0.0"}}))
    Application(Settings.model_validate({**given, "api": {"host": "0.0.0.0", "socket": tmp_path / "http.sock"}}))
