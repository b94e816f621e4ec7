"""Sequence numbers: what is lost, what comes late, and what begins anew."""

from __future__ import annotations

import pytest

from millrace.testing.netflow import IPFIX, LegacyRecord, Template, ipfix, template_set, v5, v9

PORTS = Template(256, [(7, 2)])
THREE = PORTS.data((1,), (2,), (3,))
RECORD = LegacyRecord()


def loss(collector):
    return collector.event("lost"), collector.event("reordered")


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    ("sequences", "lost", "reordered"),
    [
        ([0, 1, 2, 3], 0, 0),
        ([0, 1, 4, 5], 2, 0),
        ([7, 8, 8, 9], 0, 1),
        ([0, 1, 3, 2, 4], 1, 1),
        ([0, 4, 1, 2, 3, 5], 3, 3),
        ([(1 << 32) - 2, (1 << 32) - 1, 0, 1], 0, 0),
        ([(1 << 32) - 2, 1], 2, 0),
        ([500_000, 500_001, 0, 1, 2], 0, 0),
        ([3_000_000_000, 5, 6, 9], 2, 0),
        ([100, 101, 20, 21, 22, 23, 24, 26], 1, 3),
    ],
)
def test_v9_counts_datagrams(collector, sequences, lost, reordered, split):
    payloads = [v9(sequence=sequence) for sequence in sequences]
    for batch in [[payload] for payload in payloads] if split else [payloads]:
        collector.send(*batch)
    assert loss(collector) == (lost, reordered)


def test_v5_counts_flows(collector):
    collector.send(v5(RECORD, RECORD, sequence=10), v5(RECORD, sequence=12), v5(RECORD, sequence=43))
    assert loss(collector) == (30, 0)


def test_ipfix_counts_data_records_options_included(collector):
    collector.send(
        ipfix(template_set(IPFIX, PORTS)), ipfix(THREE, sequence=0), ipfix(THREE, sequence=3), ipfix(THREE, sequence=16)
    )
    assert loss(collector) == (10, 0)


def test_ipfix_messages_of_unknown_templates_break_off_the_count(collector):
    collector.send(ipfix(template_set(IPFIX, PORTS)), ipfix(Template(300, []).data(), b"", sequence=0))
    collector.send(
        ipfix(Template(300, [(7, 2)]).data((1,), (2,)), sequence=0), ipfix(THREE, sequence=2), ipfix(sequence=5)
    )
    assert loss(collector) == (0, 0)


def test_a_restarting_exporter_does_not_count_billions(collector):
    collector.send(v5(RECORD, sequence=4_000_000_000, uptime_ms=90_000_000), v5(RECORD, sequence=0, uptime_ms=1000))
    collector.send(v5(RECORD, sequence=1, uptime_ms=2000), v5(RECORD, sequence=2, uptime_ms=3000))
    assert loss(collector) == (0, 0)


def test_a_restart_shortly_after_the_start_is_seen_by_the_uptime(collector):
    collector.send(
        v9(sequence=50, uptime_ms=90_000_000), v9(sequence=0, uptime_ms=1000), v9(sequence=1, uptime_ms=2000)
    )
    assert loss(collector) == (0, 0)


def test_domains_engines_and_exporters_count_apart(collector):
    collector.send(
        v9(sequence=1, domain=1), v9(sequence=900, domain=2), v9(sequence=2, domain=1), v9(sequence=901, domain=2),
        v5(RECORD, sequence=5, engine_id=1), v5(RECORD, sequence=77, engine_id=2), v5(RECORD, sequence=6, engine_id=1),
    )  # fmt: skip
    assert loss(collector) == (0, 0)


def test_loss_is_shown_per_exporter_and_domain(collector):
    collector.send(v9(sequence=1, domain=4), v9(sequence=5, domain=4), v9(sequence=1, domain=5))
    (status,) = collector.decoder.exporters()
    assert (status.lost, [(d.domain, d.lost) for d in status.domains]) == (3, [(4, 3), (5, 0)])
