"""The raw decoder shows the headers of sampled packets, layer by layer."""

import pytest

from millrace.decode.raw.packet import read_packet
from millrace.testing import packets as p


def layers(frame: bytes, first: str = "ethernet") -> list[str]:
    return [layer["layer"] for layer in read_packet(bytes(frame), first, 32)]


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (p.ethernet(p.vlan(1, p.vlan(2, p.ipv4(p.udp(1, 2))), tpid=0x88A8)), ["vlan", "vlan", "ipv4", "udp"]),
        (p.ethernet(p.mpls([16, 17], p.ipv6(p.tcp(1, 2)))), ["mpls", "mpls", "ipv6", "tcp"]),
        (p.ethernet(p.ipv6(p.hop_by_hop(p.destination_options(p.icmpv6(128, 0))))),
         ["ipv6", "hop-by-hop", "destination", "icmpv6"]),
        (p.ethernet(p.ipv4(p.ipv4(p.sctp(1, 2)))), ["ipv4", "ipv4", "sctp"]),
        (p.ethernet(p.ipv4(p.gre(p.ipv6(p.udp(1, 2)), key=9))), ["ipv4", "gre", "ipv6", "udp"]),
        (p.ethernet(p.ipv4(p.vxlan(7, p.ethernet(p.ipv4(p.icmp(8, 0)))))),
         ["ipv4", "udp", "vxlan", "ethernet", "ipv4", "icmp"]),
        (p.ethernet(p.ipv4(p.geneve(7, p.ethernet(p.ipv4(p.tcp(1, 2))), options=bytes(8)))),
         ["ipv4", "udp", "geneve", "ethernet", "ipv4", "tcp"]),
        (p.ethernet(p.ipv4(p.gtpu(7, p.ipv4(p.tcp(1, 2)), extensions=((0x85, b"\x01\x02"),)))),
         ["ipv4", "udp", "gtp-u", "ipv4", "tcp"]),
        (p.ethernet(p.pppoe(p.ipv4(p.tcp(1, 2)))), ["pppoe", "ipv4", "tcp"]),
        (p.ethernet(p.ipv6(p.segment_routing(["2001:db8::1"], p.ipv4(p.udp(1, 2))))),
         ["ipv6", "routing", "ipv4", "udp"]),
    ],
)  # fmt: skip
def test_layers_of_encapsulations(frame, names):
    assert layers(frame) == ["ethernet", *names]


def test_options_of_ipv4_are_skipped():
    shown = read_packet(bytes(p.ipv4(p.tcp(1, 443), options=bytes(8))), "ipv4", 32)
    assert shown[1]["dst_port"] == 443


def test_later_fragments_have_no_ports():
    assert layers(p.ipv4(p.udp(1, 2), offset=185), "ipv4") == ["ipv4"]
    assert layers(p.ipv6(p.fragment(p.udp(1, 2), offset=1)), "ipv6") == ["ipv6", "fragment"]


def test_header_that_is_cut_short_shows_what_is_there():
    frame = bytes(p.ipv4(p.tcp(40000, 443)))
    assert read_packet(frame[:24], "ipv4", 32)[1] == {
        "layer": "tcp", "src_port": 40000, "dst_port": 443, "truncated": True,
    }  # fmt: skip


def test_nesting_without_end_stops_at_the_limit():
    packet = p.udp(1, 2)
    for _ in range(100):
        packet = p.ipv4(packet)
    assert len(read_packet(bytes(packet), "ipv4", 32)) == 32
