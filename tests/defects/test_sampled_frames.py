"""Frames in sFlow samples that other collectors misread, from the datagram to the flow."""

from __future__ import annotations

import pytest

from millrace.testing.packets import (
    ARP,
    SERVICE_VLAN,
    Packet,
    ethernet,
    fragment,
    gre,
    icmp,
    ipv4,
    ipv6,
    mpls,
    sctp,
    tcp,
    udp,
    vlan,
)
from millrace.testing.sflow import (
    IPV4,
    IPV6,
    LOCAL,
    MPLS,
    counter_sample,
    datagram,
    expanded_counter_sample,
    expanded_flow_sample,
    extended_switch,
    flow_sample,
    interface_counters,
    item,
    raw_header,
)

PLAIN = ethernet(ipv4(tcp(443, 50000)))


def seen(collector, frame, **header):
    (flow,) = collector.hear(datagram([flow_sample([raw_header(frame, **header)])]))
    assert collector.drops == {}
    return flow


@pytest.mark.parametrize("dei", [0, 1])
def test_priority_of_a_tag_is_no_part_of_the_vlan(collector, dei):
    flow = seen(collector, ethernet(vlan(100, ipv4(tcp(443, 50000)), pcp=5, dei=dei)))
    assert (flow["SrcVlan"], flow["SrcPort"]) == (100, 443)


def test_service_tag_with_customer_tag_in_it_leads_to_the_packet(collector):
    inner = vlan(100, ipv4(tcp(443, 50000)), pcp=3)
    flow = seen(collector, ethernet(vlan(2000, inner, pcp=5, tpid=SERVICE_VLAN)))
    assert (flow["SrcVlan"], flow["SrcAddr"], flow["SrcPort"], flow["EType"]) == (2000, "192.0.2.1", 443, 0x0800)


def test_ports_stand_after_the_options_of_ipv4(collector):
    flow = seen(collector, ethernet(ipv4(tcp(443, 50000), options=b"\x94\x04\x00\x00" * 3)))
    assert (flow["SrcPort"], flow["DstPort"]) == (443, 50000)


def test_payload_of_a_later_fragment_is_not_taken_for_ports(collector):
    four = seen(collector, ethernet(ipv4(Packet(b"\xde\xad\xbe\xef" * 8, proto=17), offset=185, ident=7)))
    six = seen(collector, ethernet(ipv6(fragment(Packet(b"\xde\xad\xbe\xef" * 8, proto=17), offset=185))))
    for flow in (four, six):
        assert (flow["Proto"], flow["IPFragmentOffset"]) == (17, 185)
        assert not {"SrcPort", "DstPort"} & flow.keys()


def test_first_fragment_keeps_its_ports(collector):
    flow = seen(collector, ethernet(ipv4(udp(53, 4000, bytes(64)), more=True, ident=7)))
    assert (flow["SrcPort"], flow["DstPort"], flow["IPFragmentID"]) == (53, 4000, 7)


@pytest.mark.parametrize(
    ("protocol", "packet", "source", "etype"),
    [
        (IPV4, ipv4(tcp(443, 50000)), "192.0.2.1", 0x0800),
        (IPV6, ipv6(tcp(443, 50000)), "2001:db8::1", 0x86DD),
        (MPLS, mpls([16001], ipv4(tcp(443, 50000))), "192.0.2.1", 0x0800),
    ],
)
def test_headers_that_do_not_begin_with_ethernet(collector, protocol, packet, source, etype):
    flow = seen(collector, packet, protocol=protocol, frame_bytes=len(packet), stripped=0)
    assert (flow["SrcAddr"], flow["SrcPort"], flow["EType"]) == (source, 443, etype)
    assert flow["Bytes"] == len(packet) - (4 if protocol == MPLS else 0)
    assert "SrcMAC" not in flow


def test_frames_of_any_kind_cost_neither_the_datagram_nor_themselves(collector):
    frames = {
        "arp": ethernet(Packet(bytes(28), etype=ARP)),
        "mpls": ethernet(mpls([16001, 3], ipv4(tcp(1, 2)))),
        "qinq": ethernet(vlan(2, vlan(1, ipv4(tcp(1, 2))), tpid=SERVICE_VLAN)),
        "gre": ethernet(ipv4(gre(ipv4(tcp(1, 2))))),
        "sctp": ethernet(ipv4(sctp(1, 2))),
        "esp": ethernet(ipv4(Packet(bytes(40), proto=50))),
        "ospf": ethernet(ipv4(Packet(bytes(40), proto=89))),
        "icmp": ethernet(ipv4(icmp(3, 1))),
        "spanning tree": ethernet(Packet(b"\x42\x42\x03" + bytes(35)), etype=38),
        "nothing": b"",
    }
    samples = [flow_sample([raw_header(frame)], input_if=at) for at, frame in enumerate(frames.values())]
    flows = collector.hear(datagram([*samples, flow_sample([raw_header(PLAIN)], input_if=99)]))
    assert [flow["InIf"] for flow in flows] == [*range(len(frames)), 99]
    assert collector.drops == {}
    known = dict(zip(frames, flows, strict=False))
    assert known["arp"]["EType"] == ARP
    assert {name: known[name]["Proto"] for name in ("mpls", "qinq", "gre", "sctp", "esp", "ospf", "icmp")} == {
        "mpls": 6, "qinq": 6, "gre": 6, "sctp": 132, "esp": 50, "ospf": 89, "icmp": 1,
    }  # fmt: skip


