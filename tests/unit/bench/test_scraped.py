"""Metrics read back."""

from millrace.bench.scraped import Series, scraped
from millrace.telemetry import Metrics


def test_metrics_are_summed_over_the_labels_that_are_not_asked_for():
    text = (
        "# HELP x y\n"
        'millrace_decode_events_total{exporter="a",protocol="ipfix",event="flows"} 3\n'
        'millrace_decode_events_total{exporter="b",protocol="ipfix",event="flows"} 4\n'
        'millrace_decode_events_total{exporter="b",protocol="ipfix",event="lost"} 1\n'
        "millrace_pipeline_stored_flows_total 7e2\n"
    )
    found = scraped(text)
    assert found.sum("millrace_decode_events_total") == 8
    assert found.of(Series("millrace_decode_events_total", {"event": "flows"})) == 7
    assert found.sum("millrace_decode_events_total", event="flows", exporter="b") == 4
    assert found.sum("millrace_pipeline_stored_flows_total") == 700
    assert found.sum("millrace_decode_events_total", event="gone") == found.sum("nothing") == 0


def test_what_a_collector_writes_is_read_back_whatever_is_in_a_label():
    metrics = Metrics()
    label = 'a "quoted" \\ back\nslash, event="x"'
    metrics.counter("decode", "events", "Things.", ("exporter",)).labels(label).inc(5)
    text, _ = metrics.render()
    assert scraped(text.decode()).sum("millrace_decode_events_total", exporter=label) == 5
