"""Samples of all kinds, and what of the datagram every flow carries."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from millrace.batch import DatagramBatch
from millrace.decode.result import Counts
from millrace.testing import sflow as wire
from millrace.testing.packets import Packet, ethernet, gre, ipv4, mpls, sctp, tcp, vlan

FRAME = ethernet(ipv4(tcp(443, 50000)))


def test_flow_sample_is_one_packet_at_its_rate(sflow):
    payload = wire.datagram([wire.flow_sample([wire.raw_header(FRAME)], rate=4096)], agent="192.0.2.10", sub_agent=7)
    flow = sflow.decode(payload, time_ns=1_700_000_000_123_456_789).flows[0]
    assert (flow["Packets"], flow["SamplingRate"], flow["SamplingRateSource"]) == (1, 4096, "sample")
    assert (flow["FlowProtocol"], flow["ObservationDomain"]) == ("sflow-v5", 7)
    when = datetime.fromtimestamp(1_700_000_000.123, UTC)
    assert {flow[name] for name in ("TimeReceived", "TimeFlowStart", "TimeFlowEnd")} == {when}


def test_agent_is_the_exporter_and_not_the_sender(sflow):
    assert sflow.decode(wire.datagram([wire.flow_sample([])]), source="203.0.113.5").flows[0][
        "ExporterAddress"
    ] == "192.0.2.10"  # fmt: skip


def test_agent_with_ipv6_address(sflow):
    flow = sflow.decode(wire.datagram([wire.flow_sample([])], agent="2001:db8::10")).flows[0]
    assert flow["ExporterAddress"] == "2001:db8::10"


def test_agent_without_an_address_is_its_sender(sflow):
    for agent in ("", "0.0.0.0", "::"):
        outcome = sflow.decode(wire.datagram([wire.flow_sample([])], agent=agent), source="203.0.113.5")
        assert outcome.flows[0]["ExporterAddress"] == "203.0.113.5"


def test_expanded_flow_sample(sflow):
    sample = wire.expanded_flow_sample([wire.raw_header(FRAME)], rate=10, input_if=(0, 1285816721), output_if=(0, 9))
    flow = sflow.decode(wire.datagram([sample])).flows[0]
    assert (flow["InIf"], flow["OutIf"], flow["SamplingRate"]) == (1285816721, 9, 10)
    assert flow["SrcPort"] == 443


def test_rate_zero_is_unknown_and_costs_no_flow(sflow):
    flow = sflow.decode(wire.datagram([wire.flow_sample([wire.raw_header(FRAME)], rate=0)])).flows[0]
    assert "SamplingRate" not in flow
    assert flow["SamplingRateSource"] == "unknown"


def test_discarded_packet_is_a_flow_with_its_reason(sflow):
    outcome = sflow.decode(wire.datagram([wire.discard_sample([wire.raw_header(FRAME)], reason=258, input_if=12)]))
    flow = outcome.flows[0]
    assert (flow["ForwardingStatus"], flow["InIf"], flow["OutIf"], flow["Packets"]) == (130, 12, 0, 1)
    assert flow["SamplingRateSource"] == "unknown"
    assert flow["SrcPort"] == 443
    assert outcome.events["discard_samples"] == 1


def test_all_kinds_in_one_datagram_keep_the_order_of_the_wire(sflow):
    header = [wire.raw_header(FRAME)]
    payload = wire.datagram([
        wire.flow_sample(header, input_if=1), wire.counter_sample([wire.interface_counters(1)]),
        wire.expanded_flow_sample(header, input_if=(0, 2)), wire.discard_sample(header, reason=256, input_if=3),
        wire.expanded_counter_sample([wire.interface_counters(2)]), wire.flow_sample(header, input_if=4),
    ])  # fmt: skip
    outcome = sflow.decode(payload, payload)
    assert [flow["InIf"] for flow in outcome.flows] == [1, 2, 3, 4] * 2
    assert [counters["IfIndex"] for counters in outcome.counters] == [1, 2] * 2
    assert outcome.events == {
        "datagrams": 2, "bytes": 2 * len(payload), "flow_samples": 6, "discard_samples": 2, "counter_samples": 4,
        "flows": 8, "reordered": 1,
    }  # fmt: skip


def test_flows_name_their_row_of_the_batch(sflow):
    batch = DatagramBatch.from_payloads([b"other", wire.datagram([wire.flow_sample([])]), b"other"])
    flows, _ = sflow.decoder.decode(batch, np.array([1]), Counts())
    assert flows.datagram.tolist() == [1]


def test_samples_of_vendors_and_unknown_formats_cost_only_themselves(sflow):
    samples = [
        wire.item(1, bytes(40), enterprise=8800), wire.flow_sample([wire.raw_header(FRAME)]), wire.item(77, bytes(8)),
        wire.flow_sample([wire.raw_header(FRAME)]),
    ]  # fmt: skip
    outcome = sflow.decode(wire.datagram(samples))
    assert len(outcome.flows) == 2
    assert outcome.drops == {("sample", "enterprise-sample"): 1, ("sample", "unknown-sample"): 1}


def test_records_of_vendors_cost_only_themselves(sflow):
    records = [wire.item(1, bytes(20), enterprise=4413), wire.raw_header(FRAME), wire.item(999, bytes(5))]
    outcome = sflow.decode(wire.datagram([wire.flow_sample(records)]))
    assert outcome.flows[0]["SrcPort"] == 443
    assert outcome.drops == {("record", "unknown-record"): 2}


def test_flow_sample_without_records_is_stored(sflow):
    flow = sflow.decode(wire.datagram([wire.flow_sample([])])).flows[0]
    assert (flow["InIf"], flow["OutIf"], flow["SamplingRate"]) == (3, 4, 1000)
    assert "Bytes" not in flow


def test_of_two_sampled_headers_the_first_counts(sflow):
    other = ethernet(ipv4(tcp(1, 2)))
    assert sflow.flow(wire.raw_header(FRAME), wire.raw_header(other))["SrcPort"] == 443


def test_frames_of_any_kind_cost_no_datagram(sflow):
    frames = [
        ethernet(Packet(bytes(46), etype=0x0806)), ethernet(mpls([3], ipv4(tcp(1, 2)))),
        ethernet(vlan(2, vlan(1, ipv4(tcp(1, 2))), tpid=0x88A8)), ethernet(ipv4(gre(ipv4(tcp(1, 2))))),
        ethernet(ipv4(sctp(1, 2))), ethernet(ipv4(Packet(bytes(20), proto=50))), bytes(3), b"",
    ]  # fmt: skip
    outcome = sflow.decode(wire.datagram([wire.flow_sample([wire.raw_header(frame)]) for frame in frames]))
    assert len(outcome.flows) == len(frames)
    assert not outcome.drops
    assert [flow.get("Proto") for flow in outcome.flows] == [None, 6, 6, 6, 132, 50, None, None]


def test_flow_with_both_interfaces_unknown_is_stored(sflow):
    flow = sflow.decode(wire.datagram([wire.flow_sample([wire.raw_header(FRAME)], input_if=0, output_if=0)])).flows[0]
    assert (flow["InIf"], flow["OutIf"], flow["SrcPort"]) == (0, 0, 443)
