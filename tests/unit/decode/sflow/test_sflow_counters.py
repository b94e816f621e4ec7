"""Interface counters are a table of their own and never flows."""

from __future__ import annotations

from millrace.testing import sflow as wire


def test_generic_counters(sflow):
    record = wire.interface_counters(17, speed=10**11, in_octets=2**63, out_octets=12, words=range(100, 111))
    outcome = sflow.decode(wire.datagram([wire.counter_sample([record])], agent="192.0.2.10", sub_agent=3))
    assert outcome.flows == []
    counters = outcome.counters[0]
    del counters["TimeReceived"]
    assert counters == {
        "ExporterAddress": "192.0.2.10", "ObservationDomain": 3, "IfIndex": 17, "IfType": 6, "IfSpeed": 10**11,
        "IfDirection": 1, "IfStatus": 3, "InOctets": 2**63, "InUcastPkts": 100, "InMulticastPkts": 101,
        "InBroadcastPkts": 102, "InDiscards": 103, "InErrors": 104, "InUnknownProtos": 105, "OutOctets": 12,
        "OutUcastPkts": 106, "OutMulticastPkts": 107, "OutBroadcastPkts": 108, "OutDiscards": 109, "OutErrors": 110,
        "PromiscuousMode": 0,
    }  # fmt: skip


def test_counters_that_the_agent_does_not_keep_are_unknown(sflow):
    record = wire.interface_counters(1, in_octets=2**64 - 1, words=[2**32 - 1] * 11)
    outcome = sflow.decode(wire.datagram([wire.expanded_counter_sample([record, wire.interface_counters(2)])]))
    counters = outcome.counters[0]
    assert not {"InOctets", "InUcastPkts", "OutErrors"} & counters.keys()
    assert counters["OutOctets"] == 2
    assert "SamplingRate" not in counters


def test_other_counters_are_counted_and_cost_nothing(sflow):
    sample = wire.counter_sample([wire.ethernet_counters(), wire.interface_counters(5), wire.item(2001, bytes(36))])
    outcome = sflow.decode(wire.datagram([sample]))
    assert [row["IfIndex"] for row in outcome.counters] == [5]
    assert outcome.drops == {("record", "unused-record"): 2}
    assert outcome.events["counter_samples"] == 1


def test_short_counters_are_counted_as_such(sflow):
    outcome = sflow.decode(wire.datagram([wire.counter_sample([wire.item(1, bytes(80))])]))
    assert outcome.counters == []
    assert outcome.drops == {("record", "bad-length"): 1}
