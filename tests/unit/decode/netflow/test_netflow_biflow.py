"""Biflows (RFC 5103) and firewall records (NSEL): the reverse direction is a row of its own."""

from __future__ import annotations

from millrace.batch import address_bytes
from millrace.decode import Decoder, Quirks
from millrace.testing.netflow import EXPORT_S, IPFIX, V9, Template, ipfix, message, template_set, v9

REVERSE = 29305
ENDS = [(8, 4), (12, 4), (7, 2), (11, 2), (10, 4), (14, 4), (16, 4), (17, 4)]
VALUES = ("192.0.2.1", "198.51.100.2", 40000, 443, 5, 6, 64500, 64501)
BIFLOW = Template(256, [*ENDS, (1, 8), (2, 8), (1, 8, REVERSE), (2, 8, REVERSE), (6, 1), (6, 1, REVERSE)])


def send(collector, template, *records, make=ipfix, version=IPFIX):
    return collector.send(make(template_set(version, template), template.data(*records)))


def test_the_reverse_direction_has_its_ends_swapped_and_its_own_counters(collector):
    forward, reverse = send(collector, BIFLOW, (*VALUES, 1000, 10, 50_000, 40, 2, 18))
    expected = {
        "SrcAddr": "192.0.2.1", "DstAddr": "198.51.100.2", "SrcPort": 40000, "DstPort": 443, "InIf": 5, "OutIf": 6,
        "SrcAS": 64500, "DstAS": 64501, "Bytes": 1000, "Packets": 10, "TCPFlags": 2,
    }  # fmt: skip
    assert {name: forward[name] for name in expected} == expected
    expected = {
        "SrcAddr": "198.51.100.2", "DstAddr": "192.0.2.1", "SrcPort": 443, "DstPort": 40000, "InIf": 6, "OutIf": 5,
        "SrcAS": 64501, "DstAS": 64500, "Bytes": 50_000, "Packets": 40, "TCPFlags": 18,
    }  # fmt: skip
    assert {name: reverse[name] for name in expected} == expected
    assert reverse["ExporterAddress"] == forward["ExporterAddress"]
    assert collector.event("data_records") == 1
    assert collector.event("flows") == 2


def test_an_empty_reverse_direction_is_no_flow(collector):
    assert len(send(collector, BIFLOW, (*VALUES, 1000, 10, 0, 0, 2, 0), (*VALUES, 1, 1, 0, 7, 2, 0))) == 3


def test_what_the_record_does_not_tell_of_the_reverse_direction_is_unknown_there(collector):
    template = Template(256, [*ENDS, (1, 8), (2, 8), (6, 1), (15, 4), (2, 8, REVERSE)])
    forward, reverse = send(collector, template, (*VALUES, 1000, 10, 2, "10.0.0.1", 40))
    assert (forward["Bytes"], forward["NextHop"]) == (1000, "10.0.0.1")
    assert reverse["Packets"] == 40
    assert not {"Bytes", "TCPFlags", "NextHop"} & reverse.keys()


def test_times_of_the_reverse_direction(collector):
    at = EXPORT_S * 1000
    template = Template(256, [*ENDS, (1, 8), (152, 8), (153, 8), (1, 8, REVERSE), (152, 8, REVERSE)])
    forward, reverse = send(collector, template, (*VALUES, 1, at - 900, at - 100, 1, at - 800))
    assert (forward["TimeFlowStart"], forward["TimeFlowEnd"]) == (at - 900, at - 100)
    assert (reverse["TimeFlowStart"], reverse["TimeFlowEnd"]) == (at - 800, at - 100)


def test_masks_macs_vlans_vrfs_and_nat_ends_change_places(collector):
    template = Template(
        256, [(9, 1), (13, 1), (56, 6), (80, 6), (58, 2), (59, 2), (234, 4), (235, 4), (225, 4), (226, 4), (227, 2),
              (228, 2), (1, 4), (1, 4, REVERSE)],
    )  # fmt: skip
    _, reverse = send(collector, template, (24, 16, 1, 2, 10, 20, 1, 2, "10.0.0.1", "10.0.0.2", 3, 4, 5, 6))
    expected = {
        "SrcNetMask": 16, "DstNetMask": 24, "SrcMAC": 2, "DstMAC": 1, "SrcVlan": 20, "DstVlan": 10, "IngressVRFID": 2,
        "EgressVRFID": 1, "SrcAddrNAT": "10.0.0.2", "DstAddrNAT": "10.0.0.1", "SrcPortNAT": 4, "DstPortNAT": 3,
        "Bytes": 6,
    }  # fmt: skip
    assert {name: reverse[name] for name in expected} == expected


