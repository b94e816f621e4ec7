"""Ethernet, VLAN tags, PPPoE, header protocols."""

from __future__ import annotations

import struct

import pytest

from millrace.testing.packets import IPV4, Packet, ethernet, ipv4, ipv6, mpls, pppoe, tcp, vlan


def test_mac_addresses_are_48_bit_numbers(look):
    seen = look(ethernet(ipv4(), src="02:00:00:00:00:a1", dst="ff:ee:dd:cc:bb:aa"))
    assert seen["SrcMAC"] == 0x0200000000A1
    assert seen["DstMAC"] == 0xFFEEDDCCBBAA
    assert seen["link"] == 14


@pytest.mark.parametrize("tpid", [0x8100, 0x88A8, 0x9100])
def test_priority_bits_do_not_leak_into_the_vlan(look, tpid):
    seen = look(ethernet(vlan(100, ipv4(tcp(1, 2)), pcp=5, dei=1, tpid=tpid)))
    assert seen["SrcVlan"] == 100
    assert (seen["EType"], seen["SrcPort"], seen["link"]) == (IPV4, 1, 18)


def test_of_stacked_tags_the_outermost_is_the_vlan(look):
    seen = look(ethernet(vlan(200, vlan(100, ipv4(tcp(1, 2))), tpid=0x88A8)))
    assert seen["SrcVlan"] == 200
    assert (seen["DstPort"], seen["link"]) == (2, 22)


def test_priority_tag_names_no_vlan(look):
    assert "SrcVlan" not in look(ethernet(vlan(0, ipv4(), pcp=7)))


@pytest.mark.parametrize("tpid", [0x8100, 0x88A8])
def test_a_tag_within_a_priority_tag_does(look, tpid):
    seen = look(ethernet(vlan(0, vlan(200, vlan(300, ipv4(tcp(1, 2)))), pcp=7, tpid=tpid)))
    assert (seen["SrcVlan"], seen["SrcPort"]) == (200, 1)


def test_ipv6_in_vlan(look):
    assert look(ethernet(vlan(7, ipv6(tcp(1, 2)))))["SrcAddr"] == "2001:db8::1"


def test_arp_keeps_macs_vlan_and_ethertype(look):
    seen = look(ethernet(vlan(5, Packet(bytes(28), etype=0x0806))))
    assert (seen["EType"], seen["SrcVlan"], seen["l3"], seen["link"]) == (0x0806, 5, -1, 18)
    assert "SrcAddr" not in seen
    assert "Proto" not in seen


def test_802_3_length_is_no_ethertype(look):
    seen = look(ethernet(Packet(b"\x42\x42\x03" + bytes(35)), etype=38))
    assert "EType" not in seen
    assert "SrcMAC" in seen


def test_endless_stack_of_tags_ends(look):
    frame = bytes(12) + struct.pack("!HH", 0x8100, 1) * 500
    assert look(frame)["SrcVlan"] == 1


def test_pppoe_session_carries_ip(look):
    seen = look(ethernet(pppoe(ipv4(tcp(1, 2)))))
    assert (seen["SrcPort"], seen["link"]) == (1, 22)


@pytest.mark.parametrize(
    ("link", "packet", "source"),
    [
        (11, ipv4(tcp(1, 2)), "192.0.2.1"),
        (12, ipv6(tcp(1, 2)), "2001:db8::1"),
        (13, mpls([16], ipv4(tcp(1, 2))), "192.0.2.1"),
    ],
)
def test_header_protocols_without_ethernet(look, link, packet, source):
    seen = look(packet, link=link)
    assert (seen["SrcAddr"], seen["SrcPort"]) == (source, 1)
    assert "SrcMAC" not in seen


def test_unknown_header_protocol_tells_nothing(look):
    assert look(ethernet(ipv4()), link=7) == {"l3": -1, "link": 0}
