"""The application as a whole, in process: datagrams in, stored flows and answers out."""

import socket
import time

import httpx
import numpy as np
import pytest

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.batch import FlowBatch
from millrace.errors import StoreLockedError
from millrace.generate import LoadPool
from millrace.receive import Sender


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    settings = Settings.model_validate(
        {
            "data": tmp_path_factory.mktemp("data"),
            "receive": {"listeners": ["127.0.0.1:0"]},
            "api": {"port": 0},
            "pipeline": {"flush_interval_s": 0.1},
            "exporters": {"127.0.0.0/8": {"name": "lab", "interfaces": {7: {"name": "eth7"}}}},
            "schema": {"columns": [{"name": "FlowId", "type": "u64", "element": {"id": 148}}]},
        }
    )
    application = Application(settings)
    application.start()
    yield application
    application.stop()


@pytest.mark.parametrize("protocol", ["netflow-v5", "netflow-v9", "ipfix", "sflow-v5"])
def test_every_flow_sent_is_stored_with_its_exporter_named(application, protocol):
    pool = LoadPool(protocol, datagrams=20)
    _, port = application.receiver.addresses[0]
    sent = 0
    with Sender("127.0.0.1", port) as sender:
        for part in (pool.preamble(time.time_ns()), pool.take(20, time.time_ns())):
            if part is not None:
                sender.send(part.batch("127.0.0.1"))
                sent += int(part.flows.sum())
    question = "SELECT count() AS n, uniqExact(ExporterName) AS names FROM flows WHERE FlowProtocol = {p:String}"
    wait_for(lambda: application.store.query(question, {"p": protocol})["n"][0].as_py() >= sent)
    assert application.store.query(question, {"p": protocol})["n"][0].as_py() == sent
    wait_for(lambda: application.pipeline.writer.waiting_rows == 0)


def test_the_api_tells_of_them(application):
    with httpx.Client(base_url=application.url, timeout=10) as client:
        assert client.get("/healthz").json()["status"] == "ok"
        assert "millrace_pipeline_stored_flows_total" in client.get("/metrics").text

        def protocols():
            top = client.post("/api/v1/flows/top", json={"dimensions": ["FlowProtocol"], "last_seconds": 600}).json()
            return {row["dimensions"][0] for row in top["rows"]}

        # A range that ends now ends where what was received is stored, a moment ago.
        wait_for(lambda: protocols() == {"netflow-v5", "netflow-v9", "ipfix", "sflow-v5"})
        status = client.get("/api/v1/status").json()
        assert status["stored_flows"] == application.pipeline.writer.stored
        assert status["not_decoded"] == {}


def test_the_status_tells_where_exporters_may_send_and_whether_flows_are_kept(application):
    with httpx.Client(base_url=application.url, timeout=10) as client:
        status = client.get("/api/v1/status").json()
        _, port = application.receiver.addresses[0]
        assert status["listeners"] == [{"protocol": "udp", "address": "127.0.0.1", "port": port, "reach": "machine"}]
        assert status["storing"] == "yes"
        assert status["activity"] is None
        with application.activity.doing("It is being filled"):
            application.activity.advance(0.25)
            assert client.get("/api/v1/status").json()["activity"] == {"text": "It is being filled", "share": 0.25}
        assert client.get("/api/v1/status").json()["activity"] is None


def test_listeners_are_told_once_each_with_who_can_reach_them(tmp_path):
    places = [{"address": "127.0.0.1", "port": 0, "sockets": 3}, {"address": "0.0.0.0", "port": 0}]
    settings = Settings.model_validate(
        {"data": tmp_path, "sink": "null", "receive": {"listeners": places}, "api": {"enabled": False}}
    )
    application = Application(settings)
    application.receiver.start()
    try:
        told = application.services().status()
        assert [(place["address"], place["reach"]) for place in told["listeners"]] == [
            ("127.0.0.1", "machine"),
            ("0.0.0.0", "all"),
        ]
        assert told["storing"] == "no"
    finally:
        application.receiver.stop()


def test_garbage_is_counted_and_harms_nothing(application):
    _, port = application.receiver.addresses[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for payload in (b"", b"\0", b"hello", b"\0\x0a\xff\xff" + bytes(30), bytes(2000)):
            sock.sendto(payload, ("127.0.0.1", port))
    wait_for(lambda: sum(application.pipeline.counts.drops.values()) >= 4)
    assert application.pipeline.alive


def test_a_second_application_on_the_same_folder_is_refused(application):
    settings = application.settings.model_copy()
    with pytest.raises(StoreLockedError, match=str(application.settings.data)):
        Application(settings).start()
    assert application.store.query("SELECT count() > 0 AS some FROM flows")["some"][0].as_py()


def test_a_clock_that_disagrees_with_what_is_stored_is_told_and_deletions_are_counted(application):
    future = FlowBatch(1)
    future.put("TimeReceived", np.array([time.time_ns() // 1_000_000 + 400 * 86_400_000]))
    application.store.insert(future)
    # Retention looks every ten minutes.
    application.store.maintain(time.time_ns() // 1_000_000 + 1_000_000)
    report = application.health.report()
    assert report.components["store"].status == "degraded"
    assert "millrace store delete" in report.components["store"].reasons[0]
    with httpx.Client(base_url=application.url, timeout=10) as client:
        assert "millrace_store_deleted_rows_total" in client.get("/metrics").text
