"""What a sampled header does not tell comes from the other records of its sample, column by column."""

from __future__ import annotations

import pytest

from millrace.testing import sflow as wire
from millrace.testing.packets import ethernet, ipv4, ipv6, tcp, udp, vlan, vxlan

TCP = tcp(443, 50000, bytes(100))
ENDS = {"src": "192.0.2.1", "dst": "198.51.100.2"}
SIX = {"src": "2001:db8::1", "dst": "2001:db8::2"}


def packet(**options):
    return ipv4(TCP, **ENDS, **options)


def test_a_header_cut_inside_tcp(sflow):
    frame = ethernet(vlan(100, packet(tos=72)))
    flow = sflow.flow(
        wire.raw_header(frame, captured=46),
        wire.sampled_ethernet(length=162),
        wire.sampled_ip(flags=0x12, tos=72, **ENDS),
    )
    assert (flow["TCPFlags"], flow["SrcPort"], flow["DstPort"]) == (0x12, 443, 50000)
    assert (flow["Bytes"], flow["SrcVlan"], flow["IPTos"]) == (140, 100, 72)


@pytest.mark.parametrize("captured", [34, 36, 38, 46])
def test_wherever_tcp_is_cut(sflow, captured):
    flow = sflow.flow(wire.sampled_ip(flags=0x12, **ENDS), wire.raw_header(ethernet(packet()), captured=captured))
    assert (flow["SrcPort"], flow["DstPort"], flow["TCPFlags"]) == (443, 50000, 0x12)


def test_ipv6(sflow):
    frame = ethernet(ipv6(TCP, **SIX))
    flow = sflow.flow(wire.raw_header(frame, captured=54), wire.sampled_ip(flags=0x12, **SIX))
    assert (flow["SrcPort"], flow["TCPFlags"], flow["SrcAddr"]) == (443, 0x12, "2001:db8::1")


def test_what_the_header_tells_stays(sflow):
    flow = sflow.flow(
        wire.raw_header(ethernet(packet(tos=72))),
        wire.sampled_ip(length=9000, src_port=1, dst_port=2, flags=0x3F, tos=4, **ENDS),
    )
    assert (flow["SrcPort"], flow["DstPort"], flow["IPTos"], flow["Bytes"]) == (443, 50000, 72, 140)
    assert flow["TCPFlags"] != 0x3F


def test_of_a_tunnel_the_record_tells_of_the_outer_packet_and_fills_nothing(sflow):
    inner = ethernet(ipv4(TCP, src="10.0.0.1", dst="10.0.0.2"))
    frame = ethernet(ipv4(vxlan(1, inner), **ENDS))
    flow = sflow.flow(
        wire.raw_header(frame, captured=14 + 20 + 8 + 8 + 14 + 20), wire.sampled_ip(proto=17, dst_port=4789, **ENDS)
    )
    assert (flow["SrcAddr"], flow["Proto"], flow.get("DstPort")) == ("10.0.0.1", 6, None)


def test_later_fragments_have_no_ports(sflow):
    frame = ethernet(ipv4(udp(1, 2), offset=100, **ENDS))
    flow = sflow.flow(wire.raw_header(frame), wire.sampled_ip(proto=17, **ENDS))
    assert "SrcPort" not in flow


def test_macs_of_a_header_that_begins_with_ip(sflow):
    flow = sflow.flow(wire.raw_header(packet(), protocol=wire.IPV4, stripped=0), wire.sampled_ethernet())
    assert (flow["SrcMAC"], flow["DstMAC"], flow["Bytes"]) == (0x020000000001, 0x020000000002, 140)


def test_a_length_that_the_header_does_not_tell(sflow):
    frame = ethernet(ipv4(TCP, length=0, **ENDS))
    flow = sflow.flow(wire.raw_header(frame, frame_bytes=0, stripped=0), wire.sampled_ip(length=140, **ENDS))
    assert flow["Bytes"] == 140


def test_samples_with_and_without_gaps_side_by_side(sflow):
    whole, cut = (wire.raw_header(ethernet(packet()), captured=captured) for captured in (128, 46))
    told = wire.sampled_ip(flags=0x12, **ENDS)
    samples = [[whole, told], [cut, told], [told], [cut]]
    flows = sflow.decode(wire.datagram([wire.flow_sample(records) for records in samples])).flows
    assert [flow.get("TCPFlags") for flow in flows][1:] == [0x12, 0x12, None]
    assert [flow.get("SrcPort") for flow in flows] == [443] * 4


@pytest.mark.parametrize(("rate", "expected"), [(0, None), (1, 1), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_a_rate_is_what_its_32_bits_say_and_0_is_none(sflow, rate, expected):
    (flow,) = sflow.decode(wire.datagram([wire.flow_sample([wire.sampled_ip()], rate=rate)])).flows
    assert flow.get("SamplingRate") == expected
