"""Bytes are those of the IP packet."""

from __future__ import annotations

import pytest

from millrace.testing import sflow as wire
from millrace.testing.packets import Packet, ethernet, ipv4, ipv6, mpls, tcp, vlan, vxlan

TCP = tcp(443, 50000, bytes(960))


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (ethernet(ipv4(TCP)), 1000),
        (ethernet(vlan(1, vlan(2, ipv4(TCP)))), 1000),
        (ethernet(mpls([1, 2], ipv4(TCP))), 1000),
        (ethernet(ipv6(TCP)), 1020),
        (ethernet(ipv4(vxlan(1, ethernet(ipv4(TCP))))), 1050),
    ],
)
def test_length_of_the_outermost_packet_by_its_own_header(sflow, frame, expected):
    assert sflow.flow(wire.raw_header(frame))["Bytes"] == expected


def test_padding_of_short_frames_does_not_count(sflow):
    frame = ethernet(ipv4(tcp(1, 2))) + bytes(6)
    assert sflow.flow(wire.raw_header(frame))["Bytes"] == 40


def test_segmentation_offload_falls_back_to_the_frame(sflow):
    frame = ethernet(vlan(9, ipv4(TCP, length=0)))
    assert sflow.flow(wire.raw_header(frame, frame_bytes=9022, stripped=4))["Bytes"] == 9000


def test_length_beyond_the_frame_is_not_believed(sflow):
    assert sflow.flow(wire.raw_header(ethernet(ipv4(TCP, length=60000)), frame_bytes=118))["Bytes"] == 100


def test_other_packets_count_what_follows_the_link_header(sflow):
    arp = ethernet(Packet(bytes(46), etype=0x0806))
    flow = sflow.flow(wire.raw_header(arp, frame_bytes=64))
    assert (flow["Bytes"], flow["EType"]) == (46, 0x0806)


def test_header_of_unknown_protocol_keeps_the_length_of_the_frame(sflow):
    flow = sflow.flow(wire.raw_header(bytes(64), protocol=7, frame_bytes=300, stripped=0))
    assert flow["Bytes"] == 300
    assert "SrcAddr" not in flow


@pytest.mark.parametrize(("protocol", "packet"), [(wire.IPV4, ipv4(TCP)), (wire.IPV6, ipv6(TCP))])
def test_header_protocols_of_ip(sflow, protocol, packet):
    flow = sflow.flow(wire.raw_header(packet, protocol=protocol, frame_bytes=len(packet), stripped=0))
    assert (flow["Bytes"], flow["SrcPort"]) == (len(packet), 443)


def test_sampled_ip_tells_its_length(sflow):
    assert sflow.flow(wire.sampled_ip(length=1234))["Bytes"] == 1234
    assert sflow.flow(wire.sampled_ip(length=1280, src="2001:db8::1", dst="2001:db8::2"))["Bytes"] == 1280


def test_sampled_ethernet_tells_the_frame(sflow):
    assert sflow.flow(wire.sampled_ethernet(length=1018))["Bytes"] == 1000
    assert sflow.flow(wire.sampled_ethernet(length=3))["Bytes"] == 0
