"""The vectorised decoder makes the flows that the slow reference makes of generated datagrams."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from copy import deepcopy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from differential.test_vectorised import compare, rows_of
from millrace.batch import DatagramBatch
from millrace.decode import Decoder
from millrace.decode.raw import RawDecoder
from millrace.schema import Schema
from millrace.testing.netflow_streams import Sent, streams
from millrace.testing.packets import frames
from millrace.testing.sflow import datagram, flow_sample, raw_header, sampled_ethernet, sampled_ip
from reference.canonical import Canonical, without_padding

QUICK = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

SCHEMA = Schema()

LEARNED = {"SamplingRate", "SamplingRateSource"}
"""Not compared in streams: which of several contradicting options holds has tests of its own."""


def batch_of(sent: list[Sent]) -> DatagramBatch:
    return DatagramBatch.from_payloads(
        [one.payload for one in sent],
        source=[one.source for one in sent],
        source_port=[one.port for one in sent],
        time_ns=[one.time_ns for one in sent],
    )


def comparable(sent: list[Sent]) -> list[Sent]:
    """The datagrams that the reference can judge.

    It does not let sets wait for their template. And it does not see bytes: a
    record of empty values at the end of a set may be padding or may not.
    """
    decoder, kept = RawDecoder(), []
    for one in sent:
        trial = deepcopy(decoder)
        (shown,) = trial.decode(batch_of([one]))
        late = any(problem["reason"] == "template-unknown" for problem in shown["problems"])
        empty = any(
            len(without_padding(one_set["records"])) < len(one_set["records"])
            for one_set in shown.get("sets", ())
            if "records" in one_set
        )
        if not late and not empty:
            decoder, kept = trial, [*kept, one]
    return kept


def check(batch: DatagramBatch, ignored: AbstractSet[str] = frozenset()) -> None:
    reference = Canonical(SCHEMA)
    expected = [
        flow
        for shown, ns in zip(RawDecoder().decode(batch), batch.time_ns.tolist(), strict=True)
        for flow in reference.flows(shown, int(ns))
    ]
    tally = compare(expected, rows_of(Decoder(SCHEMA).decode(batch).flows.ordered(), SCHEMA))
    assert tally.names() <= ignored, tally.explain()


@QUICK
@given(streams())
def test_netflow_and_ipfix_streams(sent: list[Sent]):
    check(batch_of(comparable(sent)), LEARNED)


@QUICK
@given(st.lists(frames(), min_size=1, max_size=5), st.integers(14, 300))
def test_sampled_headers(sampled: list[bytes], captured: int):
    check(DatagramBatch.from_payloads([datagram([flow_sample([raw_header(f, captured=captured)]) for f in sampled])]))


@QUICK
@given(st.lists(frames(), min_size=1, max_size=5), st.integers(14, 200), st.sampled_from((6, 17)), st.booleans())
def test_sampled_headers_beside_what_the_agent_read_of_them(
    sampled: list[bytes], captured: int, proto: int, short: bool
):
    told = [sampled_ip(proto=proto, flags=0x12, tos=8), sampled_ethernet()]
    length = captured + 4 if short else None
    headers = [raw_header(frame, captured=captured, frame_bytes=length) for frame in sampled]
    check(DatagramBatch.from_payloads([datagram([flow_sample([header, *told]) for header in headers])]))
