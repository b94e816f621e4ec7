"""MPLS label stacks and what is guessed under them."""

from __future__ import annotations

import struct

import pytest

from millrace.testing.packets import ethernet, ipv4, ipv6, mpls, tcp, vlan


@pytest.mark.parametrize(("inner", "source"), [(ipv4(tcp(1, 2)), "192.0.2.1"), (ipv6(tcp(1, 2)), "2001:db8::1")])
def test_labels_are_told_top_first_without_class_and_ttl(look, inner, source):
    seen = look(ethernet(mpls([16001, 24, 299776], inner, tc=5, ttl=255)))
    assert seen["MPLSLabels"] == [16001, 24, 299776]
    assert (seen["SrcAddr"], seen["SrcPort"]) == (source, 1)
    assert seen["link"] == 26


@pytest.mark.parametrize(("label", "inner"), [(0, ipv4(tcp(1, 2))), (2, ipv6(tcp(1, 2)))])
def test_explicit_null_is_a_label_over_ip(look, label, inner):
    seen = look(ethernet(mpls([label], inner)))
    assert (seen["MPLSLabels"], seen["DstPort"]) == ([label], 2)


def test_unknown_first_nibble_ends_there(look):
    seen = look(ethernet(mpls([100], b"\x10" + bytes(60))))
    assert (seen["MPLSLabels"], seen["EType"]) == ([100], 0x8847)
    assert "SrcAddr" not in seen


@pytest.mark.parametrize("word", [b"", bytes(4), b"\x00\x00\x12\x34"])
def test_ethernet_over_mpls_with_and_without_control_word(look, word):
    inner = ethernet(ipv4(tcp(1, 2)), src="00:00:00:00:00:11", dst="00:11:22:33:44:55")
    seen = look(ethernet(mpls([100], inner, control_word=word), src="02:00:00:00:00:99"))
    assert (seen["SrcAddr"], seen["DstPort"]) == ("192.0.2.1", 2)
    assert seen["SrcMAC"] == 0x020000000099
    assert seen["link"] == 14 + 4 + len(word) + 14


def test_ethernet_over_mpls_with_vlan_tag_keeps_the_outer_vlan(look):
    inner = ethernet(vlan(77, ipv4(tcp(1, 2))), dst="00:11:22:33:44:55")
    seen = look(ethernet(vlan(5, mpls([100], inner, control_word=bytes(4)))))
    assert (seen["SrcVlan"], seen["SrcPort"]) == (5, 1)


def test_control_word_that_is_none_ends_there(look):
    seen = look(ethernet(mpls([100], b"\x01\x23\x45\x67" + bytes(60))))
    assert "SrcAddr" not in seen


def test_stack_without_bottom_ends(look):
    frame = ethernet(b"".join(struct.pack("!I", 5 << 12) for _ in range(300)), etype=0x8847)
    assert len(look(frame)["MPLSLabels"]) == 16


def test_labels_of_frames_that_lie_side_by_side_stay_apart(look_all):
    seen = look_all([ethernet(mpls([1, 2], ipv4())), ethernet(ipv4()), ethernet(mpls([3], ipv4()))])
    assert [frame.get("MPLSLabels") for frame in seen] == [[1, 2], None, [3]]
