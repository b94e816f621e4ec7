"""Records of the data sets of one layout, located and readable field by field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import spans, windows
from millrace.batch.arrays import I64, U8, AnyArray
from millrace.decode.netflow.blocks import copy_blocks, record_starts
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.shape import Shape

_FEW_SETS = 16
"""Below this many sets a plain scan of the bytes is cheaper than a step of array operations."""


@dataclass(slots=True)
class Records:
    """Records of the sets of one layout.

    Attributes
    ----------
    shape : Shape
    arena : ndarray of uint8
    counts : ndarray of int64, shape (sets,)
        Records of each set.
    rest : ndarray of int64, shape (sets,)
        Bytes of each set that are no record.
    padding : ndarray of int64, shape (sets,)
        Records that were taken for padding because nothing but zero bytes follows their start.
    segment_start : list of ndarray of int64, shape (n,)
        Where each segment of each record starts (empty for fixed layouts until asked for).
    variable_start, variable_length : list of ndarray of int64, shape (n,)
        Content of each variable-length field.
    """

    shape: Shape
    arena: U8
    counts: I64
    rest: I64
    padding: I64
    set_start: I64
    segment_start: list[I64]
    variable_start: list[I64]
    variable_length: list[I64]
    _views: dict[int, AnyArray]
    _total: int = -1

    def __len__(self) -> int:
        if self._total < 0:
            self._total = int(self.counts.sum())
        return self._total

    def segment(self, number: int) -> AnyArray:
        """Structured array of one segment of all records (copied once)."""
        view = self._views.get(number)
        if view is None:
            dtype = self.shape.segments[number]
            if self.shape.fixed:
                view = copy_blocks(self.arena, self.set_start, self.counts, dtype)
            else:
                raw = windows(self.arena, np.dtype((np.void, dtype.itemsize)))[self.segment_start[number]]
                view = raw.view(dtype)
            self._views[number] = view
        return view

    def number(self, field: int) -> AnyArray:
        """Unsigned integers of a field, of any size and byte order; the low 64 bits of longer ones."""
        place = self.shape.places[field]
        if place.segment < 0:
            return self._variable_number(place.variable)
        if not place.length:
            return np.zeros(len(self), np.uint8)
        return _compose(self.segment(place.segment)[place.name], place.length)

    def raw(self, field: int) -> AnyArray:
        """Bytes of a fixed-length field, shape (n, length)."""
        place = self.shape.places[field]
        n = len(self)
        if not place.length:
            return np.zeros((n, 0), np.uint8)
        dtype = self.shape.segments[place.segment]
        everything = self.segment(place.segment).view(np.uint8).reshape(n, dtype.itemsize)
        return everything[:, place.offset : place.offset + place.length]

    def extent(self, field: int) -> tuple[I64, I64]:
        """Start in the arena and length in bytes of a field of any kind."""
        place = self.shape.places[field]
        if place.segment < 0:
            return self.variable_start[place.variable], self.variable_length[place.variable]
        if self.shape.fixed:
            starts = record_starts(self.set_start, self.counts, self.shape.least)
        else:
            starts = self.segment_start[place.segment]
        return starts + place.offset, np.full(len(self), place.length, np.int64)

    def longest(self, field: int) -> int:
        """Bytes of the longest value of a field."""
        place = self.shape.places[field]
        return place.length if place.segment >= 0 else int(self.variable_length[place.variable].max(initial=0))

    def padded(self, field: int, limit: int, which: I64 | None = None) -> U8:
        """Bytes of a field of any kind, cut at `limit` and filled up with zeros, shape (n, width).

        `which`: of these records only; of a field of variable length.
        """
        place = self.shape.places[field]
        if place.segment >= 0:
            return self.raw(field)[:, :limit]
        start, length = self.variable_start[place.variable], self.variable_length[place.variable]
        if which is not None:
            start, length = start[which], length[which]
        length = np.minimum(length, limit)
        width = int(length.max(initial=0))
        out = np.zeros((len(start), width), np.uint8)
        rows = np.repeat(np.arange(len(start)), length)
        within = spans(length)
        out[rows, within] = self.arena[np.repeat(start, length) + within]
        return out

    def _variable_number(self, variable: int) -> AnyArray:
        start, length = self.variable_start[variable], self.variable_length[variable]
        skipped = np.maximum(length - 8, 0)
        start, length = start + skipped, length - skipped
        value = np.zeros(len(start), np.uint64)
        for i in range(int(length.max(initial=0))):
            more = i < length
            byte = self.arena[np.where(more, start + i, 0)].astype(np.uint64)
            value = np.where(more, (value << np.uint64(8)) | byte, value)
        return value


def _compose(values: AnyArray, length: int) -> AnyArray:
    if values.dtype.names is not None:
        high = _compose(values["high"], length - values.dtype["low"].itemsize).astype(np.uint64)
        both: AnyArray = (high << np.uint64(8 * values.dtype["low"].itemsize)) | values["low"]
        return both
    if values.ndim == 2:
        low: AnyArray = np.ascontiguousarray(values[:, -8:]).view(">u8").reshape(-1)
        return low
    return values


def find_records(sets: Sets, shape: Shape) -> Records:
    """Locate the records of sets that have the same layout."""
    if shape.fixed:
        return _find_fixed(sets, shape)
    return _find_variable(sets, shape)


def _find_fixed(sets: Sets, shape: Shape) -> Records:
    size = shape.least
    room = sets.stop - sets.start
    counts = room // size
    rest = room - counts * size
    padding = np.zeros(len(sets), np.int64)
    ends_in_zero = np.flatnonzero((counts > 0) & (sets.arena[sets.start + counts * size - 1] == 0))
    if len(ends_in_zero):
        last = sets.start[ends_in_zero] + (counts[ends_in_zero] - 1) * size
        blank = ~windows(sets.arena, np.dtype((np.uint8, (size,))))[last].any(axis=1)
        for at in ends_in_zero[blank].tolist():
            kept = -(-_zero_tail(sets, at) // size)
            padding[at] = max(0, counts[at] - kept)
        counts = counts - padding
    return Records(shape, sets.arena, counts, rest, padding, sets.start, [], [], [], {})


def _zero_tail(sets: Sets, at: int) -> int:
    """Bytes of a set before the zeros at its end."""
    return len(sets.arena[sets.start[at] : sets.stop[at]].tobytes().rstrip(b"\0"))


def _find_variable(sets: Sets, shape: Shape) -> Records:
    set_index, ordinal, marks, rest = _walk(sets, shape)
    order = np.lexsort((ordinal, set_index))
    set_index, marks = set_index[order], marks[:, order]
    padding = np.zeros(len(sets), np.int64)
    if len(set_index):
        first = marks[0] if shape.steps[0] >= 0 else marks[0] - 1
        zero_from = sets.stop.copy()
        for at in np.flatnonzero((sets.stop > sets.start) & (sets.arena[sets.stop - 1] == 0)).tolist():
            zero_from[at] = sets.start[at] + _zero_tail(sets, at)
        data = first < zero_from[set_index]
        if not data.all():
            padding = np.bincount(set_index[~data], minlength=len(sets))
            set_index, marks = set_index[data], marks[:, data]
    counts = np.bincount(set_index, minlength=len(sets))
    records = Records(shape, sets.arena, counts, rest, padding, sets.start, [], [], [], {})
    row = 0
    for step in shape.steps:
        if step >= 0:
            records.segment_start.append(marks[row])
            row += 1
        else:
            records.variable_start.append(marks[row])
            records.variable_length.append(marks[row + 1])
            row += 2
    return records


def _walk(sets: Sets, shape: Shape) -> tuple[I64, I64, AnyArray, I64]:
    """Walk through the records of every set: one cursor per set, one record per step.

    Returns
    -------
    set_index, ordinal : ndarray of int64, shape (n,)
        Which set each record belongs to, and which record of it it is.
    marks : ndarray of int64, shape (marks, n)
        For each step of the shape: where the segment starts, or where the
        content of the variable-length field starts and its length.
    rest : ndarray of int64, shape (sets,)
        Bytes left over.
    """
    arena = sets.arena
    wide = windows(arena, ">u2")
    last = len(arena) - 4
    row = np.arange(len(sets))
    cursor = sets.start.copy()
    stop = sets.stop
    rest = stop - cursor
    found: list[tuple[I64, int, list[I64]]] = []
    ordinal = 0
    while len(row) > _FEW_SETS:
        at = cursor[row]
        marks: list[I64] = []
        for step in shape.steps:
            if step >= 0:
                marks.append(at)
                at = at + shape.segments[step].itemsize
                continue
            safe = np.minimum(at, last)
            length = arena[safe].astype(np.int64)
            long = length == 255
            if long.any():
                length = np.where(long, wide[safe + 1], length)
            at = at + np.where(long, 3, 1)
            marks += [at, length]
            at = at + length
        whole = at <= stop[row]
        if not whole.all():
            row, at, marks = row[whole], at[whole], [mark[whole] for mark in marks]
        cursor[row] = at
        found.append((row, ordinal, marks))
        ordinal += 1
        going = stop[row] - at >= shape.least
        row = row[going]
    rest = stop - cursor
    scans = [_scan(sets, shape, int(index), int(cursor[index]), ordinal) for index in row.tolist()]
    for index, scan in zip(row.tolist(), scans, strict=True):
        rest[index] = scan.rest
    width = sum(1 if step >= 0 else 2 for step in shape.steps)
    set_index = np.concatenate([np.zeros(0, np.int64), *(r for r, _, _ in found), *(s.row for s in scans)])
    ordinals = np.concatenate(
        [np.zeros(0, np.int64), *(np.full(len(r), o, np.int64) for r, o, _ in found), *(s.ordinal for s in scans)]
    )
    columns = [np.stack(marks) for _, _, marks in found] + [s.marks for s in scans]
    return set_index, ordinals, np.concatenate([np.zeros((width, 0), np.int64), *columns], axis=1), rest


@dataclass(slots=True)
class _Scan:
    row: I64
    ordinal: I64
    marks: AnyArray
    rest: int


def _scan(sets: Sets, shape: Shape, index: int, cursor: int, ordinal: int) -> _Scan:
    """The same walk through one set, byte by byte in Python: cheaper for a long set than array steps of length 1."""
    base = cursor
    data = sets.arena[cursor : sets.stop[index]].tobytes()
    steps = [shape.segments[step].itemsize if step >= 0 else -1 for step in shape.steps]
    marks: list[int] = []
    end = len(data)
    at = done = records = 0
    while end - done >= shape.least:
        row: list[int] = []
        for size in steps:
            if size >= 0:
                row.append(base + at)
                at += size
                continue
            if at + 1 > end:
                break
            length = data[at]
            at += 1
            if length == 255:
                if at + 2 > end:
                    at = end + 1
                    break
                length = data[at] << 8 | data[at + 1]
                at += 2
            row += (base + at, length)
            at += length
        else:
            if at <= end:
                marks += row
                records += 1
                done = at
                continue
        break
    table = np.array(marks, np.int64).reshape(records, -1).T if records else np.zeros((0, 0), np.int64)
    if not records:
        table = np.zeros((sum(1 if size >= 0 else 2 for size in steps), 0), np.int64)
    return _Scan(np.full(records, index), ordinal + np.arange(records), table, end - done)
