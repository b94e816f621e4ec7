"""Tunnels: the innermost packet fills the columns, the outermost header the outer ones."""

from __future__ import annotations

import struct

import pytest

from millrace.testing.packets import (
    IPV4,
    TEB,
    Packet,
    ethernet,
    fragment,
    geneve,
    gre,
    gtpu,
    icmp,
    ipv4,
    ipv6,
    mpls,
    segment_routing,
    tcp,
    udp,
    vlan,
    vxlan,
)

INNER = ipv4(tcp(443, 50000), src="10.0.0.1", dst="10.0.0.2", ttl=7)
INNER6 = ipv6(udp(53, 5353), src="2001:db8:1::1", dst="2001:db8:1::2")


def outer(payload: bytes, *, six: bool = False) -> Packet:
    return ipv6(payload) if six else ipv4(payload, src="192.0.2.1", dst="192.0.2.2")


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize(
    ("tunnel", "vni", "payload"),
    [
        ("ipip", None, INNER),
        ("gre", None, gre(INNER)),
        ("gre", 77, gre(INNER, key=77, checksum=True, sequence=5)),
        ("gre", 78, gre(INNER, key=78)),
        ("gre", None, gre(INNER, checksum=True)),
        ("gre", None, gre(ethernet(vlan(9, INNER)))),
        ("gre", None, gre(mpls([5], INNER))),
        ("vxlan", 5001, vxlan(5001, ethernet(INNER))),
        ("vxlan", 5001, vxlan(5001, ethernet(vlan(9, INNER)), port=8472)),
        ("geneve", 6001, geneve(6001, ethernet(INNER))),
        ("geneve", 6001, geneve(6001, INNER, options=bytes(12))),
        ("gtp-u", 0xCAFE0001, gtpu(0xCAFE0001, INNER)),
        ("gtp-u", 7, gtpu(7, INNER, extensions=[(0x85, b"\x01\x02"), (0xC0, bytes(6))])),
    ],
)
def test_inner_packet_fills_the_columns(look, tunnel, vni, payload, six):
    seen = look(ethernet(vlan(100, outer(payload, six=six)), src="02:00:00:00:00:07"))
    assert (seen["SrcAddr"], seen["DstAddr"]) == ("10.0.0.1", "10.0.0.2")
    assert (seen["EType"], seen["Proto"], seen["IPTTL"]) == (IPV4, 6, 7)
    assert (seen["SrcPort"], seen["DstPort"]) == (443, 50000)
    assert seen["OuterSrcAddr"] == ("2001:db8::1" if six else "192.0.2.1")
    assert seen["OuterDstAddr"] == ("2001:db8::2" if six else "192.0.2.2")
    assert (seen["TunnelType"], seen.get("VNI")) == (tunnel, vni)
    assert (seen["SrcVlan"], seen["SrcMAC"]) == (100, 0x020000000007)
    assert seen["l3"] == len(outer(payload, six=six))
    assert seen["link"] == 18


@pytest.mark.parametrize("wrap", [gre, lambda inner: inner, lambda inner: gtpu(1, inner)])
def test_ipv6_inside(look, wrap):
    seen = look(ethernet(outer(wrap(INNER6))))
    assert (seen["SrcAddr"], seen["SrcPort"], seen["OuterSrcAddr"]) == ("2001:db8:1::1", 53, "192.0.2.1")
    assert "IPFragmentID" not in seen


def test_outer_ports_do_not_show_beside_an_inner_packet_without_ports(look):
    seen = look(ethernet(outer(vxlan(1, ethernet(ipv4(icmp(8, 0)))))))
    assert (seen["ICMPType"], seen["Proto"]) == (8, 1)
    assert "SrcPort" not in seen


def test_two_tunnels_tell_the_outermost(look):
    middle = ipv4(gre(INNER, key=9), src="172.16.0.1", dst="172.16.0.2")
    seen = look(ethernet(outer(vxlan(5001, ethernet(middle)))))
    assert (seen["SrcAddr"], seen["OuterSrcAddr"]) == ("10.0.0.1", "192.0.2.1")
    assert (seen["TunnelType"], seen["VNI"]) == ("vxlan", 5001)


def test_identifier_belongs_to_the_outermost_tunnel(look):
    seen = look(ethernet(outer(ipv4(vxlan(5001, ethernet(INNER))))))
    assert (seen["SrcAddr"], seen["TunnelType"]) == ("10.0.0.1", "ipip")
    assert "VNI" not in seen


def test_segment_routing_with_a_packet_inside(look):
    seen = look(ethernet(ipv6(segment_routing(["2001:db8::9"], INNER))))
    assert (seen["TunnelType"], seen["SrcAddr"], seen["SrcPort"]) == ("srv6", "10.0.0.1", 443)
    assert seen["OuterSrcAddr"] == "2001:db8::1"


def test_segment_routing_with_ethernet_inside(look):
    assert look(ethernet(ipv6(segment_routing(["2001:db8::9"], ethernet(INNER)))))["TunnelType"] == "srv6"
    assert look(ethernet(ipv6(ethernet(INNER))))["TunnelType"] == "srv6"


def test_inner_header_cut_off_leaves_the_outer_packet(look):
    frame = ethernet(outer(vxlan(5001, ethernet(INNER))))
    seen = look(frame[: 14 + 20 + 8 + 8 + 14 + 19])
    assert (seen["SrcAddr"], seen["SrcPort"], seen["DstPort"]) == ("192.0.2.1", 50000, 4789)
    assert (seen["TunnelType"], seen["VNI"]) == ("vxlan", 5001)
    assert "OuterSrcAddr" not in seen


def test_arp_inside_leaves_the_outer_packet(look):
    seen = look(ethernet(outer(vxlan(1, ethernet(Packet(bytes(28), etype=0x0806))))))
    assert (seen["EType"], seen["DstPort"]) == (IPV4, 4789)


@pytest.mark.parametrize(
    "payload",
    [
        gre(INNER, version=1),
        Packet(struct.pack("!HHI", 0x4000, IPV4, 0) + INNER, proto=47),
        vxlan(5001, ethernet(INNER), flags=0),
        geneve(1, ethernet(INNER), version=1),
        gtpu(1, INNER, kind=1),
        Packet(fragment(INNER), proto=44),
    ],
)
def test_what_only_looks_like_a_tunnel_is_none(look, payload):
    seen = look(ethernet(outer(payload)))
    assert seen["SrcAddr"] == "192.0.2.1"
    assert not {"TunnelType", "OuterSrcAddr", "VNI"} & seen.keys()


def test_gre_around_an_unknown_protocol_keeps_the_key(look):
    seen = look(ethernet(outer(gre(Packet(bytes(40)), key=3, etype=0x1234))))
    assert (seen["TunnelType"], seen["VNI"], seen["SrcAddr"]) == ("gre", 3, "192.0.2.1")


def test_tunnels_whose_content_is_cut_off_are_told(look):
    seen = look(ethernet(outer(INNER))[: 14 + 20])
    assert (seen["TunnelType"], seen["SrcAddr"], seen["Proto"]) == ("ipip", "192.0.2.1", 4)


def test_gre_with_ethernet_is_announced_as_such(look):
    assert look(ethernet(outer(gre(ethernet(INNER), etype=TEB))))["SrcAddr"] == "10.0.0.1"


def test_nesting_without_end_ends(look):
    packet = INNER
    for _ in range(60):
        packet = ipv4(packet)
    seen = look(ethernet(packet))
    assert seen["TunnelType"] == "ipip"
    assert "OuterSrcAddr" in seen
