"""What is told of an exporter: units received, and when something was wrong last."""

from __future__ import annotations

import pytest

from millrace.testing.netflow import EXPORT_S, IPFIX, LegacyRecord, Template, ipfix, template_set, v5, v9

PORTS = Template(256, [(7, 2)])
THREE = PORTS.data((1,), (2,), (3,))
RECORD = LegacyRecord()


def domain(collector):
    (status,) = collector.decoder.exporters()
    (found,) = status.domains
    return found.received, found.lost


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    ("payloads", "received", "lost"),
    [
        ([v9(sequence=sequence) for sequence in (1, 2, 5)], 3, 2),
        ([v5(RECORD, RECORD, sequence=10), v5(RECORD, sequence=12), v5(RECORD, sequence=43)], 4, 30),
        ([ipfix(template_set(IPFIX, PORTS)), ipfix(THREE, sequence=0), ipfix(THREE, sequence=16)], 6, 13),
    ],
)
def test_units_received_are_counted_as_the_protocol_numbers_them(collector, payloads, received, lost, split):
    for batch in [[payload] for payload in payloads] if split else [payloads]:
        collector.send(*batch)
    assert domain(collector) == (received, lost)


def test_records_of_an_unknown_template_are_not_counted_as_received(collector):
    collector.send(ipfix(THREE, sequence=0))
    assert domain(collector) == (0, 0)


def test_last_issue_has_the_time_of_its_datagram(collector):
    collector.send(v9(sequence=1))
    (status,) = collector.decoder.exporters()
    assert (status.last_issue, status.last_issue_ns) == ("", 0)
    collector.send(ipfix(b"\x00\x05\x00\x04"), at_s=EXPORT_S + 5)
    collector.send(v9(sequence=2), at_s=EXPORT_S + 9)
    (status,) = collector.decoder.exporters()
    assert status.last_issue
    assert status.last_issue_ns == round((EXPORT_S + 5) * 1000) * 1_000_000
