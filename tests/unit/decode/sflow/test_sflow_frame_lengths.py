"""Devices whose frame length is only what they captured, and packets whose IP header lies."""

from __future__ import annotations

import pytest

from millrace.testing import sflow as wire
from millrace.testing.packets import ethernet, ipv4, ipv6, mpls, tcp, udp, vlan

LONG = ethernet(ipv4(tcp(443, 50000, bytes(1460))))
LYING = ethernet(ipv4(udp(53, 5353, bytes(18)), length=60_000))


def sent(*headers, **options):
    return wire.datagram([wire.flow_sample([header]) for header in headers], **options)


def of_captured_length(frame, captured=128, stripped=4):
    return wire.raw_header(frame, captured=captured, frame_bytes=captured + stripped, stripped=stripped)


@pytest.mark.parametrize("stripped", [4, 0])
@pytest.mark.parametrize("captured", [128, 256, 512])
@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (LONG, 1500),
        (ethernet(vlan(7, ipv4(tcp(443, 50000, bytes(1460))))), 1500),
        (ethernet(mpls([16, 17], ipv4(tcp(443, 50000, bytes(1460))))), 1500),
        (ethernet(ipv6(tcp(443, 50000, bytes(1440)))), 1500),
    ],
)
def test_a_header_captured_to_the_most_was_cut_whatever_the_frame_length_says(
    sflow, frame, expected, captured, stripped
):
    outcome = sflow.decode(sent(of_captured_length(frame, captured, stripped)))
    assert outcome.flows[0]["Bytes"] == expected
    assert outcome.events["short_frame_lengths"] == 1
    assert not outcome.drops


@pytest.mark.parametrize("length", [124, 128, 130, 132])
def test_the_frame_length_without_what_was_stripped(sflow, length):
    outcome = sflow.decode(sent(wire.raw_header(LONG, frame_bytes=length, stripped=4)))
    assert outcome.flows[0]["Bytes"] == 1500


@pytest.mark.parametrize("length", [1, 64, 113])
@pytest.mark.parametrize(
    ("frame", "expected"),
    [(ethernet(ipv4(udp(1, 2, bytes(72)))), 100), (ethernet(vlan(7, ipv6(udp(1, 2, bytes(48))))), 96)],
)
def test_a_frame_length_of_less_than_a_packet_that_was_captured_whole(sflow, frame, expected, length):
    outcome = sflow.decode(sent(wire.raw_header(frame, frame_bytes=length)))
    assert outcome.flows[0]["Bytes"] == expected
    assert outcome.events["short_frame_lengths"] == 1


def test_a_lying_ip_header_in_a_frame_that_was_captured_whole(sflow):
    outcome = sflow.decode(sent(wire.raw_header(LYING, captured=60, frame_bytes=64)))
    assert outcome.flows[0]["Bytes"] == 46
    assert "short_frame_lengths" not in outcome.events


def test_the_most_that_an_agent_captures_is_what_it_captured_before(sflow):
    """A frame of 132 bytes that lies is whole if the agent captures up to 256."""
    lying = wire.raw_header(ethernet(ipv4(udp(53, 5353, bytes(86)), length=60_000)), captured=128, frame_bytes=132)
    honest = wire.raw_header(LONG, captured=256)
    before = sflow.decode(sent(lying), sent(lying, honest, sequence=2))
    assert [flow["Bytes"] for flow in before.flows] == [60_000, 114, 1500]
    after = sflow.decode(sent(lying, sequence=3), sent(of_captured_length(LONG, 256), sequence=4))
    assert [flow["Bytes"] for flow in after.flows] == [114, 1500]


def test_each_agent_has_its_own(sflow):
    wide, narrow = wire.raw_header(LONG, captured=256), of_captured_length(LONG)
    outcome = sflow.decode(
        sent(wide, agent="192.0.2.1"), sent(narrow, agent="192.0.2.2"), sent(narrow, agent="192.0.2.1")
    )
    assert [flow["Bytes"] for flow in outcome.flows] == [1500, 1500, 114]
    assert outcome.events["short_frame_lengths"] == 1


def test_honest_agents_are_not_accused(sflow):
    outcome = sflow.decode(sent(wire.raw_header(LONG), wire.raw_header(ethernet(ipv4(tcp(1, 2))) + bytes(6))))
    assert [flow["Bytes"] for flow in outcome.flows] == [1500, 40]
    assert "short_frame_lengths" not in outcome.events
