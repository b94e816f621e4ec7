"""What extended records tell, and who wins where the sampled header tells too."""

from __future__ import annotations

import pytest

from millrace.testing import sflow as wire
from millrace.testing.packets import destination_options, ethernet, hop_by_hop, ipv4, ipv6, mpls, tcp, vlan, vxlan

FRAME = ethernet(ipv4(tcp(443, 50000)))
TAGGED = ethernet(vlan(100, ipv4(tcp(443, 50000))))
HEADER = wire.raw_header(FRAME)


def test_switch_vlans_do_not_mix_with_priorities(sflow):
    flow = sflow.flow(HEADER, wire.extended_switch(10, 20, src_priority=5, dst_priority=6))
    assert (flow["SrcVlan"], flow["DstVlan"]) == (10, 20)


def test_switch_wins_over_the_tag_unless_it_tells_nothing(sflow):
    assert sflow.flow(wire.raw_header(TAGGED), wire.extended_switch(10, 20))["SrcVlan"] == 10
    flow = sflow.flow(wire.raw_header(TAGGED), wire.extended_switch(0, 0xFFFFFFFF))
    assert flow["SrcVlan"] == 100
    assert "DstVlan" not in flow


def test_stripped_tag_is_the_outermost(sflow):
    flow = sflow.flow(wire.raw_header(TAGGED), wire.extended_vlan_tunnel([0x88A8A00C, 0x81000005]))
    assert flow["SrcVlan"] == 12


@pytest.mark.parametrize("hop", ["203.0.113.9", "2001:db8::9"])
def test_router(sflow, hop):
    flow = sflow.flow(HEADER, wire.extended_router(hop, 24, 19))
    assert (flow["NextHop"], flow["SrcNetMask"], flow["DstNetMask"]) == (hop, 24, 19)


def test_router_without_next_hop(sflow):
    for hop in ("", "0.0.0.0"):
        flow = sflow.flow(wire.extended_router(hop, 24, 200))
        assert flow["SrcNetMask"] == 24
        assert not {"NextHop", "DstNetMask"} & flow.keys()


def test_gateway(sflow):
    flow = sflow.flow(
        HEADER,
        wire.extended_gateway(
            path=[(2, [64600, 64600, 64601]), (1, [64602, 64603])], communities=[1 << 16 | 2, 7], src_as=64501
        ),
    )
    assert flow["DstASPath"] == [64600, 64600, 64601, 64602, 64603]
    assert flow["DstCommunities"] == [65538, 7]
    assert (flow["SrcAS"], flow["DstAS"]) == (64501, 64603)
    assert (flow["Dst1stAS"], flow["Dst2ndAS"], flow["Dst3rdAS"]) == (64600, 64601, 64602)
    assert flow["BGPNextHop"] == "203.0.113.1"


def test_gateway_without_a_path_tells_no_destination_as(sflow):
    flow = sflow.flow(HEADER, wire.extended_gateway(next_hop="2001:db8::1", src_as=0))
    assert flow["BGPNextHop"] == "2001:db8::1"
    assert not {"SrcAS", "DstAS", "Dst1stAS", "DstCommunities"} & flow.keys()


def test_paths_of_different_samples_stay_apart(sflow):
    paths = [[(2, [1, 2])], [], [(1, [3]), (2, [4, 5, 6])], [(2, [])]]
    samples = [wire.flow_sample([wire.extended_gateway(path=path, communities=[9] * len(path))]) for path in paths]
    samples.insert(1, wire.flow_sample([HEADER]))
    flows = sflow.decode(wire.datagram(samples)).flows
    assert [flow.get("DstASPath") for flow in flows] == [[1, 2], None, [], [3, 4, 5, 6], []]
    assert [flow.get("DstAS") for flow in flows] == [2, None, None, 6, None]
    assert [flow.get("DstCommunities", []) for flow in flows] == [[9], [], [], [9, 9], [9]]


def test_mpls_labels_of_the_record_yield_to_those_of_the_header(sflow):
    assert sflow.flow(HEADER, wire.extended_mpls([16001, 16002], [3]))["MPLSLabels"] == [16001, 16002]
    frame = ethernet(mpls([5], ipv4(tcp(1, 2))))
    assert sflow.flow(wire.raw_header(frame), wire.extended_mpls([16001]))["MPLSLabels"] == [5]


def test_mpls_labels_of_header_and_record_in_one_batch(sflow):
    labelled = wire.raw_header(ethernet(mpls([5, 6], ipv4(tcp(1, 2)))))
    samples = [[HEADER, wire.extended_mpls([7])], [labelled], [HEADER], [labelled, wire.extended_mpls([8])]]
    flows = sflow.decode(wire.datagram([wire.flow_sample(records) for records in samples])).flows
    assert [flow.get("MPLSLabels") for flow in flows] == [[7], [5, 6], None, [5, 6]]


