"""The raw decoder shows sFlow v5."""

import struct

from millrace.testing.packets import ethernet, ipv4, tcp, vlan
from millrace.testing.sflow import (
    counter_sample,
    datagram,
    discard_sample,
    expanded_flow_sample,
    flow_sample,
    item,
    raw_header,
)  # fmt: skip

FRAME = ethernet(vlan(100, ipv4(tcp(40000, 443)), pcp=5))


def only_sample(show, sample: bytes, **options):
    (shown,) = show(datagram([sample], **options))
    return shown["samples"][0]


def test_flow_sample_with_the_headers_of_its_packet(show):
    (shown,) = show(datagram([flow_sample([raw_header(FRAME)], rate=512)], agent="192.0.2.77", sub_agent=3))
    assert shown["header"]["agent_address"] == "192.0.2.77"
    (sample,) = shown["samples"]
    assert (sample["kind"], sample["sampling_rate"]) == ("flow", 512)
    layers = sample["records"][0]["packet"]
    assert [layer["layer"] for layer in layers] == ["ethernet", "vlan", "ipv4", "tcp"]
    assert (layers[1]["priority"], layers[1]["id"], layers[3]["dst_port"]) == (5, 100, 443)
    assert shown["problems"] == []


def test_interface_words_are_split(show):
    """sFlow v5 p. 28: two bits of format."""
    sample = only_sample(show, flow_sample([], input_if=0x3FFFFFFF, output_if=0x80000003))
    assert (sample["input_format"], sample["input"]) == (0, 0x3FFFFFFF)
    assert (sample["output_format"], sample["output"]) == (2, 3)


def test_expanded_and_discard_samples(show):
    expanded = only_sample(show, expanded_flow_sample([], output_if=(1, 258)))
    assert (expanded["kind"], expanded["output_format"], expanded["output"]) == ("expanded_flow", 1, 258)
    discard = only_sample(show, discard_sample([], reason=1))
    assert (discard["kind"], discard["reason"]) == ("discard", 1)


def test_unknown_samples_and_records_are_shown_as_bytes_and_skipped(show):
    vendor = item(1, b"\x01\x02\x03\x04", enterprise=4413)
    (shown,) = show(datagram([vendor, flow_sample([vendor, raw_header(FRAME)])]))
    assert shown["samples"][0] == {
        "enterprise": 4413, "format": 1, "length": 4, "offset": 28, "kind": "unknown", "data": "01020304",
    }  # fmt: skip
    assert [record["kind"] for record in shown["samples"][1]["records"]] == ["unknown", "raw_packet_header"]


def test_counters_by_name(show):
    lag = bytes.fromhex("020000000001") + bytes(2) + bytes(8) + struct.pack("!I4B8I", 7, 1, 2, 3, 4, *range(8))
    (record,) = only_sample(show, counter_sample([item(7, lag)]))["records"]
    assert record["kind"] == "lag_port"
    assert record["fields"]["dot3adAggPortActorSystemID"] == "02:00:00:00:00:01"
    assert record["fields"]["dot3adAggPortState"] == [1, 2, 3, 4]
    assert record["fields"]["MarkerResponsePDUsTx"] == 7


def test_gateway_record(show):
    content = struct.pack("!I4s4I", 1, bytes([192, 0, 2, 9]), 64500, 64501, 64502, 1)
    content += struct.pack("!2I2I", 2, 2, 64503, 64504) + struct.pack("!2I", 1, 0xFDE80001) + struct.pack("!I", 100)
    (record,) = only_sample(show, flow_sample([item(1003, content)]))["records"]
    assert record["fields"] == {
        "nexthop": "192.0.2.9", "as": 64500, "src_as": 64501, "src_peer_as": 64502,
        "dst_as_path": [{"type": 2, "as": [64503, 64504]}], "communities": [0xFDE80001], "localpref": 100,
    }  # fmt: skip


def test_list_longer_than_its_record_costs_the_record(show):
    content = struct.pack("!I4s", 1, bytes(4)) + struct.pack("!2I", 0xFFFFFFFF, 7)
    (shown,) = show(datagram([flow_sample([item(1006, content), raw_header(FRAME)])]))
    assert [record["kind"] for record in shown["samples"][0]["records"]] == ["extended_mpls", "raw_packet_header"]
    assert [problem["reason"] for problem in shown["problems"]] == ["truncated"]


def test_sample_that_claims_too_many_bytes_is_read_as_far_as_it_goes(show):
    (shown,) = show(datagram([flow_sample([raw_header(FRAME)], length=5000)]))
    assert shown["samples"][0]["records"][0]["packet"]
    assert shown["samples"][0]["truncated"]


def test_missing_samples_are_told(reasons):
    assert reasons(datagram([], count=9)) == ["count-mismatch"]
