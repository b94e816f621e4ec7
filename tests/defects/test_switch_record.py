"""What `millrace decode --raw` shows of the switch record and of the source of a sample."""

from __future__ import annotations

import pytest

from millrace.batch import DatagramBatch
from millrace.decode.raw import RawDecoder
from millrace.testing.sflow import (
    counter_sample,
    datagram,
    expanded_counter_sample,
    expanded_flow_sample,
    extended_switch,
    flow_sample,
)


def shown(sample):
    (message,) = RawDecoder().decode(DatagramBatch.from_payloads([datagram([sample])]))
    assert message["problems"] == []
    return message["samples"][0]


def test_switch_record_shows_each_value_in_its_place():
    (record,) = shown(flow_sample([extended_switch(10, 20, src_priority=5, dst_priority=6)]))["records"]
    assert list(record["fields"].values()) == [10, 5, 20, 6]


@pytest.mark.parametrize(
    ("sample", "source"),
    [
        (flow_sample([], source=2 << 24 | 17), (2, 17)),
        (counter_sample([], source=0x00ABCDEF), (0, 0xABCDEF)),
        (expanded_flow_sample([], source=(1, 4_000_000_000)), (1, 4_000_000_000)),
        (expanded_counter_sample([], source=(0, 4_000_000_000)), (0, 4_000_000_000)),
    ],
)
def test_source_of_a_sample_is_shown_as_type_and_index(sample, source):
    seen = shown(sample)
    assert (seen["source_type"], seen["source_index"]) == source
