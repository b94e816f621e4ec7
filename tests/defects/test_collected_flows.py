"""Flows of exporters of which nothing is known, from the socket to the answer, in one process."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.batch import DatagramBatch
from millrace.receive import Sender
from millrace.testing.netflow import V9, LegacyRecord, Template, template_set, v5, v9
from millrace.testing.packets import ethernet, ipv4, tcp
from millrace.testing.sflow import LOCAL, counter_sample, datagram, flow_sample, interface_counters, raw_header

FRAME = raw_header(ethernet(ipv4(tcp(443, 50000, bytes(960)))))
DOCS = Path(__file__).parents[2]
PLAIN, NEVER = Template(256, [(8, 4), (7, 2), (1, 4)]), Template(300, [(7, 2)])


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """An application without any configuration of exporters, after one datagram of every kind."""
    settings = Settings.model_validate(
        {
            "data": tmp_path_factory.mktemp("data"),
            "receive": {"listeners": ["127.0.0.1:0"]},
            "api": {"port": 0},
            "pipeline": {"flush_interval_s": 0.1},
        }
    )
    now = int(time.time())
    payloads = [
        v5(LegacyRecord(input=0, output=0, octets=5000), export_s=now, sequence=1),
        v9(template_set(V9, PLAIN), PLAIN.data(("192.0.2.9", 80, 9000)), NEVER.data((1,)), export_s=now, sequence=1),
        v9(PLAIN.data(("192.0.2.9", 81, 9000)), export_s=now, sequence=5),
        datagram(
            [
                counter_sample([interface_counters(1)]),
                flow_sample([FRAME], input_if=LOCAL, output_if=0, rate=0),
                flow_sample([FRAME], input_if=7, output_if=9, rate=1000),
            ]
        ),
    ]
    application = Application(settings)
    application.start()
    _, port = application.receiver.addresses[0]
    with Sender("127.0.0.1", port) as sender:
        sender.send(DatagramBatch.from_payloads(payloads, source="127.0.0.1"))
    until = time.monotonic() + 10
    while application.pipeline.writer.stored < 5 and time.monotonic() < until:
        time.sleep(0.02)
    with httpx.Client(base_url=application.url, timeout=10) as client:
        yield client
    application.stop()


def found(client, column, value):
    question = {
        "last_seconds": 600, "filter": f"{column} = {value}",
        "columns": ["InIf", "OutIf", "ExporterName", "InIfName", "SamplingRate", "SamplingRateSource", "Bytes"],
    }  # fmt: skip
    answer = client.post("/api/v1/flows/search", json=question)
    assert answer.status_code == 200, answer.text
    return answer.json()["flows"]


def test_flow_with_no_interface_no_name_and_no_rate_is_stored_and_found(client):
    (flow,) = found(client, "FlowProtocol", "netflow-v5")
    assert (flow["InIf"], flow["OutIf"], flow["Bytes"]) == (0, 0, 5000)
    assert flow["ExporterName"] == "127.0.0.1"
    assert not flow.get("InIfName")
    assert (flow["SamplingRate"], flow["SamplingRateSource"]) == (1, "unknown")


def test_records_that_tell_no_interface_at_all_are_stored_and_found(client):
    flows = found(client, "FlowProtocol", "netflow-v9")
    assert [(flow["Bytes"], flow["SamplingRateSource"]) for flow in flows] == [(9000, "unknown")] * 2


def test_samples_from_the_agent_itself_are_stored_and_found(client):
    flows = found(client, "FlowProtocol", "sflow-v5")
    assert sorted((flow["InIf"], flow["OutIf"], flow["SamplingRate"]) for flow in flows) == [(0, 0, 1), (7, 9, 1000)]


def test_answers_multiply_by_the_sampling_rate(client):
    question = {"dimensions": ["FlowProtocol"], "last_seconds": 600}
    expected = {"netflow-v5": (5000, 1), "netflow-v9": (18_000, 2), "sflow-v5": (1_001_000, 2)}
    end, estimates = time.monotonic() + 20, {}
    # A range that ends now ends where all is stored: a moment ago.
    while estimates != expected and time.monotonic() < end:
        rows = client.post("/api/v1/flows/top", json=question).json()["rows"]
        estimates = {row["dimensions"][0]: (row["bytes"], row["flows"]) for row in rows}
    assert estimates == expected


def samples(client, name):
    for family in text_string_to_metric_families(client.get("/metrics").text):
        yield from (sample for sample in family.samples if sample.name == name)


def test_missing_templates_losses_and_counters_have_numbers(client):
    counted = {
        (s.labels["protocol"], s.labels["event"]): s.value for s in samples(client, "millrace_decode_events_total")
    }
    assert counted["netflow-v9", "sets_waiting"] == 1
    assert counted["netflow-v9", "lost"] == 3
    assert (counted["sflow-v5", "counter_samples"], counted["sflow-v5", "flow_samples"]) == (1, 2)
    assert list(samples(client, "millrace_decode_dropped_total")) == []


def test_exporter_says_which_template_is_missing_and_what_was_lost(client):
    exporters = {view["address"]: view for view in client.get("/api/v1/exporters").json()}
    view = exporters["127.0.0.1"]
    assert [(waiting["template_id"], waiting["sets"]) for waiting in view["waiting"]] == [(300, 1)]
    # Three are missing by the numbers of few datagrams, which is no proof; the metrics count them all the same.
    assert (view["lost"], view["lost_share"]) == (0, 0)
    assert not any("lost" in problem["what"] for problem in view["problems"])
    lost = [
        value
        for line in client.get("/metrics").text.splitlines()
        if 'event="lost"' in line
        for value in [float(line.rpartition(" ")[2])]
    ]
    assert sum(lost) == 3


def test_every_metric_that_the_documentation_names_exists(client):
    text = client.get("/metrics").text
    exported = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    pages = [DOCS / "README.md", *DOCS.glob("docs/**/*.md")]
    named = {name for page in pages for name in re.findall(r"\bmillrace_[a-z0-9_]+", page.read_text())}
    assert named
    assert sorted(named - exported) == []
