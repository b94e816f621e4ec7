"""sFlow decoding of anything: no exception, every sample accounted for, batches make no difference."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.batch import DatagramBatch
from millrace.decode.result import Counts
from millrace.decode.sflow import SflowDecoder
from millrace.schema import COUNTER_COLUMNS, Schema
from millrace.testing.sflow import datagram, datagrams

SCHEMA = Schema()
COUNTERS = Schema(base=COUNTER_COLUMNS)


def decode(decoder: SflowDecoder, payloads: list[bytes], counts: Counts) -> list[list[dict[str, Any]]]:
    batch = DatagramBatch.from_payloads(payloads)
    flows, counters = decoder.decode(batch, np.arange(len(payloads)), counts)
    return [
        part.ordered().to_arrow(schema, missing=True).to_pylist()
        for part, schema in ((flows, SCHEMA), (counters, COUNTERS))
    ]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    payload = bytearray(draw(datagrams()))
    for _ in range(draw(st.integers(0, 4))):
        payload[draw(st.integers(4, len(payload) - 1))] = draw(st.integers(0, 255))
    return bytes(payload[: draw(st.integers(4, len(payload)))])


rubbish = st.builds(lambda tail: datagram([], count=3) + tail, st.binary(max_size=200))
payloads = st.lists(st.one_of(datagrams(), damaged(), rubbish, st.binary(max_size=60)), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(payloads)
def test_any_bytes_leave_counts_and_no_exception(batch):
    counts = Counts()
    flows, _ = decode(SflowDecoder(SCHEMA), batch, counts)
    events: dict[str, int] = {}
    for (_, _, event), amount in counts.events.items():
        events[event] = events.get(event, 0) + amount
    assert events["datagrams"] == len(batch)
    assert events.get("bytes", 0) == sum(map(len, batch))
    assert events.get("flow_samples", 0) + events.get("discard_samples", 0) == len(flows) == events.get("flows", 0)


@settings(max_examples=40, deadline=None)
@given(payloads)
def test_splitting_a_batch_changes_nothing(batch):
    together, apart = Counts(), Counts()
    whole = decode(SflowDecoder(SCHEMA), batch, together)
    decoder = SflowDecoder(SCHEMA)
    parts = [decode(decoder, [payload], apart) for payload in batch]
    assert [[row for part in parts for row in part[table]] for table in (0, 1)] == whole
    assert (apart.events, apart.drops) == (together.events, together.drops)
