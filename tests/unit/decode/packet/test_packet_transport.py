"""Ports, flags and ICMP types, also where the capture cuts them off."""

from __future__ import annotations

import struct

import pytest

from millrace.testing.packets import Packet, ethernet, icmp, icmpv6, ipv4, ipv6, sctp, tcp, udp


def test_tcp_ports_and_flags(look):
    seen = look(ethernet(ipv4(tcp(443, 50000, flags=0x112))))
    assert (seen["SrcPort"], seen["DstPort"], seen["TCPFlags"]) == (443, 50000, 0x112)


@pytest.mark.parametrize("segment", [udp(1, 2), sctp(1, 2), Packet(udp(1, 2), proto=136), Packet(udp(1, 2), proto=33)])
def test_ports_of_other_transports(look, segment):
    seen = look(ethernet(ipv6(segment)))
    assert (seen["SrcPort"], seen["DstPort"]) == (1, 2)
    assert "TCPFlags" not in seen


def test_icmp_type_and_code(look):
    seen = look(ethernet(ipv4(icmp(3, 4))))
    assert (seen["ICMPType"], seen["ICMPCode"]) == (3, 4)
    assert "SrcPort" not in seen
    seen = look(ethernet(ipv6(icmpv6(128, 0))))
    assert (seen["Proto"], seen["ICMPType"], seen["ICMPCode"]) == (58, 128, 0)


@pytest.mark.parametrize("shown", range(20))
def test_cut_tcp_header_shows_only_what_was_captured(look, shown):
    seen = look(ethernet(ipv4(tcp(443, 50000, flags=2)))[: 34 + shown])
    assert ("SrcPort" in seen) == (shown >= 4)
    assert ("TCPFlags" in seen) == (shown >= 14)
    assert seen.get("SrcPort", 443) == 443
    assert seen.get("TCPFlags", 2) == 2


def test_unknown_protocol_has_no_ports(look):
    seen = look(ethernet(ipv4(Packet(struct.pack("!HH", 1, 2) * 4, proto=89))))
    assert seen["Proto"] == 89
    assert "SrcPort" not in seen