def test_initiator_and_responder_of_firewall_records_are_two_flows(collector):
    template = Template(256, [*ENDS, (231, 4), (232, 4), (298, 4), (299, 4), (233, 1)])
    flows = send(collector, template, (*VALUES, 1000, 9000, 10, 20, 2), (*VALUES, 500, 0, 5, 0, 1), make=v9, version=V9)
    assert [(f["SrcPort"], f["Bytes"], f["Packets"], f["FirewallEvent"]) for f in flows] == [
        (40000, 1000, 10, 2), (40000, 500, 5, 1), (443, 9000, 20, 2),
    ]  # fmt: skip


def test_a_created_event_without_counters_is_a_flow_of_no_bytes(collector):
    template = Template(256, [*ENDS, (231, 4), (232, 4), (233, 1)])
    (flow,) = send(collector, template, (*VALUES, 0, 0, 1), make=v9, version=V9)
    assert (flow["Bytes"], flow["FirewallEvent"]) == (0, 1)


def test_sampling_holds_for_both_directions(collector):
    template = Template(256, [(1, 4), (1, 4, REVERSE), (34, 4)])
    assert [flow["SamplingRate"] for flow in send(collector, template, (1, 2, 64))] == [64, 64]


TURNED = [(8, 4), (12, 4), (7, 2), (11, 2), (10, 4), (14, 4), (1, 4), (2, 4), (23, 4), (24, 4)]
RECORD = ("192.0.2.1", "192.0.2.2", 50000, 443, 3, 4, 1000, 10, 70_000, 60)


def turning(address):
    """One exporter counts the other direction in OUT_BYTES and OUT_PKTS."""
    return Quirks(reverse_in_23_24=address == address_bytes("192.0.2.1"))


def collector_with(make, quirks):
    collector = make()
    collector.decoder = Decoder(collector.schema, quirks=quirks)
    return collector


def sent(collector, version, *records, source="192.0.2.1"):
    template = Template(256, TURNED)
    return collector.send(message(version, template_set(version, template), template.data(*records)), source=source)


def test_out_bytes_and_packets_as_the_other_direction_where_an_exporter_is_set_so(make):
    forward, back = sent(collector_with(make, turning), V9, RECORD)
    assert (forward["SrcPort"], forward["Bytes"], forward["Packets"]) == (50000, 1000, 10)
    assert (back["SrcAddr"], back["SrcPort"], back["DstPort"]) == ("192.0.2.2", 443, 50000)
    assert (back["InIf"], back["OutIf"], back["Bytes"], back["Packets"]) == (4, 3, 70_000, 60)


def test_no_reverse_flow_without_packets_of_the_other_direction(make):
    (forward,) = sent(collector_with(make, turning), V9, (*RECORD[:8], 0, 0))
    assert forward["Bytes"] == 1000


def test_a_flow_of_the_other_direction_only_has_no_bytes_of_its_own(make):
    forward, back = sent(collector_with(make, turning), V9, (*RECORD[:6], 0, 0, 70_000, 60))
    assert (forward["Bytes"], back["Bytes"]) == (0, 70_000)


def test_other_exporters_and_ipfix_keep_to_the_standard(make):
    collector = collector_with(make, turning)
    assert len(sent(collector, V9, RECORD, source="192.0.2.9")) == 1
    assert len(sent(collector, IPFIX, RECORD)) == 1
    (unsampled,) = sent(collector, V9, (*RECORD[:6], 0, 0, 70_000, 60), source="192.0.2.9")
    assert unsampled["Bytes"] == 70_000


def test_exporters_with_and_without_the_setting_in_one_batch(make):
    collector, template = collector_with(make, turning), Template(256, TURNED)
    payload = message(V9, template_set(V9, template), template.data(RECORD))
    flows = collector.send(payload, payload, source=["192.0.2.1", "192.0.2.9"])
    assert sorted((flow["ExporterAddress"], flow["Bytes"]) for flow in flows) == [
        ("192.0.2.1", 1000), ("192.0.2.1", 70_000), ("192.0.2.9", 1000),
    ]  # fmt: skip
