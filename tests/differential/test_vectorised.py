"""The vectorised decoder makes the flows that the slow reference makes of every capture."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from captures import Capture, flow_captures, ids, needs_captures
from differential import pins
from differential.compare import Tally
from millrace.batch import FlowBatch
from millrace.batch.flows import Coded, Lists, plain
from millrace.decode import Decoder
from millrace.decode.raw import RawDecoder
from millrace.schema import COUNTER_COLUMNS, Kind, Schema
from reference.canonical import Canonical

pytestmark = needs_captures

CAPTURES = flow_captures()

KEY = ("TimeReceived", "SrcAddr", "DstAddr", "SrcPort", "DstPort", "Proto", "Bytes", "Packets", "InIf", "IfIndex")


def rows_of(batch: FlowBatch, schema: Schema) -> list[dict[str, Any]]:
    """Flows of a batch as dicts; unknown values are absent."""
    rows: list[dict[str, Any]] = [{} for _ in range(batch.rows)]
    for name, values in batch.columns.items():
        known = batch.valid.get(name, np.ones(batch.rows, np.bool_))
        for row, value in enumerate(_values(schema[name].kind, values)):
            if known[row]:
                rows[row][name] = value
    return rows


def _values(kind: Kind, values: Any) -> list[Any]:
    if isinstance(values, Lists):
        bounds = values.offsets.tolist()
        return [values.values[a:b].tolist() for a, b in pairwise(bounds)]
    if kind is Kind.ADDRESS:
        return [_address(row.tobytes()) for row in plain(values)]
    if isinstance(values, Coded):
        return [values.values[code] for code in values.codes.tolist()]
    return values.tolist()


def _address(packed: bytes) -> str:
    address = ip_address(packed)
    return str(address.ipv4_mapped or address)


def key(flow: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(flow.get(column)) for column in KEY)


def compare(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> Tally:
    """Compare flows column by column; those of equal keys in their order."""
    tally = Tally()
    tally.check("rows", len(expected), len(got))
    for one, other in zip(sorted(expected, key=key), sorted(got, key=key), strict=False):
        for column in one.keys() | other.keys():
            tally.check(column, one.get(column), other.get(column))
    return tally


def decode_both(capture: Capture) -> tuple[Tally, Tally]:
    """Compare the flows and the interface counters of a capture."""
    schema, counter_schema = Schema(), Schema(base=COUNTER_COLUMNS)
    raw, reference, decoder = RawDecoder(), Canonical(schema), Decoder(schema)
    flows: tuple[list, list] = ([], [])
    counters: tuple[list, list] = ([], [])
    for own, batch in capture.batches_with_templates():
        decoded = decoder.decode(batch)
        shown = [
            (reference.flows(one, int(ns)), reference.counters(one, int(ns)))
            for one, ns in zip(raw.decode(batch), batch.time_ns.tolist(), strict=True)
        ]
        if own:
            flows[0].extend(flow for made, _ in shown for flow in made)
            flows[1].extend(rows_of(decoded.flows.ordered(), schema))
            counters[0].extend(counter for _, made in shown for counter in made)
            counters[1].extend(rows_of(decoded.counters, counter_schema))
    return compare(*flows), compare(*counters)


def count(capture: Capture) -> Counter[str]:
    """What the vectorised decoder counts."""
    decoder = Decoder(Schema())
    events: Counter[str] = Counter()
    for own, batch in capture.batches_with_templates():
        for (_, _, event), amount in decoder.decode(batch).counts.events.items():
            events[event] += amount if own else 0
    return events


@pytest.mark.parametrize("capture", CAPTURES, ids=ids(CAPTURES))
def test_every_column_of_every_flow_is_equal(capture: Capture):
    flows, counters = decode_both(capture)
    pins.check("reference, flows", capture.path, flows)
    pins.check("reference, counters", capture.path, counters)


def test_comparison_notices_a_wrong_value_and_a_missing_flow():
    flow = {"SrcAddr": "192.0.2.1", "Bytes": 10}
    assert compare([flow], [flow | {"Bytes": 11}]).names() == {"Bytes"}
    assert compare([flow], [flow | {"Packets": 1}]).names() == {"Packets"}
    assert compare([flow, flow], [flow]).names() == {"rows"}


@pytest.mark.parametrize("capture", CAPTURES, ids=ids(CAPTURES))
def test_vectorised_decoder_counts_what_the_index_counts(capture: Capture):
    events = count(capture)
    samples = capture.entry["sflow_samples"] or {}
    expected = {
        "data_records": (capture.entry["data_records"] or 0) - samples.get("flow", 0) - samples.get("flow-exp", 0),
        "options_records": capture.entry["option_records"] or 0,
        "flow_samples": samples.get("flow", 0) + samples.get("flow-exp", 0),
        "discard_samples": samples.get("discard", 0),
    }
    if samples:
        expected["counter_samples"] = samples.get("counters", 0) + samples.get("counters-exp", 0)
    assert expected == {event: events[event] for event in expected}
