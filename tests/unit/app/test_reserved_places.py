"""Exporters of the configuration have counts and time series of their own, however many are forged."""

from __future__ import annotations

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.batch import DatagramBatch, address_bytes
from millrace.decode import Counts
from millrace.testing.netflow import IPFIX, Template, ipfix, template_set


def test_forged_exporters_take_no_label_of_a_configured_one(tmp_path):
    settings = Settings.model_validate(
        {
            "data": tmp_path / "data",
            "receive": {"listeners": ["127.0.0.1:0"]},
            "api": {"enabled": False},
            "exporters": {"192.0.2.1": {"name": "edge"}, "10.0.0.0/8": {"site": "everything"}},
            "pipeline": {"counted_exporters": 50},
            "telemetry": {"metrics": {"max_exporters": 20}},
        }
    )
    application = Application(settings)
    for number in range(1, 200):
        counts = Counts()
        counts.event(address_bytes(f"10.0.0.{number}"), "ipfix", "flows", 1)
        application.pipeline.counts.add(counts)
    application.metrics.render()
    counts = Counts()
    counts.event(address_bytes("192.0.2.1"), "ipfix", "flows", 7)
    application.pipeline.counts.add(counts)
    text = application.metrics.render()[0].decode()
    event = 'protocol="ipfix"} '
    lines = [line for line in text.splitlines() if line.startswith("millrace_decode_events_total{") and event in line]
    assert 'millrace_decode_events_total{event="flows",exporter="192.0.2.1",protocol="ipfix"} 7.0' in lines
    assert len(lines) == 22


def test_health_notes_that_bounds_are_reached_without_being_alarmed(tmp_path):
    settings = Settings.model_validate(
        {
            "data": tmp_path / "data", "receive": {"listeners": ["127.0.0.1:0"]}, "api": {"enabled": False},
            "sink": "null", "decode": {"templates": 20},
        }
    )  # fmt: skip
    application = Application(settings)
    application.start()
    try:
        assert application.health.report().components["decoder"].notes == ()
        templates = [Template(256 + n, [(7, 2), (210, n + 1)]) for n in range(10)]
        payload = ipfix(template_set(IPFIX, *templates))
        for number in range(1, 5):
            application.pipeline.put(DatagramBatch.from_payloads([payload], source=f"10.0.0.{number}"))
    finally:
        application.stop()
    condition = application.health.report().components["decoder"]
    assert "20 made-room since the start" in condition.notes[0]
    assert not any("Bounds" in reason for reason in condition.reasons)
