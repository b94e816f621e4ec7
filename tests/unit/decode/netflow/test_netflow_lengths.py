"""Length fields that lie, padding, and whatever else does not fit."""

from __future__ import annotations

import struct

import pytest

from effort import Effort
from millrace.testing.netflow import (
    IPFIX,
    V9,
    VARIABLE,
    Template,
    data_set,
    ipfix,
    message,
    set_of,
    template_set,
    v9,
)

BOTH = pytest.mark.parametrize("version", [V9, IPFIX])
PORTS = Template(256, [(7, 2), (11, 2)])
RECORD = struct.pack("!HH", 1, 2)


def sent(collector, version, *sets):
    return collector.send(message(version, template_set(version, PORTS), *sets))


@BOTH
@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_set_shorter_than_its_header_ends_its_message_only(collector, version, length):
    flows = collector.send(
        message(
            version,
            template_set(version, PORTS),
            PORTS.data((1, 2)),
            set_of(256, RECORD, length=length),
            PORTS.data((9, 9)),
        ),
        message(version, PORTS.data((3, 4))),
    )
    assert [flow["SrcPort"] for flow in flows] == [1, 3]
    assert collector.drops == {("set", "bad-length"): 1}


@BOTH
def test_a_set_beyond_its_message_gives_its_whole_records(collector, version):
    flows = sent(collector, version, data_set(256, RECORD, RECORD, RECORD[:3] + b"\1"[:0], length=400))
    assert len(flows) == 2
    assert collector.drops == {("set", "truncated"): 1}


def test_an_ipfix_message_that_says_it_is_longer_than_its_datagram(collector):
    payload = ipfix(template_set(IPFIX, PORTS), PORTS.data((1, 2), (3, 4)), length=1384)
    assert len(collector.send(payload)) == 2
    assert collector.drops == {("set", "message-truncated"): 1}


def test_bytes_after_an_ipfix_message_are_not_read(collector):
    payload = ipfix(template_set(IPFIX, PORTS), PORTS.data((1, 2))) + PORTS.data((3, 4))
    assert len(collector.send(payload)) == 1
    assert collector.drops == {("set", "trailing-bytes"): 1}


@pytest.mark.parametrize("length", [0, 3, 15, 16])
def test_an_ipfix_message_that_says_it_is_no_longer_than_its_header(collector, length):
    assert collector.send(ipfix(template_set(IPFIX, PORTS), length=length)) == []
    assert collector.drops == {("set", "trailing-bytes"): 1}


@BOTH
@pytest.mark.parametrize("count", [0, 1, 7, 65535])
def test_the_count_of_a_v9_header_is_not_believed(collector, version, count):
    payload = v9(template_set(V9, PORTS), PORTS.data((1, 2)), count=count)
    assert len(collector.send(payload)) == 1


@BOTH
@pytest.mark.parametrize("padding", [1, 2, 3])
def test_padding_shorter_than_a_record(collector, version, padding):
    assert len(sent(collector, version, PORTS.data((1, 2), padding=padding))) == 1
    assert collector.drops == {}


