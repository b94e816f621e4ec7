"""The server: start, stop, and clients that misbehave."""

import socket
import threading
import time

import httpx
import pytest

from millrace.api import ApiServer, ApiSettings, create_app
from millrace.errors import SourceError

SETTINGS = ApiSettings(port=0, body_timeout_seconds=0.3)


@pytest.fixture(scope="module")
def served(services):
    return create_app(services, SETTINGS)


@pytest.fixture
def server(served):
    server = ApiServer(served, SETTINGS)
    server.start()
    yield server
    server.stop()


def connect(server):
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=5)


def test_answers_until_it_is_stopped_and_can_start_again(served):
    server = ApiServer(served, SETTINGS)
    for _ in range(2):
        server.start()
        url = server.url
        assert httpx.get(f"{url}/health").json()["status"] == "ok"
        server.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("error", [None, RuntimeError("defect"), SystemExit(1)])
def test_a_server_that_ends_by_itself_is_begun_anew_and_that_is_told(server, monkeypatch, error):
    import uvicorn

    goes_on = uvicorn.Server.main_loop
    once = [True]

    async def main_loop(self):
        if not once:
            await goes_on(self)
            return
        once.clear()
        if error is not None:
            raise error

    monkeypatch.setattr(uvicorn.Server, "main_loop", main_loop)
    server._server.should_exit = True
    wait_for(lambda: server.restarts == 2)
    wait_for(lambda: server.condition().status == "ok")
    assert httpx.get(f"{server.url}/health").status_code == 200
    told = server.condition()
    assert ("ended by itself" if error is None else type(error).__name__) in told.last_error
    assert told.last_error_at is not None


def test_a_server_that_cannot_begin_is_an_error_and_not_begun_again(served, monkeypatch):
    import uvicorn

    begun = []

    async def startup(self, sockets=None):
        begun.append(1)
        raise RuntimeError("no loop")

    monkeypatch.setattr(uvicorn.Server, "startup", startup)
    server = ApiServer(served, SETTINGS)
    with pytest.raises(SourceError, match="did not start"):
        server.start()
    seen = len(begun)
    time.sleep(0.3)
    assert len(begun) == seen


def test_stop_without_start_does_nothing(served):
    ApiServer(served, SETTINGS).stop()


def test_stop_does_not_wait_for_streams(served):
    server = ApiServer(served, SETTINGS)
    server.start()
    begun, ended = threading.Event(), threading.Event()

    def watch(url=server.url):
        with httpx.stream("GET", f"{url}/api/v1/flows/live") as response:
            begun.set()
            for _ in response.iter_lines():
                pass
        ended.set()

    thread = threading.Thread(target=watch)
    thread.start()
    assert begun.wait(10)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 3
    thread.join(5)
    assert ended.is_set()


def test_port_in_use_is_told(served, server):
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(SourceError, match=f"api.port: cannot listen on 127.0.0.1 port {port}: another program"):
        ApiServer(served, ApiSettings(port=port)).start()


def test_host_that_is_none_is_told(served):
    with pytest.raises(SourceError, match=r"api.host: cannot listen on no.such.host.invalid"):
        ApiServer(served, ApiSettings(host="no.such.host.invalid")).start()


def test_body_that_never_ends_is_given_up(server):
    with connect(server) as sock:
        sock.sendall(
            b"POST /api/v1/flows/top HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        assert sock.recv(4096).startswith(b"HTTP/1.1 408")


def test_chunked_body_is_bounded_too(server):
    with connect(server) as sock:
        sock.sendall(
            b"POST /api/v1/flows/top HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"8000\r\n" + b"x" * 0x8000 + b"\r\n" + b"8001\r\n" + b"x" * 0x8001 + b"\r\n"
        )  # fmt: skip
        assert sock.recv(4096).startswith(b"HTTP/1.1 413")


def test_garbage_is_answered_and_the_server_goes_on(server):
    with connect(server) as sock:
        sock.sendall(b"\x16\x03\x01garbage\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 400")
    assert httpx.get(f"{server.url}/health").status_code == 200
