"""Metrics."""

from prometheus_client.parser import text_string_to_metric_families

from millrace.telemetry import BoundedLabel, Metrics


def samples(metrics):
    body, kind = metrics.render()
    assert kind.startswith("text/plain")
    families = text_string_to_metric_families(body.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_names_say_room_what_and_unit():
    metrics = Metrics()
    metrics.counter("decode", "flows", "Flows.", ("protocol",)).labels("ipfix").inc(3)
    metrics.gauge("receive", "queue_bytes", "Queue.").set(7)
    metrics.histogram("store", "insert_seconds", "Inserts.", (0.1, 1)).observe(0.5)
    found = samples(metrics)
    assert found["millrace_decode_flows_total", "ipfix"] == 3
    assert found["millrace_receive_queue_bytes",] == 7
    assert found["millrace_store_insert_seconds_bucket", "1.0"] == 1


def test_what_is_described_is_what_is_scraped():
    metrics = Metrics()
    metrics.counter("decode", "flows", "Flows.", ("protocol",)).labels("ipfix").inc(3)
    metrics.gauge("receive", "queue_bytes", "Queue.").set(7)
    metrics.histogram("store", "insert_seconds", "Inserts.", (0.1, 1)).observe(0.5)
    metrics.callback("counter", "receive", "kernel_drops", "Drops.", lambda: [(("2055",), 1)], ("port",))
    body = metrics.render()[0].decode()
    for one in metrics.described:
        assert f"# HELP {one.name} {one.description}\n# TYPE {one.name} {one.kind}\n" in body
    assert [(one.name, one.labels) for one in metrics.described][1:] == [
        ("millrace_decode_flows_total", ("protocol",)),
        ("millrace_receive_queue_bytes", ()),
        ("millrace_store_insert_seconds", ()),
        ("millrace_receive_kernel_drops_total", ("port",)),
    ]


def test_two_registries_do_not_know_each_other():
    Metrics().counter("a", "b", "c")
    Metrics().counter("a", "b", "c")


def test_callbacks_are_asked_at_each_rendering():
    metrics = Metrics()
    values = iter([1, 2])
    metrics.callback("counter", "receive", "kernel_drops", "Drops.", lambda: [(("2055",), next(values))], ("port",))
    assert samples(metrics)["millrace_receive_kernel_drops_total", "2055"] == 1
    assert samples(metrics)["millrace_receive_kernel_drops_total", "2055"] == 2


def test_failing_callback_is_counted_and_hides_nothing_else():
    metrics = Metrics()
    metrics.gauge("a", "b", "c").set(1)
    metrics.callback("gauge", "receive", "broken", "Broken.", lambda: 1 / 0)
    metrics.render()
    found = samples(metrics)
    assert found["millrace_a_b",] == 1
    assert found["millrace_telemetry_callback_failures_total", "millrace_receive_broken"] >= 1


def test_process_metrics_are_there():
    assert samples(Metrics())["process_resident_memory_bytes",] > 0


def test_labels_are_bounded_and_stay_with_their_thing():
    label = BoundedLabel(2, str)
    assert [label(i) for i in (1, 2, 3, 4, 1)] == ["1", "2", "other", "other", "1"]


def test_reserved_things_have_a_label_whatever_came_before():
    label = BoundedLabel(2, str, reserved=lambda thing: thing >= 9)
    assert [label(i) for i in (9, 1, 2, 3, 10, 9, 3, 10)] == ["9", "1", "2", "other", "10", "9", "other", "10"]
