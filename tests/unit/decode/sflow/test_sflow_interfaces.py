"""Interface words: format bits, internal interfaces, reasons of discards."""

from __future__ import annotations

import pytest

from millrace.testing import sflow as wire


def decode(sflow, sample):
    return sflow.decode(wire.datagram([sample])).flows[0]


def test_format_bits_do_not_leak_into_the_index(sflow):
    flow = decode(sflow, wire.flow_sample([], input_if=wire.LOCAL, output_if=0x80000003))
    assert (flow["InIf"], flow["OutIf"]) == (0, 0)
    assert "ForwardingStatus" not in flow


def test_expanded_internal_interface(sflow):
    flow = decode(sflow, wire.expanded_flow_sample([], input_if=(0, wire.LOCAL), output_if=(2, 5)))
    assert (flow["InIf"], flow["OutIf"]) == (0, 0)


@pytest.mark.parametrize(
    ("reason", "status"),
    [(0, 131), (1, 132), (4, 133), (13, 129), (256, 128), (257, 137), (258, 130), (259, 128), (260, 139), (261, 138),
     (262, 133), (302, 140), (5000, 128)],
)  # fmt: skip
def test_discards_carry_a_forwarding_status(sflow, reason, status):
    plain = decode(sflow, wire.flow_sample([], output_if=1 << 30 | reason))
    expanded = decode(sflow, wire.expanded_flow_sample([], output_if=(1, reason)))
    notified = decode(sflow, wire.discard_sample([], reason=reason))
    for flow in (plain, expanded, notified):
        assert (flow["OutIf"], flow["ForwardingStatus"]) == (0, status)


def test_only_discards_have_a_forwarding_status(sflow):
    flows = sflow.decode(wire.datagram([wire.flow_sample([]), wire.flow_sample([], output_if=1 << 30 | 258)])).flows
    assert [flow.get("ForwardingStatus") for flow in flows] == [None, 130]
