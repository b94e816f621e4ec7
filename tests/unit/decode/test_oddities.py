"""What exporters tell that cannot be right is remembered of each of them."""

from __future__ import annotations

from millrace.batch import DatagramBatch, address_bytes
from millrace.decode import Decoder, Limits
from millrace.schema import Schema
from millrace.testing.netflow import EXPORT_S, IPFIX, LegacyRecord, Template, ipfix, template_set, v5
from millrace.testing.packets import ethernet, ipv4, tcp
from millrace.testing.sflow import datagram, flow_sample, raw_header

NS = 1_000_000_000
DAY_MS = 86_400_000
TIMES = Template(256, [(152, 8), (153, 8)])
SHORT = raw_header(ethernet(ipv4(tcp(1, 2, bytes(1460)))), frame_bytes=132)


def late(*offsets_ms):
    records = [(EXPORT_S * 1000 + off, EXPORT_S * 1000 + off) for off in offsets_ms]
    return ipfix(template_set(IPFIX, TIMES), TIMES.data(*records))


def oddities(decoder):
    return {
        status.address: [(odd.event, odd.count, odd.last_ns // NS) for odd in status.oddities]
        for status in decoder.exporters()
    }


def decode(decoder, *payloads, source, at_s):
    return decoder.decode(DatagramBatch.from_payloads(payloads, source=source, time_ns=at_s * NS))


def test_they_are_counted_by_exporter_over_batches_with_the_last_time():
    decoder = Decoder(Schema())
    decode(decoder, late(0, DAY_MS, DAY_MS), source="192.0.2.1", at_s=1000)
    decode(decoder, late(DAY_MS), source="192.0.2.1", at_s=2000)
    decode(decoder, late(0), source="192.0.2.1", at_s=3000)
    decode(decoder, v5(LegacyRecord(first=0xA0000000)), late(0), source=["192.0.2.2", "192.0.2.3"], at_s=3000)
    decode(decoder, datagram([flow_sample([SHORT])] * 2, agent="192.0.2.4"), source="192.0.2.9", at_s=4000)
    assert oddities(decoder) == {
        address_bytes("192.0.2.1"): [("implausible_times", 3, 2000)],
        address_bytes("192.0.2.2"): [("implausible_times", 1, 3000)],
        address_bytes("192.0.2.3"): [],
        address_bytes("192.0.2.4"): [("short_frame_lengths", 2, 4000)],
    }


def test_they_are_counted_as_events_too():
    decoded = decode(Decoder(Schema()), late(DAY_MS, 0), source="192.0.2.1", at_s=1)
    assert decoded.counts.events[address_bytes("192.0.2.1"), "ipfix", "implausible_times"] == 1


def test_memory_is_bounded():
    decoder = Decoder(Schema(), Limits(exporters=10))
    for host in range(1, 200):
        decode(decoder, datagram([flow_sample([SHORT])], agent=f"192.0.2.{host}"), source="192.0.2.9", at_s=host)
    assert sum(bool(found) for found in oddities(decoder).values()) <= 10


def test_a_flood_of_forged_ones_does_not_hide_what_a_known_exporter_tells():
    decoder = Decoder(Schema(), Limits(exporters=10))
    for at_s in (1000, 1700):
        decode(decoder, late(DAY_MS), late(0), source="192.0.2.1", at_s=at_s)
    for number in range(200):
        decode(decoder, late(DAY_MS), source=f"10.0.0.{number}", at_s=1701 + number)
    known = oddities(decoder)
    assert known[address_bytes("192.0.2.1")] == [("implausible_times", 2, 1700)]
    assert sum(bool(found) for found in known.values()) <= 10
