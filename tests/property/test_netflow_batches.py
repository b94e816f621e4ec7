"""The same stream gives the same flows and counts however it is cut into batches."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millrace.batch import DatagramBatch, FlowBatch
from millrace.decode import Counts, Decoder
from millrace.schema import Schema
from millrace.testing.netflow_streams import Sent, hostile, streams

SCHEMA = Schema()


def batch_of(sent: list[Sent]) -> DatagramBatch:
    return DatagramBatch.from_payloads(
        [s.payload for s in sent],
        source=[s.source for s in sent],
        source_port=[s.port for s in sent],
        time_ns=[s.time_ns for s in sent],
    )


def decode_in(sent: list[Sent], cuts: list[int]) -> tuple[list[str], Counts]:
    decoder, rows, counts, first = Decoder(SCHEMA), list[str](), Counts(), 0
    for stop in [*cuts, len(sent)]:
        if stop > first:
            decoded = decoder.decode(batch_of(sent[first:stop]))
            rows += texts(decoded.flows, first)
            counts.add(decoded.counts)
            first = stop
    return sorted(rows), counts


def texts(flows: FlowBatch, offset: int) -> list[str]:
    assert flows.datagram is not None or not flows.rows
    known = flows.to_arrow(SCHEMA).to_pylist()
    datagrams = [] if flows.datagram is None else (flows.datagram + offset).tolist()
    return [f"{at} {row}" for at, row in zip(datagrams, known, strict=True)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(streams(), st.data())
def test_cutting_a_stream_into_batches_changes_nothing(sent: list[Sent], data: st.DataObject) -> None:
    one_by_one = decode_in(sent, list(range(1, len(sent))))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent)), max_size=2)))
    together = decode_in(sent, cuts)
    assert together[0] == one_by_one[0]
    assert Counter(together[1].events) == Counter(one_by_one[1].events)
    assert Counter(together[1].drops) == Counter(one_by_one[1].drops)


@settings(max_examples=100, deadline=None)
@given(st.lists(hostile(), min_size=1, max_size=6))
def test_any_bytes_leave_counts_and_never_raise(payloads: list[bytes]) -> None:
    decoder = Decoder(SCHEMA)
    for _ in range(2):
        decoded = decoder.decode(DatagramBatch.from_payloads(payloads))
        assert decoded.flows.to_arrow(SCHEMA).num_rows == len(decoded.flows)
    datagrams = sum(amount for (_, _, event), amount in decoded.counts.events.items() if event == "datagrams")
    assert datagrams == len(payloads)
