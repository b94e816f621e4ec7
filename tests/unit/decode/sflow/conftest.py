"""Decoding sFlow datagrams into rows of plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from millrace.batch import DatagramBatch, FlowBatch, address_text
from millrace.decode.result import Counts
from millrace.decode.sflow import SflowDecoder
from millrace.schema import COUNTER_COLUMNS, Schema
from millrace.testing.sflow import datagram, flow_sample

COUNTERS = Schema(base=COUNTER_COLUMNS)


def rows(batch: FlowBatch, schema: Schema) -> list[dict[str, Any]]:
    """Known columns of each row; addresses as text."""
    table = batch.ordered().to_arrow(schema, missing=False).to_pylist()
    return [
        {
            name: address_text(value) if isinstance(value, bytes) else value
            for name, value in row.items()
            if value is not None
        }
        for row in table
    ]


@dataclass
class Outcome:
    flows: list[dict[str, Any]]
    counters: list[dict[str, Any]]
    counts: Counts

    @property
    def events(self) -> dict[str, int]:
        totals: dict[str, int] = {}
        for (_, _, event), amount in self.counts.events.items():
            totals[event] = totals.get(event, 0) + amount
        return totals

    @property
    def drops(self) -> dict[tuple[str, str], int]:
        totals: dict[tuple[str, str], int] = {}
        for (_, _, unit, reason), amount in self.counts.drops.items():
            totals[unit, reason] = totals.get((unit, reason), 0) + amount
        return totals


class Bench:
    """A decoder and short ways to feed it."""

    def __init__(self) -> None:
        self.schema = Schema()
        self.decoder = SflowDecoder(self.schema)

    def decode(self, *payloads: bytes, **batch: Any) -> Outcome:
        datagrams = DatagramBatch.from_payloads(payloads, **batch)
        counts = Counts()
        flows, counters = self.decoder.decode(datagrams, np.arange(len(payloads)), counts)
        return Outcome(rows(flows, self.schema), rows(counters, COUNTERS), counts)

    def flow(self, *records: bytes) -> dict[str, Any]:
        """The flow of a flow sample with these records; nothing may be counted as wrong."""
        outcome = self.decode(datagram([flow_sample(records)]))
        assert not outcome.drops
        return outcome.flows[0]


@pytest.fixture
def sflow() -> Bench:
    return Bench()