def test_nat(sflow):
    flow = sflow.flow(HEADER, wire.extended_nat("198.51.100.7", "2001:db8::7"), wire.extended_nat_port(1024, 8080))
    assert (flow["SrcAddrNAT"], flow["DstAddrNAT"]) == ("198.51.100.7", "2001:db8::7")
    assert (flow["SrcPortNAT"], flow["DstPortNAT"]) == (1024, 8080)


def test_tunnel_records_tell_the_outer_header(sflow):
    flow = sflow.flow(
        HEADER,
        wire.sampled_ip(src="10.9.9.1", dst="10.9.9.2", proto=17, dst_port=4789, form=1023),
        wire.sampled_ip(src="10.8.8.1", dst="10.8.8.2", proto=47, form=1024),
        wire.extended_vni(5001),
        wire.extended_vni(6001, ingress=False),
    )
    assert (flow["OuterSrcAddr"], flow["OuterDstAddr"], flow["TunnelType"]) == ("10.8.8.1", "10.8.8.2", "gre")
    assert flow["VNI"] == 5001
    assert flow["SrcAddr"] == "192.0.2.1"


def test_egress_tunnel_over_ipv6(sflow):
    outer = wire.sampled_ip(src="2001:db8:9::1", dst="2001:db8:9::2", proto=17, dst_port=6081, form=1025)
    flow = sflow.flow(HEADER, outer)
    assert (flow["OuterDstAddr"], flow["TunnelType"]) == ("2001:db8:9::2", "geneve")


def test_tunnel_in_the_sampled_header_wins(sflow):
    frame = ethernet(ipv4(vxlan(7, FRAME), src="10.0.0.1"))
    flow = sflow.flow(wire.raw_header(frame), wire.sampled_ip(src="10.8.8.1", form=1024), wire.extended_vni(9))
    assert (flow["OuterSrcAddr"], flow["VNI"], flow["TunnelType"]) == ("10.0.0.1", 7, "vxlan")


def test_sampled_ip_fills_where_there_is_no_header(sflow):
    flow = sflow.flow(wire.sampled_ip(proto=6, src_port=1, dst_port=2, flags=0x12, tos=0xB8))
    assert (flow["EType"], flow["Proto"], flow["SrcAddr"], flow["DstAddr"]) == (0x0800, 6, "192.0.2.1", "198.51.100.2")
    assert (flow["SrcPort"], flow["DstPort"], flow["TCPFlags"], flow["IPTos"]) == (1, 2, 0x12, 0xB8)


def test_sampled_ipv6_without_ports(sflow):
    flow = sflow.flow(wire.sampled_ip(proto=58, src="2001:db8::1", dst="2001:db8::2"))
    assert (flow["EType"], flow["Proto"], flow["SrcAddr"]) == (0x86DD, 58, "2001:db8::1")
    assert not {"SrcPort", "TCPFlags"} & flow.keys()


def test_sampled_header_wins_over_sampled_ip_and_ethernet(sflow):
    flow = sflow.flow(HEADER, wire.sampled_ip(src="10.0.0.1", length=9), wire.sampled_ethernet(src="aa:aa:aa:aa:aa:aa"))
    assert (flow["SrcAddr"], flow["SrcMAC"], flow["Bytes"]) == ("192.0.2.1", 0x020000000001, 40)


WHOLE = ethernet(ipv6(hop_by_hop(destination_options(tcp(443, 50000, flags=0x12)))))


@pytest.mark.parametrize("captured", [54, 58, 61, 62, 66, 69, 70, 74, 83, 84, 128])
def test_a_header_that_ends_among_extension_headers_leaves_the_protocol_to_the_record(sflow, captured):
    record = wire.sampled_ip(
        proto=6, src="2001:db8::1", dst="2001:db8::2", src_port=443, dst_port=50000, flags=0x12, tos=72
    )
    flow = sflow.flow(wire.raw_header(WHOLE, captured=captured), record)
    assert (flow["Proto"], flow["SrcPort"], flow["DstPort"], flow["TCPFlags"]) == (6, 443, 50000, 0x12)


def test_nor_is_a_protocol_taken_from_the_record_of_another_packet(sflow):
    header = wire.raw_header(WHOLE, captured=58)
    other = sflow.flow(header, wire.sampled_ip(proto=6, src="2001:db8::9", dst="2001:db8::2"))
    same = sflow.flow(header, wire.sampled_ip(proto=60, src="2001:db8::1", dst="2001:db8::2"))
    assert (other["Proto"], same["Proto"]) == (0, 0)
    assert "SrcPort" not in other


def test_sampled_ethernet(sflow):
    flow = sflow.flow(wire.sampled_ethernet(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b", etype=0x86DD))
    assert (flow["SrcMAC"], flow["DstMAC"], flow["EType"]) == (0x02000000000A, 0x02000000000B, 0x86DD)


def test_known_records_without_a_column_are_counted_as_unused(sflow):
    records = [wire.extended_user(), HEADER, wire.extended_url(), wire.item(1038, b"odd length")]
    outcome = sflow.decode(wire.datagram([wire.flow_sample(records)]))
    assert outcome.flows[0]["SrcPort"] == 443
    assert outcome.drops == {("record", "unused-record"): 3}
    assert not outcome.counts.issues
