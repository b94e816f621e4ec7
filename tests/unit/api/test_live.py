"""The live stream, over a real connection."""

import asyncio
import contextlib
import json
import socket
import time
from dataclasses import replace

import httpx
import numpy as np
import pytest

from millrace.api import ApiServer, ApiSettings, create_app, places
from millrace.api.askers import Anybody, OpenToAll
from millrace.api.live import LiveStream
from millrace.batch import Coded, FlowBatch
from millrace.lang import parse
from millrace.pipeline import LiveHub
from millrace.pipeline.live import Subscription

from .conftest import SCHEMA

SETTINGS = ApiSettings(port=0, max_live_clients=1, max_live_flows=100)


def batch(rows):
    flows = FlowBatch(rows)
    flows.put("SrcPort", np.arange(rows, dtype=np.uint16))
    flows.put("ExporterName", Coded(np.zeros(rows, np.int32), ["edge"]))
    return flows


def events_of(subscription, flows_per_second, *names, wanted="", clock=lambda: 0.0):
    columns = [SCHEMA[name] for name in names]
    stream = LiveStream(subscription, SCHEMA, columns, flows_per_second, parse(wanted, SCHEMA), clock)

    def event():
        kind, data = stream.event().strip().split("\n")
        assert kind == "event: flows"
        return json.loads(data.removeprefix("data: "))

    return event


def clock_of(*seconds):
    return iter(seconds).__next__


def test_few_flows_are_all_shown_and_missing_columns_are_unknown():
    subscription = Subscription()
    event = events_of(subscription, 10, "SrcPort", "ExporterName", "SrcAddr")
    subscription.offer(batch(2))
    first, second = event(), event()
    for told in (first, second):
        del told["rates"]
    assert first == {
        "flows": [
            {"SrcPort": 0, "ExporterName": "edge", "SrcAddr": None},
            {"SrcPort": 1, "ExporterName": "edge", "SrcAddr": None},
        ],
        "seen": 2,
        "missed": 0,
    }
    assert second == {"flows": [], "seen": 0, "missed": 0}


def test_many_flows_are_sampled_evenly():
    subscription = Subscription()
    event = events_of(subscription, 20, "SrcPort")
    subscription.offer(batch(30_000))
    subscription.offer(batch(10_000))
    seen = event()
    assert seen["seen"] == 40_000
    ports = [row["SrcPort"] for row in seen["flows"]]
    assert len(ports) == 10
    assert np.diff(ports[:7]).max() < 5000


def test_slow_client_is_told_what_it_missed():
    subscription = Subscription()
    event = events_of(subscription, 20, "SrcPort")
    for _ in range(100):
        subscription.offer(batch(50_000))
    told = event()
    assert told["missed"] > 0
    assert told["seen"] + told["missed"] == 100 * 50_000


def tenants(rows):
    """Flows of two tenants in turn, of 100 bytes and 2 packets, one of ten packets sampled."""
    flows = batch(rows)
    flows.put("ExporterTenant", Coded((np.arange(rows) % 2).astype(np.int32), ["a", "b"]))
    flows.put("Bytes", np.full(rows, 100, np.uint64))
    flows.put("Packets", np.full(rows, 2, np.uint64))
    flows.put("SamplingRate", np.full(rows, 10, np.uint64))
    return flows


def test_filter_decides_what_is_shown_and_counted():
    subscription = Subscription()
    event = events_of(subscription, 20, "SrcPort", wanted='ExporterTenant = "b" AND SrcPort > 3')
    subscription.offer(tenants(8))
    told = event()
    assert [row["SrcPort"] for row in told["flows"]] == [5, 7]
    assert told["seen"] == 2


def test_rates_are_of_what_matched_and_scaled():
    subscription = Subscription()
    clock = clock_of(100.0, 100.5, 102.5, 102.5)
    event = events_of(subscription, 20, "SrcPort", wanted='ExporterTenant = "b"', clock=clock)
    subscription.offer(tenants(400))
    subscription.offer(tenants(600))
    rates = {"flows_per_second": 1000.0, "packets_per_second": 20_000.0, "bits_per_second": 8e6}
    assert event()["rates"] == rates
    assert event()["rates"] == dict.fromkeys(rates, 0.0)
    subscription.offer(tenants(2))
    assert event()["rates"]["flows_per_second"] == 4.0, "what passes in an instant is no rate"


def test_sample_is_of_what_matched():
    subscription = Subscription()
    event = events_of(subscription, 20, "SrcPort", wanted="SrcPort < 1000")
    subscription.offer(batch(30_000))
    subscription.offer(batch(10_000))
    told = event()
    assert told["seen"] == 2000
    assert 2 <= len(told["flows"]) <= 12
    assert max(row["SrcPort"] for row in told["flows"]) == 999


def test_what_was_missed_is_estimated_for_a_part_of_the_flows():
    subscription = Subscription()
    event = events_of(subscription, 20, "SrcPort", wanted='ExporterTenant = "b"')
    for _ in range(100):
        subscription.offer(tenants(50_000))
    told = event()
    assert told["seen"] + told["missed"] == 100 * 50_000 / 2


@pytest.fixture(scope="module")
def server(services):
    server = ApiServer(create_app(services, SETTINGS), SETTINGS)
    server.start()
    yield server
    server.stop()


