"""IPv4 and IPv6 headers, options, fragments, extension headers."""

from __future__ import annotations

import pytest

from millrace.testing.packets import (
    IPV4,
    IPV6,
    Packet,
    authentication,
    destination_options,
    ethernet,
    fragment,
    hop_by_hop,
    icmpv6,
    ipv4,
    ipv6,
    segment_routing,
    tcp,
    udp,
)


def test_ipv4_header_fields(look):
    seen = look(ethernet(ipv4(tcp(443, 50000), src="10.1.2.3", dst="10.4.5.6", tos=0xB8, ttl=63, ident=4711)))
    assert (seen["SrcAddr"], seen["DstAddr"]) == ("10.1.2.3", "10.4.5.6")
    assert (seen["EType"], seen["Proto"], seen["IPTos"], seen["IPTTL"]) == (IPV4, 6, 0xB8, 63)
    assert (seen["IPFragmentID"], seen["IPFragmentOffset"], seen["l3"]) == (4711, 0, 40)


def test_ipv6_header_fields(look):
    seen = look(ethernet(ipv6(udp(1, 2), src="2001:db8::a", dst="2001:db8::b", tos=0x2E, ttl=9, flow_label=0xABCDE)))
    assert (seen["SrcAddr"], seen["DstAddr"]) == ("2001:db8::a", "2001:db8::b")
    assert (seen["EType"], seen["Proto"], seen["IPTos"], seen["IPTTL"]) == (IPV6, 17, 0x2E, 9)
    assert (seen["IPv6FlowLabel"], seen["l3"]) == (0xABCDE, 48)


@pytest.mark.parametrize("options", [4, 20, 40])
def test_ports_stand_after_the_options(look, options):
    seen = look(ethernet(ipv4(tcp(443, 50000), options=bytes(options))))
    assert (seen["SrcPort"], seen["DstPort"]) == (443, 50000)


def test_header_length_below_five_words_ends_there(look):
    packet = bytearray(ipv4(tcp(443, 50000)))
    packet[0] = 0x44
    seen = look(ethernet(bytes(packet), etype=IPV4))
    assert "SrcAddr" not in seen
    assert "SrcPort" not in seen
    assert seen["EType"] == IPV4


def test_wrong_version_nibble_ends_there(look):
    assert "SrcAddr" not in look(ethernet(ipv6(tcp(1, 2)), etype=IPV4))
    assert "SrcAddr" not in look(ethernet(ipv4(tcp(1, 2)), etype=IPV6))


def test_first_fragment_has_ports(look):
    seen = look(ethernet(ipv4(udp(1, 2), more=True, ident=9)))
    assert (seen["SrcPort"], seen["IPFragmentID"], seen["IPFragmentOffset"]) == (1, 9, 0)


def test_later_fragment_has_no_ports(look):
    seen = look(ethernet(ipv4(Packet(b"\xde\xad\xbe\xef" * 10, proto=6), offset=185, ident=9)))
    assert (seen["IPFragmentOffset"], seen["IPFragmentID"], seen["Proto"]) == (185, 9, 6)
    assert not {"SrcPort", "DstPort", "TCPFlags"} & seen.keys()


def test_padding_of_short_frames_is_not_taken_for_ports(look):
    assert "SrcPort" not in look(ethernet(ipv4(Packet(b"", proto=17)) + b"\x12\x34\x56\x78" * 6))


def test_total_length_zero_is_not_told(look):
    seen = look(ethernet(ipv4(tcp(443, 50000, bytes(200)), length=0)))
    assert (seen["l3"], seen["SrcPort"]) == (-1, 443)


def test_ipv6_payload_length_zero_is_not_told(look):
    seen = look(ethernet(ipv6(tcp(443, 50000), length=0)))
    assert (seen["l3"], seen["SrcPort"]) == (-1, 443)


def test_ipv6_that_ends_after_its_header_is_forty_bytes(look):
    assert look(ethernet(ipv6(Packet(b"", proto=59))))["l3"] == 40


@pytest.mark.parametrize(
    "wrap",
    [
        hop_by_hop,
        lambda inner: hop_by_hop(inner, units=3),
        destination_options,
        authentication,
        fragment,
        lambda inner: segment_routing(["2001:db8::1"], inner),
        lambda inner: hop_by_hop(destination_options(segment_routing([], fragment(authentication(inner))))),
    ],
)
def test_ipv6_extension_headers_are_followed(look, wrap):
    seen = look(ethernet(ipv6(wrap(tcp(443, 50000)))))
    assert (seen["Proto"], seen["SrcPort"]) == (6, 443)
    assert "TunnelType" not in seen


def test_icmpv6_behind_hop_by_hop(look):
    seen = look(ethernet(ipv6(hop_by_hop(icmpv6(143, 0)))))
    assert (seen["Proto"], seen["ICMPType"], seen["ICMPCode"]) == (58, 143, 0)


def test_later_ipv6_fragment_has_no_ports(look):
    seen = look(ethernet(ipv6(fragment(tcp(443, 50000), offset=100, ident=0xDEADBEEF))))
    assert (seen["Proto"], seen["IPFragmentOffset"], seen["IPFragmentID"]) == (6, 100, 0xDEADBEEF)
    assert "SrcPort" not in seen


def test_endless_extension_headers_end(look):
    packet: Packet = tcp(1, 2)
    for _ in range(30):
        packet = destination_options(packet)
    seen = look(ethernet(ipv6(packet)))
    assert "SrcPort" not in seen
    assert seen["SrcAddr"] == "2001:db8::1"


def test_encrypted_payload_ends_the_dissection(look):
    seen = look(ethernet(ipv4(Packet(b"\x01\x02\x03\x04" * 8, proto=50))))
    assert seen["Proto"] == 50
    assert "SrcPort" not in seen


def test_authentication_header_in_ipv4(look):
    seen = look(ethernet(ipv4(authentication(udp(500, 4500)))))
    assert (seen["Proto"], seen["SrcPort"]) == (17, 500)
