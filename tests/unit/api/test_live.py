"""The live stream, over a real connection."""

import json
import time

import httpx
import numpy as np
import pytest

from millrace.api import ApiServer, ApiSettings, create_app
from millrace.api.live import LiveStream
from millrace.batch import Coded, FlowBatch
from millrace.pipeline import LiveHub
from millrace.pipeline.live import Subscription

from .conftest import SCHEMA

SETTINGS = ApiSettings(port=0, max_live_clients=1, max_live_flows=100)


def batch(rows):
    flows = FlowBatch(rows)
    flows.put("SrcPort", np.arange(rows, dtype=np.uint16))
    flows.put("ExporterName", Coded(np.zeros(rows, np.int32), ["edge"]))
    return flows


def events_of(subscription, flows_per_second, *names):
    stream = LiveStream(subscription, SCHEMA, [SCHEMA[name] for name in names], flows_per_second)

    def event():
        kind, data = stream.event().strip().split("\n")
        assert kind == "event: flows"
        return json.loads(data.removeprefix("data: "))

    return event


def test_few_flows_are_all_shown_and_missing_columns_are_unknown():
    subscription = Subscription()
    event = events_of(subscription, 10, "SrcPort", "ExporterName", "SrcAddr")
    subscription.offer(batch(2))
    assert event() == {
        "flows": [
            {"SrcPort": 0, "ExporterName": "edge", "SrcAddr": None},
            {"SrcPort": 1, "ExporterName": "edge", "SrcAddr": None},
        ],
        "seen": 2,
        "missed": 0,
    }
    assert event() == {"flows": [], "seen": 0, "missed": 0}


def test_many_flows_are_sampled_evenly():
    subscription = Subscription()
    event = events_of(subscription, 20, "SrcPort")
    subscription.offer(batch(30_000))
    subscription.offer(batch(10_000))
    seen = event()
    assert seen["seen"] == 40_000
    ports = [row["SrcPort"] for row in seen["flows"]]
    assert len(ports) <= 12
    assert max(ports) == 29_999


def test_slow_client_is_told_what_it_missed():
    subscription = Subscription()
    event = events_of(subscription, 20, "SrcPort")
    for _ in range(100):
        subscription.offer(batch(50_000))
    told = event()
    assert told["missed"] > 0
    assert told["seen"] + told["missed"] == 100 * 50_000


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
            hub.publish(batch(3))
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


@pytest.mark.parametrize(("query", "status"), [("rate=101", 422), ("rate=0", 422), ("column=SrcPrt", 400)])
def test_wrong_streams_are_refused_and_take_no_place(server, query, status):
    for _ in range(3):
        answer = httpx.get(f"{server.url}/api/v1/flows/live?{query}")
        assert answer.status_code == status