def test_l2tp_is_told_by_its_outer_packet(collector):
    """Not opened; what is told of it is what stands in its outer headers."""
    flow = seen(
        collector, ethernet(ipv4(udp(1701, 1701, b"\x00\x02\x00\x01\x00\x02\xff\x03\x00\x21" + ipv4(tcp(1, 2)))))
    )
    assert (flow["SrcAddr"], flow["Proto"], flow["SrcPort"], flow["DstPort"]) == ("192.0.2.1", 17, 1701, 1701)
    assert not {"TunnelType", "OuterSrcAddr"} & flow.keys()


def test_format_of_an_interface_is_no_part_of_its_index(collector):
    """Multiple destinations (format 2), discarded (format 1), and the agent itself (0x3fffffff) are no ifIndex."""
    flows = collector.hear(
        datagram(
            [
                flow_sample([raw_header(PLAIN)], input_if=LOCAL, output_if=0x80000003),
                flow_sample([raw_header(PLAIN)], input_if=7, output_if=0x40000102),
                expanded_flow_sample([raw_header(PLAIN)], input_if=(0, LOCAL), output_if=(2, 3)),
                expanded_flow_sample([raw_header(PLAIN)], input_if=(0, 1 << 30), output_if=(0, 9)),
            ]
        )
    )
    assert [(flow["InIf"], flow["OutIf"]) for flow in flows] == [(0, 0), (7, 0), (0, 0), (1 << 30, 9)]
    assert [flow.get("ForwardingStatus") for flow in flows] == [None, 130, None, None]


def test_samples_and_records_of_vendors_cost_only_themselves(collector):
    vendor = item(1, bytes(20), enterprise=8800)
    flows = collector.hear(
        datagram([vendor, flow_sample([vendor, raw_header(PLAIN)]), item(77, b""), flow_sample([raw_header(PLAIN)])])
    )
    assert [flow["SrcPort"] for flow in flows] == [443, 443]
    assert collector.drops == {
        ("sample", "enterprise-sample"): 1, ("sample", "unknown-sample"): 1, ("record", "unknown-record"): 1,
    }  # fmt: skip


def test_expanded_samples_are_flows(collector):
    (flow,) = collector.hear(datagram([expanded_flow_sample([raw_header(PLAIN)], rate=512, input_if=(0, 4_000_000))]))
    assert (flow["InIf"], flow["SamplingRate"], flow["SrcPort"]) == (4_000_000, 512, 443)


def test_priorities_of_the_switch_record_are_no_vlans(collector):
    records = [raw_header(PLAIN), extended_switch(10, 20, src_priority=5, dst_priority=6)]
    (flow,) = collector.hear(datagram([flow_sample(records)]))
    assert (flow["SrcVlan"], flow["DstVlan"]) == (10, 20)


def test_counter_samples_are_counters_and_neither_flows_nor_errors(collector):
    flows = collector.hear(
        datagram(
            [
                counter_sample([interface_counters(17, in_octets=1 << 40)]),
                expanded_counter_sample([interface_counters(4_000_000)]),
                flow_sample([raw_header(PLAIN)]),
            ]
        )
    )
    assert len(flows) == 1
    assert [(row["IfIndex"], row["InOctets"]) for row in collector.counters] == [(17, 1 << 40), (4_000_000, 1)]
    assert collector.drops == {}
    assert collector.events["counter_samples"] == 2


def test_source_of_a_sample_keeps_its_index(collector):
    """The data source is one byte of type and three of index."""
    collector.hear(datagram([flow_sample([], rate=64, source=0x00ABCDEF)]))
    collector.hear(datagram([expanded_flow_sample([], rate=128, source=(0, 4_000_000))], sequence=2))
    (status,) = collector.decoder.exporters()
    assert {(s.binding, s.id, s.rate) for s in status.sampling} == {
        ("source", 0x00ABCDEF, 64), ("source", 4_000_000, 128),
    }  # fmt: skip