@BOTH
@pytest.mark.parametrize("padding", [4, 7, 12, 64])
def test_padding_as_long_as_records_is_no_flow(collector, version, padding):
    assert len(sent(collector, version, PORTS.data((1, 2), padding=padding))) == 1
    assert (collector.drops, collector.event("padding_records")) == ({}, padding // 4)
    assert not collector.decoder.exporters()[0].last_issue


@BOTH
def test_a_datagram_filled_up_within_its_last_set(collector, version):
    filled = PORTS.data((1, 2), padding=1300)
    assert len(sent(collector, version, filled, filled)) == 2
    assert not collector.drops


def test_padding_of_records_of_one_byte(collector):
    template = Template(256, [(4, 1)])
    flows = collector.send(ipfix(template_set(IPFIX, template), data_set(256, b"\x06", padding=3)))
    assert [flow["Proto"] for flow in flows] == [6]


def test_padding_of_variable_length_records(collector):
    template = Template(256, [(96, VARIABLE), (82, VARIABLE)])
    flows = collector.send(ipfix(template_set(IPFIX, template), template.data(("a", "b"), ("c", ""), padding=6)))
    assert [flow["ApplicationName"] for flow in flows] == ["a", "c"]


def test_zero_fields_between_others_are_no_padding(collector):
    assert len(sent(collector, IPFIX, PORTS.data((0, 0), (0, 0), (1, 0)))) == 3


@BOTH
def test_the_cut_end_of_a_set_costs_one_record(collector, version):
    template = Template(256, [(8, 4), (12, 4)])
    flows = collector.send(message(version, template_set(version, template), data_set(256, b"abcdefgh", b"ijklm")))
    assert len(flows) == 1
    assert collector.drops == {("record", "truncated"): 1}


@pytest.mark.parametrize("tail", [b"\xff", b"\xff\x01", b"\xff\xff\xff", b"\x05abc", b"\x03ab"])
def test_a_variable_length_beyond_its_set_costs_one_record(collector, tail):
    template = Template(256, [(96, VARIABLE)])
    flows = collector.send(
        ipfix(template_set(IPFIX, template), data_set(256, b"\x03dns", b"\x03web", tail), template.data(("ok",)))
    )
    assert [flow["ApplicationName"] for flow in flows] == ["dns", "web", "ok"]


@pytest.mark.parametrize("sets", [3, 40])
def test_cut_variable_length_records_in_few_and_in_many_sets(collector, sets):
    template = Template(256, [(96, VARIABLE), (7, 2)])
    good = b"\x03dns" + struct.pack("!H", 9)
    flows = collector.send(
        ipfix(template_set(IPFIX, template)), *[ipfix(data_set(256, good, good, b"\x09x" * 4))] * sets
    )
    assert len(flows) == 2 * sets
    assert collector.drops == {("record", "truncated"): sets}


def test_a_datagram_full_of_sets_or_tiny_records_takes_bounded_time(collector):
    tiny = Template(256, [(96, VARIABLE)])
    collector.send(ipfix(template_set(IPFIX, tiny)))
    with Effort() as spent:
        assert len(collector.send(ipfix(data_set(256, b"\1a" * 32_000)))) == 32_000
        collector.send(v9(struct.pack("!HH", 999, 4) * 16_000))
        collector.send(ipfix(struct.pack("!HHHH", 2, 8, 300, 0) * 8_000))
        collector.send(ipfix(set_of(2, struct.pack("!HH", 2, 0) * 16_000)))
        collector.send(ipfix(set_of(2, struct.pack("!HHHH", 300, 1, 7, 2) * 8_000)))
    assert spent.seconds < 5


def test_the_sets_of_a_message_are_bounded(collector):
    collector.send(ipfix(template_set(IPFIX, PORTS)))
    flows = collector.send(ipfix(*[PORTS.data((1, 2))] * 1024), ipfix(*[PORTS.data((1, 2))] * 1500, b"\0\0"))
    assert len(flows) == 2048
    assert collector.drops == {("set", "too-many-sets"): 1}


def test_empty_datagram_sets_and_messages(collector):
    assert collector.send(v9(), ipfix(), ipfix(template_set(IPFIX, PORTS), data_set(256)), v9(set_of(0, b""))) == []
    assert collector.drops == {}


@BOTH
@pytest.mark.parametrize("padding", [1, 3, 4, 7, 1300])
def test_zero_bytes_after_the_last_set_are_padding(collector, version, padding):
    payload = message(version, template_set(version, PORTS), PORTS.data((1, 2))) + bytes(padding)
    assert len(collector.send(payload, payload)) == 2
    assert not collector.drops
    assert collector.event("sets") == 4


def test_zero_bytes_within_an_ipfix_message_are_padding_too(collector):
    assert len(collector.send(ipfix(template_set(IPFIX, PORTS), PORTS.data((1, 2)), bytes(40)))) == 1
    assert not collector.drops


@pytest.mark.parametrize(
    ("version", "rest", "reason"),
    [
        (V9, bytes(39) + b"\1", "bad-length"), (V9, bytes(4) + b"\1", "bad-length"), (V9, b"\0\0\1", "trailing-bytes"),
        (IPFIX, bytes(39) + b"\1", "trailing-bytes"), (IPFIX, b"\1", "trailing-bytes"),
    ],
)  # fmt: skip
def test_other_bytes_after_the_last_set_are_counted(collector, version, rest, reason):
    padded = message(version, PORTS.data((5, 6))) + bytes(100)
    payload = message(version, template_set(version, PORTS), PORTS.data((1, 2))) + rest
    assert len(collector.send(padded, payload, padded)) == 3
    assert collector.drops == {("set", reason): 1}
