"""Lengths and counts that lie: what is whole is decoded, the rest is counted under a reason."""

from __future__ import annotations

import struct

import pytest

from millrace.batch import address_bytes
from millrace.testing import sflow as wire
from millrace.testing.packets import ethernet, ipv4, tcp

HEADER = wire.raw_header(ethernet(ipv4(tcp(443, 50000))))
GOOD = wire.flow_sample([HEADER])


def test_datagram_without_a_whole_header_is_counted_under_its_sender(sflow):
    whole = wire.datagram([])
    for size in range(4, len(whole)):
        outcome = sflow.decode(whole[:size], source="203.0.113.5")
        assert outcome.drops == {("datagram", "truncated"): 1}
        assert outcome.events == {"datagrams": 1, "bytes": size}
        assert outcome.counts.issues[0].exporter == address_bytes("203.0.113.5")


def test_unknown_kind_of_agent_address(sflow):
    outcome = sflow.decode(struct.pack("!II", 5, 3) + bytes(60))
    assert outcome.drops == {("datagram", "bad-address-type"): 1}


def test_other_version(sflow):
    assert sflow.decode(wire.datagram([GOOD], version=4)).drops == {("datagram", "bad-version"): 1}


def test_good_datagrams_beside_bad_ones_are_decoded(sflow):
    outcome = sflow.decode(b"\0\0\0\5", wire.datagram([GOOD]), wire.datagram([GOOD], version=9), wire.datagram([GOOD]))
    assert len(outcome.flows) == 2


def test_samples_before_the_cut_are_kept(sflow):
    payload = wire.datagram([GOOD, GOOD])
    outcome = sflow.decode(payload[: -len(GOOD) - 4], payload[: -len(GOOD) + 4], payload[: -len(GOOD) + 20])
    assert [flow.get("SrcPort") for flow in outcome.flows] == [None, 443, 443]
    assert outcome.drops == {("sample", "truncated"): 2, ("record", "truncated"): 1}


def test_cut_sample_keeps_its_whole_records(sflow):
    payload = wire.datagram([wire.flow_sample([HEADER, wire.extended_switch(1, 2)])])
    outcome = sflow.decode(payload[:-4])
    assert outcome.flows[0]["SrcPort"] == 443
    assert "SrcVlan" not in outcome.flows[0]
    assert outcome.drops == {("record", "truncated"): 1}


@pytest.mark.parametrize("length", [0, 4, 31])
def test_sample_shorter_than_its_head_costs_itself(sflow, length):
    outcome = sflow.decode(wire.datagram([wire.item(1, bytes(length)), GOOD]))
    assert len(outcome.flows) == 1
    assert outcome.drops == {("sample", "bad-length"): 1}


def test_record_that_overruns_its_sample_costs_the_rest_of_the_sample(sflow):
    long = wire.item(1001, bytes(16), length=5000)
    outcome = sflow.decode(wire.datagram([wire.flow_sample([HEADER, long]), GOOD]))
    assert [flow["SrcPort"] for flow in outcome.flows] == [443, 443]
    assert outcome.drops == {("record", "bad-length"): 1}


@pytest.mark.parametrize("form", [2, 3, 4, 1001, 1002, 1003, 1006, 1007, 1012, 1020, 1023, 1025, 1029, 1030])
def test_record_too_short_for_its_format_costs_itself(sflow, form):
    outcome = sflow.decode(wire.datagram([wire.flow_sample([wire.item(form, b""), HEADER])]))
    assert outcome.flows[0]["SrcPort"] == 443
    assert outcome.drops == {("record", "bad-length"): 1}


def test_captured_header_longer_than_its_record_is_read_as_far_as_it_goes(sflow):
    outcome = sflow.decode(wire.datagram([
        wire.flow_sample([wire.raw_header(ethernet(ipv4(tcp(443, 50000))), header_bytes=2**32 - 1)])
    ]))  # fmt: skip
    assert outcome.flows[0]["SrcPort"] == 443
    assert outcome.drops == {("record", "bad-length"): 1}


@pytest.mark.parametrize("count", [3, 2**32 - 1])
def test_more_samples_or_records_announced_than_there_are(sflow, count):
    outcome = sflow.decode(wire.datagram([GOOD], count=count))
    assert len(outcome.flows) == 1
    assert outcome.drops == {("sample", "truncated"): 1}
    outcome = sflow.decode(wire.datagram([wire.flow_sample([HEADER], count=count)]))
    assert outcome.flows[0]["SrcPort"] == 443
    assert outcome.drops == {("record", "bad-count"): 1}


def test_bytes_behind_the_last_announced_item_are_ignored(sflow):
    outcome = sflow.decode(wire.datagram([wire.flow_sample([HEADER, HEADER], count=1), GOOD], count=1) + b"rest")
    assert len(outcome.flows) == 1
    assert not outcome.drops


def test_lengths_are_padded_to_four_bytes(sflow):
    odd = wire.item(1004, b"abc")
    outcome = sflow.decode(wire.datagram([wire.flow_sample([odd, HEADER]), GOOD]))
    assert [flow["SrcPort"] for flow in outcome.flows] == [443, 443]


def test_flood_of_empty_samples_is_bounded(sflow):
    outcome = sflow.decode(wire.datagram([wire.item(99, b"")] * 8000))
    assert outcome.drops == {("sample", "unknown-sample"): 1024, ("sample", "too-many"): 1}


def test_flood_of_empty_records_is_bounded(sflow):
    outcome = sflow.decode(wire.datagram([wire.flow_sample([wire.item(99, b"")] * 8000), GOOD]))
    assert len(outcome.flows) == 2
    assert outcome.drops == {("record", "unknown-record"): 256, ("record", "too-many"): 1}


@pytest.mark.parametrize(
    "words",
    [
        [1, 0, 5, 6, 7, 2**32 - 1],
        [1, 0, 5, 6, 7, 1, 2, 2**32 - 1],
        [1, 0, 5, 6, 7, 1, 2, 1, 64500],
        [1, 0, 5, 6, 7, 0, 2**32 - 1],
    ],
)
def test_gateway_whose_lists_lie_keeps_what_stands_before(sflow, words):
    outcome = sflow.decode(wire.datagram([wire.flow_sample([wire.item(1003, struct.pack(f"!{len(words)}I", *words))])]))
    assert outcome.flows[0]["SrcAS"] == 6
    assert outcome.drops == {("record", "bad-length"): 1}


def test_gateway_of_endless_segments_is_bounded(sflow):
    outcome = sflow.decode(wire.datagram([wire.flow_sample([wire.extended_gateway(path=[(2, [])] * 1000)])]))
    assert outcome.drops == {("record", "bad-length"): 1}


def test_issues_say_what_was_found(sflow):
    issue = sflow.decode(wire.datagram([wire.flow_sample([wire.item(1001, b"")])])).counts.issues[0]
    assert (issue.protocol, issue.reason) == ("sflow-v5", "bad-length")
    assert issue.detail == "record of format 1001 has 0 bytes, at least 16 expected"
    assert issue.exporter == address_bytes("192.0.2.10")
