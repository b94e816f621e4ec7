"""The captures of `tests/recorded`: datagrams, and their rows by hand or by an independent decoder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from differential.compare import Tally
from differential.test_vectorised import KEY, rows_of
from millrace.batch import DatagramBatch, FlowBatch
from millrace.decode import Counts, Decoder
from millrace.receive.capture import read_capture
from millrace.schema import COUNTER_COLUMNS, Kind, Schema

FOLDER = Path(__file__).parents[1] / "recorded"

SCHEMA, COUNTER_SCHEMA = Schema(), Schema(base=COUNTER_COLUMNS)

Row = dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """A capture of ours, by the name that its two files have in common."""

    name: str

    def batches(self) -> Iterator[DatagramBatch]:
        """Its datagrams as the file gives them."""
        return read_capture(FOLDER / f"{self.name}.pcap")

    def batches_with_templates(self) -> Iterator[tuple[bool, DatagramBatch]]:
        """The same for comparisons of captures that may lack their templates: these do not."""
        return ((True, batch) for batch in self.batches())

    def single_datagrams(self) -> Iterator[DatagramBatch]:
        """Its datagrams, a batch each."""
        return (batch.part(slice(at, at + 1)) for batch in self.batches() for at in range(len(batch)))

    @property
    def whole(self) -> bool:
        """Whether the expected rows name every column that is known."""
        return {"whole": True, "named columns": False}[self._lines()[0]["rows"]]

    def expected(self, kind: str) -> list[Row]:
        """Expected ``flow``, ``counters`` or ``drop`` lines."""
        return [line[kind] for line in self._lines()[1:] if kind in line]

    def _lines(self) -> list[Row]:
        return [json.loads(line) for line in (FOLDER / f"{self.name}.jsonl").read_text().splitlines()]


@dataclass(frozen=True)
class Told:
    """What the decoder makes of a capture."""

    flows: list[Row]
    counters: list[Row]
    drops: dict[tuple[str, str], int]


def decode(batches: Iterator[DatagramBatch]) -> Told:
    """Decode batches one after another, in one decoder."""
    decoder, counts = Decoder(SCHEMA), Counts()
    told = Told([], [], {})
    for batch in batches:
        decoded = decoder.decode(batch)
        told.flows.extend(readable(decoded.flows.ordered(), SCHEMA))
        told.counters.extend(readable(decoded.counters, COUNTER_SCHEMA))
        counts.add(decoded.counts)
    for (_, _, unit, reason), amount in counts.drops.items():
        told.drops[unit, reason] = told.drops.get((unit, reason), 0) + amount
    return told


def readable(batch: FlowBatch, schema: Schema) -> list[Row]:
    """Rows as the files of expected rows write them: MACs and enumerations as text."""
    return [{name: _text(schema, name, value) for name, value in row.items()} for row in rows_of(batch, schema)]


def _text(schema: Schema, name: str, value: Any) -> Any:
    match schema[name].kind:
        case Kind.MAC:
            return value.to_bytes(6, "big").hex(":")
        case Kind.ENUM:
            return schema[name].values[value]
    return value


def compare(expected: list[Row], got: list[Row], *, whole: bool) -> Tally:
    """Compare rows column by column: all that is known if `whole`, else the columns that the expected rows name."""
    tally = Tally()
    tally.check("rows", len(expected), len(got))
    key = [column for column in KEY if all(column in row for row in expected)]

    def in_order(rows: list[Row]) -> list[Row]:
        return sorted(rows, key=lambda row: [str(row.get(column)) for column in key])

    for one, other in zip(in_order(expected), in_order(got), strict=False):
        for column in one.keys() | other.keys() if whole else one.keys():
            tally.check(column, one.get(column), other.get(column))
    return tally
