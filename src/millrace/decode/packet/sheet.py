"""Columns while they are being filled, a layer at a time."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from millrace.batch import FlowBatch, Lists, spans
from millrace.batch.arrays import I64, AnyArray, Bool
from millrace.schema import Kind, Schema

ADDRESS = np.dtype((np.void, 16))
"""Addresses are moved as single items of 16 bytes: one copy per row instead of a loop over bytes."""

_EVERY_ROW: Bool = np.zeros(0, np.bool_)


class Sheet:
    """Columns of a fixed number of rows that are written piecewise.

    A later write wins. Arrays given for all rows are taken over, not copied.

    Parameters
    ----------
    schema : Schema
        Gives the type of each column.
    rows : int
    """

    def __init__(self, schema: Schema, rows: int) -> None:
        self._dtypes = _dtypes(schema)
        self.rows = rows
        self._columns: dict[str, AnyArray] = {}
        self._valid: dict[str, Bool] = {}
        self._lists: dict[str, tuple[Lists, Bool]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._columns or name in self._lists

    def target(self, rows: I64) -> I64 | None:
        """Distinct ascending rows, or None if they are all."""
        return None if len(rows) == self.rows else rows

    def put(self, name: str, rows: I64 | None, values: AnyArray) -> None:
        """Write values; `rows` is None for all rows in order.

        Parameters
        ----------
        name : str
        rows : ndarray of int64, shape (k,), optional
            Distinct rows.
        values : ndarray, shape (k,)
            Of any integer type that fits, or of `ADDRESS`.
        """
        self.put_all(rows, {name: values})

    def put_all(self, rows: I64 | None, columns: dict[str, AnyArray]) -> None:
        """Write several columns of the same rows, as `put` does.

        Masks are replaced and never modified, so that columns written
        together share one.
        """
        marked: dict[int, Bool] = {}
        for name, values in columns.items():
            dtype = self._dtypes[name]
            if rows is None:
                self._columns[name] = np.ascontiguousarray(values, dtype)
                self._valid[name] = _EVERY_ROW
                continue
            before = self._valid.get(name)
            if before is None:
                self._columns[name] = np.zeros(self.rows, dtype)
            self._columns[name][rows] = values
            if before is _EVERY_ROW:
                continue
            mask = marked.get(id(before))
            if mask is None:
                mask = np.zeros(self.rows, np.bool_) if before is None else before.copy()
                mask[rows] = True
                marked[id(before)] = mask
            self._valid[name] = mask

    def put_known(self, name: str, rows: I64 | None, values: AnyArray, known: Bool) -> None:
        """Write only the values that are known."""
        if known.all():
            self.put(name, rows, values)
            return
        index = np.flatnonzero(known)
        if len(index):
            self.put(name, index if rows is None else rows[index], values[index])

    def put_missing(self, name: str, rows: I64 | None, values: AnyArray, known: Bool | None = None) -> None:
        """Write known values of rows that nothing was written to before."""
        if name in self._columns:
            missing = ~self.known(name) if rows is None else ~self.known(name)[rows]
            known = missing if known is None else known & missing
        if known is None:
            self.put(name, rows, values)
        else:
            self.put_known(name, rows, values, known)

    def put_lists(self, name: str, lists: Lists, known: Bool) -> None:
        """Set a column of lists as a whole; `known`, shape (rows,), marks the rows that have one."""
        self._lists[name] = (lists, known)

    def get(self, name: str, rows: I64) -> AnyArray:
        """Values of a column that was written, at some rows."""
        return self._columns[name][rows]

    def lists(self, name: str) -> tuple[Lists, Bool] | None:
        """A column of lists and the rows that have one, or None."""
        return self._lists.get(name)

    def known(self, name: str) -> Bool:
        """Rows that were written; shape (rows,). Not to be modified."""
        mask = self._valid.get(name)
        if mask is None:
            return np.zeros(self.rows, np.bool_)
        return np.ones(self.rows, np.bool_) if mask is _EVERY_ROW else mask

    def clear(self, name: str, rows: I64) -> None:
        """Make rows unknown again."""
        column = self._columns.get(name)
        if column is None:
            return
        column[rows] = np.zeros((), column.dtype)
        mask = self.known(name).copy()
        mask[rows] = False
        self._valid[name] = mask

    def merge(self, flows: FlowBatch, rows: I64 | None) -> None:
        """Write the known values of a batch whose row i is our row ``rows[i]`` (None: the same rows)."""
        for name, values in flows.columns.items():
            known = flows.valid.get(name)
            if isinstance(values, Lists):
                self._merge_lists(name, values, known, rows)
                continue
            assert isinstance(values, np.ndarray)
            flat = values.view(ADDRESS).reshape(-1) if values.ndim == 2 else values
            if rows is None and name not in self._columns:
                self._columns[name] = flat
                self._valid[name] = _EVERY_ROW if known is None else known
            elif known is None:
                self.put(name, rows, flat)
            else:
                self.put_known(name, rows, flat, known)

    def flows(self) -> FlowBatch:
        """The columns that some row has."""
        batch = FlowBatch(self.rows)
        for name, column in self._columns.items():
            mask = self._valid[name]
            values = column.view(np.uint8).reshape(-1, 16) if column.dtype == ADDRESS else column
            if mask is _EVERY_ROW or mask.all():
                batch.put(name, values)
            elif mask.any():
                batch.put(name, values, mask)
        for name, (lists, known) in self._lists.items():
            if known.any():
                batch.put(name, lists, None if known.all() else known)
        return batch

    def _merge_lists(self, name: str, lists: Lists, known: Bool | None, rows: I64 | None) -> None:
        known = np.ones(len(lists), np.bool_) if known is None else known
        if rows is None:
            self._lists[name] = (lists, known)
            return
        everywhere = np.zeros(self.rows, np.bool_)
        everywhere[rows] = known
        self._lists[name] = (ragged(self.rows, rows, np.diff(lists.offsets), lists.values), everywhere)


@lru_cache(maxsize=8)
def _dtypes(schema: Schema) -> dict[str, np.dtype[np.generic]]:
    return {column.name: ADDRESS if column.kind is Kind.ADDRESS else column.kind.dtype for column in schema}


def ragged(rows: int, owner: I64, lengths: AnyArray, values: AnyArray) -> Lists:
    """Join chunks of values into one list per row.

    Parameters
    ----------
    rows : int
    owner : ndarray of int64, shape (k,)
        Row that each chunk belongs to; chunks of one row are joined in order.
    lengths : ndarray of integers, shape (k,)
        Values in each chunk.
    values : ndarray, shape (sum of lengths,)
    """
    lengths = lengths.astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    offsets = np.zeros(rows + 1, np.int32)
    offsets[1:] = np.cumsum(np.bincount(owner, lengths, rows))
    if (owner[1:] < owner[:-1]).any():
        order = np.argsort(owner, kind="stable")
        starts, lengths = starts[order], lengths[order]
        values = values[np.repeat(starts, lengths) + spans(lengths)]
    return Lists(offsets, values.astype(np.uint32))
