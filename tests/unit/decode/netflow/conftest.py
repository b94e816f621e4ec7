"""A collector for tests: send datagrams, get flows as dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from millrace.batch import DatagramBatch, address_text
from millrace.decode import Counts, Decoder, Limits, QuirksOf, no_quirks
from millrace.schema import Kind, Schema
from millrace.testing.netflow import EXPORT_S

Flow = dict[str, Any]


class Collector:
    """A decoder with its counts added up; `send` gives the flows, unknown values left out."""

    def __init__(
        self, limits: Limits | None = None, schema: Schema | None = None, quirks: QuirksOf = no_quirks
    ) -> None:
        self.schema = schema or Schema()
        self.decoder = Decoder(self.schema, limits or Limits(), quirks)
        self.counts = Counts()
        self.changed = False

    def send(
        self,
        *payloads: bytes,
        source: str | list[str] = "192.0.2.1",
        port: int | list[int] = 50000,
        at_s: float = EXPORT_S,
    ) -> list[Flow]:
        batch = DatagramBatch.from_payloads(
            payloads, source=source, source_port=port, time_ns=round(at_s * 1000) * 1_000_000
        )
        decoded = self.decoder.decode(batch)
        self.counts.add(decoded.counts)
        self.changed = decoded.state_changed
        rows = decoded.flows.ordered().to_arrow(self.schema).to_pylist()
        return [{name: self._shown(name, value) for name, value in row.items() if value is not None} for row in rows]

    def _shown(self, name: str, value: Any) -> Any:
        kind = self.schema[name].kind
        if kind is Kind.ADDRESS:
            return address_text(value)
        return round(value.timestamp() * 1000) if kind is Kind.TIME_MS else value

    def event(self, name: str) -> int:
        return sum(amount for (_, _, event), amount in self.counts.events.items() if event == name)

    @property
    def drops(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for (_, _, unit, reason), amount in self.counts.drops.items():
            found[unit, reason] = found.get((unit, reason), 0) + amount
        return found


@pytest.fixture
def make() -> Callable[..., Collector]:
    return Collector


@pytest.fixture
def collector() -> Collector:
    return Collector()
