"""The user's columns of header bits."""

from __future__ import annotations

import pytest

from millrace.schema import Column, HeaderBits, Kind, Schema
from millrace.testing.packets import ethernet, gre, icmp, ipv4, ipv6, tcp, udp

FRAME4 = ethernet(ipv4(tcp(0x1234, 0x5678, flags=0x12), tos=0xB9, src="10.1.2.3"))
FRAME6 = ethernet(ipv6(udp(0x1234, 0x5678), flow_label=0xABCDE))


def schema(layer: str, offset: int, length: int, kind: Kind = Kind.U64) -> Schema:
    return Schema([Column("Bits", kind, "Bits", "Bits of a header.", "User", header=HeaderBits(layer, offset, length))])


@pytest.mark.parametrize(
    ("frame", "layer", "offset", "length", "value"),
    [
        (FRAME4, "ipv4", 8, 6, 0xB9 >> 2),
        (FRAME4, "ipv4", 14, 2, 1),
        (FRAME4, "ipv4", 96, 32, 0x0A010203),
        (FRAME4, "ipv4", 93, 35, 0x0A010203),
        (FRAME4, "tcp", 0, 64, 0x1234567800000001),
        (FRAME4, "tcp", 4, 64, 0x2345678000000010),
        (FRAME4, "tcp", 107, 5, 0x12),
        (FRAME4, "ethernet", 96, 16, 0x0800),
        (FRAME6, "ipv6", 12, 20, 0xABCDE),
        (FRAME6, "udp", 16, 16, 0x5678),
        (ethernet(ipv4(icmp(8, 3))), "icmp", 8, 8, 3),
    ],
)
def test_bit_ranges(look, frame, layer, offset, length, value):
    assert look(frame, schema=schema(layer, offset, length))["Bits"] == value


def test_outermost_header_of_its_kind_counts(look):
    frame = ethernet(ipv4(gre(ipv4(tos=1)), tos=2))
    assert look(frame, schema=schema("ipv4", 8, 8))["Bits"] == 2


def test_bits_beyond_the_capture_or_without_the_header_are_unknown(look):
    assert "Bits" not in look(FRAME4, schema=schema("udp", 0, 16))
    assert "Bits" not in look(FRAME4[:-1], schema=schema("tcp", 144, 16))
    assert "Bits" in look(FRAME4, schema=schema("tcp", 144, 16))


def test_range_too_long_for_the_type_is_cut_at_the_top(look):
    assert look(FRAME4, schema=schema("ipv4", 96, 32, Kind.U8))["Bits"] == 3
