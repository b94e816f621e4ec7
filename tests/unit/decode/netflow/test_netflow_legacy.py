"""NetFlow v1, v5 and v7."""

from __future__ import annotations

from millrace.testing.netflow import EXPORT_S, UPTIME_MS, LegacyRecord, v1, v5, v7

RECORD = LegacyRecord()


def test_v5_record_fills_every_column_it_has(collector):
    (flow,) = collector.send(v5(RECORD, engine_type=1, engine_id=2, export_ns=5_000_000))
    export = EXPORT_S * 1000 + 5
    assert flow == {
        "TimeReceived": EXPORT_S * 1000, "TimeFlowStart": export - 2000, "TimeFlowEnd": export - 1000,
        "FlowProtocol": "netflow-v5", "ObservationDomain": 258, "SamplingRateSource": "unknown", "Bytes": 1000,
        "Packets": 10, "ExporterAddress": "192.0.2.1", "SrcAddr": "198.51.100.1", "DstAddr": "203.0.113.1",
        "NextHop": "0.0.0.0", "SrcPort": 40000, "DstPort": 443, "SrcNetMask": 24, "DstNetMask": 16, "SrcAS": 64500,
        "DstAS": 64501, "InIf": 1, "OutIf": 2, "EType": 2048, "Proto": 6, "TCPFlags": 0x1B, "IPTos": 0,
    }  # fmt: skip


def test_v5_sampling_mode_bits_are_no_part_of_the_rate(collector):
    (flow,) = collector.send(v5(RECORD, sampling=0x4000 | 100))
    assert (flow["SamplingRate"], flow["SamplingRateSource"]) == (100, "header")


def test_v5_without_sampling_interval_leaves_the_rate_unknown(collector):
    (flow,) = collector.send(v5(RECORD, sampling=0x4000))
    assert "SamplingRate" not in flow
    assert flow["SamplingRateSource"] == "unknown"


def test_v1_has_flags_but_no_as_and_no_masks(collector):
    (flow,) = collector.send(v1(RECORD))
    assert (flow["FlowProtocol"], flow["TCPFlags"], flow["Proto"]) == ("netflow-v1", 0x1B, 6)
    assert not {"SrcAS", "DstAS", "SrcNetMask"} & flow.keys()


def test_v7_is_v5_with_longer_records(collector):
    flows = collector.send(v7(RECORD, LegacyRecord(dstport=53, prot=17)))
    assert [(flow["FlowProtocol"], flow["DstPort"], flow["SrcAS"]) for flow in flows] == [
        ("netflow-v7", 443, 64500), ("netflow-v7", 53, 64500),
    ]  # fmt: skip


def test_v5_count_beyond_the_payload_gives_the_whole_records_and_counts_the_rest(collector):
    payload = v5(RECORD, RECORD, RECORD, count=30)[:-10]
    assert len(collector.send(payload)) == 2
    assert collector.drops == {("record", "truncated"): 28}


def test_v5_records_beyond_the_count_are_not_read(collector):
    assert len(collector.send(v5(RECORD, RECORD, count=1))) == 1


def test_datagrams_of_different_sizes_and_versions_in_one_batch(collector):
    flows = collector.send(v5(RECORD), v1(RECORD), v5(RECORD, RECORD), v7(), v7(RECORD))
    assert [flow["FlowProtocol"] for flow in flows] == [
        "netflow-v5", "netflow-v1", "netflow-v5", "netflow-v5", "netflow-v7",
    ]  # fmt: skip
    assert collector.event("data_records") == collector.event("flows") == 5


def test_flow_that_began_before_the_uptime_wrapped_is_in_the_past(collector):
    record = LegacyRecord(first=(1 << 32) - 5000, last=500)
    (flow,) = collector.send(v5(record, uptime_ms=1000))
    assert flow["TimeFlowStart"] == EXPORT_S * 1000 - 6000
    assert flow["TimeFlowEnd"] == EXPORT_S * 1000 - 500


def test_flow_slightly_ahead_of_the_uptime_is_slightly_in_the_future(collector):
    (flow,) = collector.send(v5(LegacyRecord(last=UPTIME_MS + 20)))
    assert flow["TimeFlowEnd"] == EXPORT_S * 1000 + 20


def test_icmp_type_and_code_come_from_the_destination_port(collector):
    icmp, tcp = collector.send(v5(LegacyRecord(prot=1, srcport=0, dstport=0x0301), RECORD))
    assert (icmp["ICMPType"], icmp["ICMPCode"]) == (3, 1)
    assert "ICMPType" not in tcp


def test_unknown_versions_and_cut_headers_are_counted_per_exporter(collector):
    assert collector.send(b"\0\x08" + bytes(30), v5(RECORD)[:20], b"", b"\0") == []
    assert collector.drops == {("datagram", "unknown-version"): 3, ("datagram", "truncated"): 1}
    assert collector.event("datagrams") == 4


def test_versions_are_recognised_on_every_port(collector):
    assert len(collector.send(v5(RECORD), port=6343)) == 1