def read_events(response):
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_stream_ends_with_its_client_and_a_second_client_is_refused(server, services):
    hub: LiveHub = services.live
    with httpx.Client(base_url=server.url) as client:
        with client.stream("GET", "/api/v1/flows/live?column=SrcPort&rate=20") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            events = read_events(response)
            assert next(events)["flows"] == []
            hub.give(batch(3), batch(3).nbytes)
            assert [row["SrcPort"] for row in next(events)["flows"]] == [0, 1, 2]
            refused = client.get("/api/v1/flows/live")
            assert refused.status_code == 503
            assert "1 clients watch flows" in refused.json()["detail"]
        deadline = time.monotonic() + 5
        while hub._subscriptions and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not hub._subscriptions
        with client.stream("GET", "/api/v1/flows/live?column=SrcPort") as response:
            assert response.status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("rate=101", 422),
        ("rate=0", 422),
        ("column=SrcPrt", 400),
        ("filter=SrcAsn%20%3D%201", 400),
        ("filter=%40unknown", 400),
        (f"filter={'x' * 10_001}", 422),
    ],
)
def test_wrong_streams_are_refused_and_take_no_place(server, query, status):
    for _ in range(3):
        answer = httpx.get(f"{server.url}/api/v1/flows/live?{query}")
        assert answer.status_code == status


class Tenant:
    """Whoever asks may see the flows of one tenant."""

    def identity(self, request):
        return Anybody("tenant", 'ExporterTenant = "a"')

    def saved(self, asker):
        return {"low": "SrcPort < 4"}

    def still(self, request, asker):
        return True


def test_scope_and_saved_filters_of_the_asker_apply(services):
    server = ApiServer(create_app(replace(services, authenticator=Tenant()), SETTINGS), SETTINGS)
    server.start()
    try:
        with httpx.stream(
            "GET", f"{server.url}/api/v1/flows/live?column=SrcPort&filter=%40low%20OR%20SrcPort%3D5"
        ) as told:
            events = read_events(told)
            next(events)
            services.live.give(tenants(8), tenants(8).nbytes)
            event = next(events)
            assert [row["SrcPort"] for row in event["flows"]] == [0, 2]
            assert event["seen"] == 2
    finally:
        server.stop()


def events_until_the_end(services, access):
    server = ApiServer(create_app(replace(services, authenticator=access), SETTINGS), SETTINGS)
    server.start()
    try:
        with httpx.stream("GET", f"{server.url}/api/v1/flows/live", timeout=10) as told:
            return len(list(read_events(told)))
    finally:
        server.stop()


class Leaver(OpenToAll):
    """Whoever asks is logged out soon."""

    def still(self, request, asker):
        return False


def test_a_stream_ends_with_the_login_of_who_reads_it(services, monkeypatch):
    monkeypatch.setattr(places, "RECHECK_SECONDS", 0.1)
    assert events_until_the_end(services, Leaver()) < 5


class Named(OpenToAll):
    """A proxy says who asks."""

    def identity(self, request):
        return Anybody("bob", via="proxy")


def test_a_stream_ends_when_it_is_too_long_ago_that_a_proxy_said_who_reads_it(services, monkeypatch):
    monkeypatch.setattr(places, "PROXY_SECONDS", 0.1)
    assert events_until_the_end(services, Named()) < 5


def test_one_viewer_has_half_of_the_places_at_most(services):
    settings = ApiSettings(port=0, max_live_clients=4)
    server = ApiServer(create_app(services, settings), settings)
    server.start()
    transports = [httpx.HTTPTransport(local_address=address) for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3")]
    try:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(httpx.Client(transport=transport)) for transport in transports]

            def watch(client):
                return stack.enter_context(client.stream("GET", f"{server.url}/api/v1/flows/live")).status_code

            assert [watch(clients[0]) for _ in range(3)] == [200, 200, 503]
            assert [watch(clients[1]) for _ in range(3)] == [200, 200, 503]
            assert watch(clients[2]) == 503
    finally:
        server.stop()


def test_clients_that_leave_at_once_leave_their_places(services):
    settings = ApiSettings(port=0, max_live_clients=2)
    server = ApiServer(create_app(services, settings), settings)
    server.start()
    host, port = server.url.removeprefix("http://").split(":")
    try:
        for _ in range(50):
            with socket.create_connection((host, int(port))) as client:
                client.sendall(b"GET /api/v1/flows/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        deadline = time.monotonic() + 10
        while True:
            with httpx.stream("GET", f"{server.url}/api/v1/flows/live") as told:
                if told.status_code == 200:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        server.stop()


def test_a_stream_that_never_begins_gives_its_place_back():
    turnstile = places.Turnstile(1, "clients watch flows")

    async def never():
        yield "data"

    async def left():
        return {"type": "http.disconnect"}

    async def fails(message):
        raise OSError("the client is gone")

    response = places.PlacedResponse(turnstile.enter("a"), never(), "text/plain", {})
    with contextlib.suppress(OSError, ExceptionGroup):
        asyncio.run(response({"type": "http", "asgi": {"spec_version": "2.3"}}, left, fails))
    turnstile.enter("b").leave()
