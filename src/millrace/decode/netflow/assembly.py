"""Fills the columns of a FlowBatch from parts that each know a range of its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import Coded, FlowBatch, Lists, Values
from millrace.batch.arrays import I32, I64, AnyArray, Bool
from millrace.batch.flows import texts
from millrace.decode.result import Event
from millrace.schema import Kind, Schema


def spread(values: AnyArray, counts: I64) -> AnyArray:
    """Repeat each value as often as `counts` says, cheaper where the counts are all equal; not to be written to."""
    if len(counts) and (counts == counts[0]).all():
        every = int(counts[0])
        return values if every == 1 else np.repeat(values, every)
    return np.repeat(values, counts)


def stable_order(numbers: I64) -> I64:
    """Order that sorts small non-negative numbers and leaves equal ones as they are.

    NumPy sorts 16-bit numbers by radix, many times faster than wide ones.
    """
    if len(numbers) and numbers.max() < 1 << 16:
        return np.argsort(numbers.astype(np.uint16), kind="stable")
    return np.argsort(numbers, kind="stable")


@dataclass(slots=True)
class _Text:
    start: int
    stop: int
    coded: Coded


@dataclass(slots=True)
class _List:
    start: int
    stop: int
    lists: Lists


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that some of the rows from `start` on are counted under."""

    event: Event
    start: int
    rows: Bool


class Rows:
    """A FlowBatch in the making: numeric columns are written in place, part by part.

    Parameters
    ----------
    schema : Schema
    rows : int
        Number of flows of all parts together.
    """

    def __init__(self, schema: Schema, rows: int) -> None:
        self.rows = rows
        self._schema = schema
        self._columns: dict[str, AnyArray] = {}
        self._known: dict[str, list[tuple[int, int, Bool | None]]] = {}
        self._texts: dict[str, list[_Text]] = {}
        self._lists: dict[str, list[_List]] = {}
        self._exporter: tuple[I32, AnyArray] | None = None
        self.noted: list[Noted] = []

    def note(self, event: Event, start: int, rows: Bool) -> None:
        """Note that something is to be counted of some of the rows from `start` on."""
        self.noted.append(Noted(event, start, rows))

    def slot(self, name: str, start: int, stop: int, valid: Bool | None = None) -> AnyArray:
        """Memory to write rows `start` to `stop` of a column into (not for TEXT and U32_LIST).

        Addresses are (n, 16) bytes. The caller must write every row. `valid` marks the known rows; None: all.
        """
        self._known.setdefault(name, []).append((start, stop, valid))
        return self.memory(name, start, stop)

    def memory(self, name: str, start: int, stop: int) -> AnyArray:
        """The same memory, before it is known which rows will be valid; `slot` must be called too."""
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self.scratch(name, self.rows)
        return column[start:stop]

    def scratch(self, name: str, rows: int) -> AnyArray:
        """Memory for so many rows of a column (not for TEXT and U32_LIST) that is no part of it."""
        kind = self._schema[name].kind
        return np.empty((rows, 16) if kind is Kind.ADDRESS else rows, kind.dtype)

    def put(self, name: str, start: int, stop: int, values: Values, valid: Bool | None = None) -> None:
        """Write rows `start` to `stop` of a column."""
        match values:
            case Coded():
                self._texts.setdefault(name, []).append(_Text(start, stop, values))
                self._known.setdefault(name, []).append((start, stop, valid))
            case Lists():
                self._lists.setdefault(name, []).append(_List(start, stop, values))
                self._known.setdefault(name, []).append((start, stop, valid))
            case _:
                self.slot(name, start, stop, valid)[...] = values

    def exporters(self, codes: I32, addresses: AnyArray) -> None:
        """Set ExporterAddress of all rows."""
        self._exporter = codes, addresses

    def finish(self, datagram: I32) -> FlowBatch:
        """The batch; rows of a column that no part wrote are zero and unknown."""
        flows = FlowBatch(self.rows, datagram=datagram)
        for name, column in self._columns.items():
            flows.put(name, column, self._valid(name, column))
        for name, parts in self._texts.items():
            flows.put(name, self._join_texts(parts), self._valid(name, None))
        for name, listed in self._lists.items():
            flows.put(name, self._join_lists(listed), self._valid(name, None))
        if self._exporter is not None:
            flows.put("ExporterAddress", Coded(*self._exporter))
        return flows

    def _valid(self, name: str, column: AnyArray | None) -> Bool | None:
        parts = self._known[name]
        if sum(stop - start for start, stop, _ in parts) == self.rows and all(valid is None for *_, valid in parts):
            return None
        known = np.zeros(self.rows, np.bool_)
        written = known if all(valid is None for *_, valid in parts) else np.zeros(self.rows, np.bool_)
        for start, stop, valid in parts:
            written[start:stop] = True
            known[start:stop] = True if valid is None else valid
        if column is not None and not written.all():
            column[~written] = 0
        return known

    def _join_texts(self, parts: list[_Text]) -> Coded:
        codes = np.zeros(self.rows, np.int32)
        known: dict[str, int] = {"": 0}
        for part in parts:
            values = texts(part.coded.values)
            renumber = np.array([known.setdefault(text, len(known)) for text in values] or [0], np.int32)
            codes[part.start : part.stop] = renumber[part.coded.codes]
        return Coded(codes, list(known))

    def _join_lists(self, parts: list[_List]) -> Lists:
        lengths = np.zeros(self.rows, np.int32)
        for part in parts:
            lengths[part.start : part.stop] = np.diff(part.lists.offsets)
        offsets = np.zeros(self.rows + 1, np.int32)
        np.cumsum(lengths, out=offsets[1:])
        ordered = sorted(parts, key=lambda part: part.start)
        values = [part.lists.values[part.lists.offsets[0] : part.lists.offsets[-1]] for part in ordered]
        return Lists(offsets, np.concatenate(values))
