"""A collector that datagrams are told to, protocols of any mix."""

from __future__ import annotations

from typing import Any

import pytest

from millrace.batch import DatagramBatch, FlowBatch
from millrace.decode import Counts, Decoder
from millrace.formats import readable
from millrace.schema import COUNTER_COLUMNS, Schema
from millrace.testing.netflow import EXPORT_S

SCHEMA = Schema()
COUNTERS = Schema(base=COUNTER_COLUMNS)


class Collector:
    """A decoder with its counts added up; `hear` gives the flows as text and numbers, unknown values left out."""

    def __init__(self) -> None:
        self.decoder = Decoder(SCHEMA)
        self.counts = Counts()
        self.counters: list[dict[str, Any]] = []

    def hear(self, *payloads: bytes, source: str = "192.0.2.1", port: int = 50000) -> list[dict[str, Any]]:
        batch = DatagramBatch.from_payloads(
            payloads, source=source, source_port=port, time_ns=EXPORT_S * 1_000_000_000
        )  # fmt: skip
        decoded = self.decoder.decode(batch)
        self.counts.add(decoded.counts)
        self.counters += _rows(decoded.counters, COUNTERS)
        return _rows(decoded.flows, SCHEMA)

    @property
    def events(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for (_, _, event), amount in self.counts.events.items():
            found[event] = found.get(event, 0) + amount
        return found

    @property
    def drops(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for (_, _, unit, reason), amount in self.counts.drops.items():
            found[unit, reason] = found.get((unit, reason), 0) + amount
        return found


def _rows(batch: FlowBatch, schema: Schema) -> list[dict[str, Any]]:
    table = readable(batch.ordered().to_arrow(schema), schema)
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


@pytest.fixture
def collector() -> Collector:
    return Collector()
