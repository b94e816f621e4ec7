"""Records that carry the first bytes of a packet."""

from __future__ import annotations

import pytest

from millrace.testing.netflow import IPFIX, V9, VARIABLE, Template, ipfix, message, template_set
from millrace.testing.packets import ethernet, ipv4, ipv6, udp

PACKET = ipv4(udp(5353, 53, b"x" * 20), src="192.0.2.1", dst="198.51.100.2")
FRAME = ethernet(PACKET)
SIX = ethernet(ipv6(udp(1, 2, b"y" * 10), src="2001:db8::1", dst="2001:db8::2"))


def one(collector, fields, *records):
    template = Template(256, fields)
    return collector.send(ipfix(template_set(IPFIX, template), template.data(*records)))


def test_a_frame_section_is_dissected_and_is_one_packet_of_its_ip_length(collector):
    four, six = one(collector, [(10, 4), (315, VARIABLE)], (7, FRAME[:60]), (8, SIX))
    assert (four["SrcAddr"], four["DstAddr"], four["SrcPort"], four["DstPort"]) == (
        "192.0.2.1",
        "198.51.100.2",
        5353,
        53,
    )
    assert (four["InIf"], four["Proto"], four["EType"]) == (7, 17, 0x0800)
    assert (four["Packets"], four["Bytes"]) == (1, len(PACKET))
    assert (six["SrcAddr"], six["EType"], six["Bytes"]) == ("2001:db8::1", 0x86DD, len(SIX) - 14)


@pytest.mark.parametrize("element", [315, 104])
def test_frame_sections_of_fixed_length(collector, element):
    (flow,) = one(collector, [(element, 64), (14, 4)], (FRAME.ljust(64, b"\0"), 3))
    assert (flow["SrcPort"], flow["OutIf"], flow["Packets"]) == (5353, 3, 1)


def test_an_ip_header_section(collector):
    four, six = one(collector, [(313, VARIABLE)], (PACKET,), (SIX[14:],))
    assert (four["DstPort"], four["Bytes"]) == (53, len(PACKET))
    assert six["DstAddr"] == "2001:db8::2"


def test_what_the_record_tells_itself_wins(collector):
    (flow,) = one(collector, [(2, 4), (1, 4), (7, 2), (315, VARIABLE)], (9, 900, 4242, FRAME))
    assert (flow["Packets"], flow["Bytes"], flow["SrcPort"], flow["DstPort"]) == (9, 900, 4242, 53)


def test_the_size_of_frames_that_are_not_ip_is_that_of_the_frame_without_its_link_header(collector):
    arp = ethernet(b"\0\1\x08\0\6\4\0\1" + bytes(20), etype=0x0806)
    (flow,) = one(collector, [(312, 2), (315, VARIABLE)], (60, arp))
    assert (flow["Packets"], flow["Bytes"]) == (1, 46)


def test_an_empty_frame_section_is_no_packet(collector):
    (flow,) = one(collector, [(7, 2), (315, VARIABLE)], (1, b""))
    assert not {"Packets", "Bytes", "SrcAddr"} & flow.keys()


@pytest.mark.parametrize("version", [V9, IPFIX])
def test_frames_beside_records_of_other_layouts_and_lists(collector, version):
    frames, plain = Template(256, [(315, 64)]), Template(257, [(7, 2), (70, 3)])
    payload = message(
        version, template_set(version, frames, plain), plain.data((1, 5 << 4)), frames.data((FRAME.ljust(64, b"\0"),))
    )
    by_port = {flow["SrcPort"]: flow for flow in collector.send(payload)}
    assert by_port[1]["MPLSLabels"] == [5]
    assert by_port[5353]["SrcAddr"] == "192.0.2.1"
    assert "Packets" not in by_port[1]
