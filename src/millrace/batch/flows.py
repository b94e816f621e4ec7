"""A batch of flows as columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from millrace.batch.arrays import I32, I64, U32, AnyArray, Bool
from millrace.errors import ShapeError
from millrace.schema import Kind, Schema
from millrace.schema.column import Column


@dataclass(frozen=True, slots=True)
class Coded:
    """A dictionary-coded column: few distinct values, many rows.

    Parameters
    ----------
    codes : ndarray of int32, shape (n,)
        Index into `values` of each row.
    values : list of str, or ndarray of uint8 of shape (k, 16)
        Distinct texts, or distinct addresses. May hold unused entries.
    """

    codes: I32
    values: Sequence[str] | AnyArray

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True)
class Lists:
    """A column of lists.

    Parameters
    ----------
    offsets : ndarray of int32, shape (n + 1,)
        Row i is ``values[offsets[i]:offsets[i + 1]]``.
    values : ndarray of uint32
    """

    offsets: I32
    values: U32

    def __len__(self) -> int:
        return len(self.offsets) - 1


Values: TypeAlias = "AnyArray | Coded | Lists"


@dataclass(slots=True)
class FlowBatch:
    """Flows as named columns of one length.

    A column that is absent is unknown for every row; a row that is False in
    ``valid[name]`` is unknown for that row (its value is then zero or empty).
    Columns are as `millrace.schema.column.Kind` says; TEXT columns are
    `Coded` with str values, ADDRESS columns are (n, 16) arrays or `Coded`
    with (k, 16) values, U32_LIST columns are `Lists`.

    Parameters
    ----------
    rows : int
        Number of flows.
    columns : dict
        Values by column name.
    valid : dict
        For columns that are not known in every row: bool array, shape (rows,).
    datagram : ndarray of int32, shape (rows,), optional
        Which datagram of the decoded batch each flow came from. Not stored;
        lets `ordered` restore wire order.
    """

    rows: int
    columns: dict[str, Values] = field(default_factory=dict)
    valid: dict[str, Bool] = field(default_factory=dict)
    datagram: I32 | None = None

    def __len__(self) -> int:
        return self.rows

    def put(self, name: str, values: Values, valid: Bool | None = None) -> None:
        """Set a column; `valid` marks the rows that are known (None: all).

        Raises
        ------
        ShapeError
            If the number of values differs from the number of rows.
        """
        if len(values) != self.rows or (valid is not None and len(valid) != self.rows):
            raise ShapeError(f"column {name!r} has {len(values)} values for {self.rows} rows")
        self.columns[name] = values
        if valid is None:
            self.valid.pop(name, None)
        else:
            self.valid[name] = valid

    @property
    def nbytes(self) -> int:
        """Bytes that the batch keeps in memory: whole arrays where it views parts, dictionaries too, each once."""
        held: dict[int, AnyArray | Sequence[str]] = {}
        for values in (*self.columns.values(), *self.valid.values(), self.datagram):
            for part in _parts(values):
                owner = _owner(part)
                held[id(owner)] = owner
        return sum(map(_size, held.values()))

    def take(self, index: I64) -> FlowBatch:
        """New batch of the rows at `index`, in that order (copies)."""
        taken = FlowBatch(len(index), datagram=None if self.datagram is None else self.datagram[index])
        for name, values in self.columns.items():
            mask = self.valid.get(name)
            taken.put(name, _take(values, index), None if mask is None else mask[index])
        return taken

    def ordered(self) -> FlowBatch:
        """The same flows in the order of their datagrams (copies unless already so)."""
        if self.datagram is None or not np.any(self.datagram[1:] < self.datagram[:-1]):
            return self
        return self.take(np.argsort(self.datagram, kind="stable"))

    @classmethod
    def concat(cls, parts: Sequence[FlowBatch], schema: Schema) -> FlowBatch:
        """Join batches; a column that a part lacks is unknown in that part's rows.

        Copies, except that a single part is returned as it is.
        """
        parts = [part for part in parts if part.rows]
        if len(parts) == 1:
            return parts[0]
        joined = cls(sum(part.rows for part in parts))
        names = dict.fromkeys(name for part in parts for name in part.columns)
        for name in names:
            column = schema[name]
            joined.put(name, _concat(column, parts, joined.rows), _concat_valid(name, parts, joined.rows))
        if parts and all(part.datagram is not None for part in parts):
            joined.datagram = np.concatenate([part.datagram for part in parts if part.datagram is not None])
        return joined

    def to_arrow(self, schema: Schema, *, missing: bool = True) -> pa.Table:
        """Arrow table in the canonical schema; unknown values are null.

        Numeric and address columns share memory with the batch.

        Parameters
        ----------
        schema : Schema
            Gives order and types.
        missing : bool
            Also make the columns that this batch lacks, all null.
        """
        arrays: list[pa.Array] = []
        fields: list[pa.Field] = []
        for column in schema:
            values = self.columns.get(column.name)
            if values is None and not missing:
                continue
            arrays.append(
                pa.nulls(self.rows, column.kind.arrow)
                if values is None
                else _to_arrow(column, values, self.valid.get(column.name))
            )
            fields.append(schema.arrow.field(column.name))
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _parts(values: Values | None) -> tuple[AnyArray | Sequence[str], ...]:
    """Arrays and dictionaries of a column."""
    if isinstance(values, np.ndarray):
        return (values,)
    match values:
        case Coded():
            return values.codes, values.values
        case Lists():
            return values.offsets, values.values
    return ()


def _owner(part: AnyArray | Sequence[str]) -> AnyArray | Sequence[str]:
    """What holds the bytes that an array may be a view of."""
    while isinstance(part, np.ndarray) and isinstance(part.base, np.ndarray):
        part = part.base
    return part


def _size(held: AnyArray | Sequence[str]) -> int:
    if isinstance(held, np.ndarray):
        return int(held.nbytes)
    joined = "".join(held)
    # All of them at once where each character is a byte, which is mostly so.
    taken = len(held) * _EMPTY_TEXT_BYTES + len(joined) if joined.isascii() else sum(map(sys.getsizeof, held))
    return sys.getsizeof(held) + taken


_EMPTY_TEXT_BYTES = sys.getsizeof("")


def texts(values: Sequence[str] | AnyArray) -> list[str]:
    """The dictionary of a TEXT column as a list of str."""
    return [str(value) for value in values]


def plain(values: AnyArray | Coded) -> AnyArray:
    """Undo the coding of an address column: ndarray of uint8, shape (n, 16)."""
    if isinstance(values, Coded):
        return np.asarray(values.values, np.uint8).reshape(-1, 16)[values.codes]
    return values


def _take(values: Values, index: I64) -> Values:
    match values:
        case Coded():
            return Coded(values.codes[index], values.values)
        case Lists():
            lengths = np.diff(values.offsets)[index].astype(np.int64)
            offsets = np.zeros(len(index) + 1, np.int32)
            np.cumsum(lengths, out=offsets[1:])
            source = np.repeat(values.offsets[:-1][index] - offsets[:-1], lengths) + np.arange(offsets[-1])
            return Lists(offsets, values.values[source])
        case _:
            return values[index]


def _concat(column: Column, parts: Sequence[FlowBatch], rows: int) -> Values:
    if column.kind is Kind.TEXT:
        return _concat_texts(column.name, parts, rows)
    if column.kind is Kind.U32_LIST:
        return _concat_lists(column.name, parts, rows)
    wide = column.kind is Kind.ADDRESS
    if wide and all(isinstance(part.columns.get(column.name), Coded) for part in parts):
        return _concat_coded_addresses(column.name, parts)
    out = np.zeros((rows, 16) if wide else rows, column.kind.dtype)
    row = 0
    for part in parts:
        values = part.columns.get(column.name)
        if values is not None:
            assert not isinstance(values, Lists)
            out[row : row + part.rows] = plain(values)
        row += part.rows
    return out


def _concat_texts(name: str, parts: Sequence[FlowBatch], rows: int) -> Coded:
    codes = np.zeros(rows, np.int32)
    known: dict[str, int] = {"": 0}
    row = 0
    for part in parts:
        values = part.columns.get(name)
        if values is not None:
            assert isinstance(values, Coded)
            renumber = np.array([known.setdefault(text, len(known)) for text in texts(values.values)] or [0], np.int32)
            codes[row : row + part.rows] = renumber[values.codes]
        row += part.rows
    return Coded(codes, list(known))


def _concat_coded_addresses(name: str, parts: Sequence[FlowBatch]) -> Coded:
    known: dict[bytes, int] = {}
    codes: list[I32] = []
    for part in parts:
        values = part.columns[name]
        assert isinstance(values, Coded)
        packed = np.ascontiguousarray(values.values, np.uint8).reshape(-1, 16)
        renumber = np.array([known.setdefault(row.tobytes(), len(known)) for row in packed] or [0], np.int32)
        codes.append(renumber[values.codes])
    return Coded(np.concatenate(codes), np.frombuffer(b"".join(known), np.uint8).reshape(-1, 16))


def _concat_lists(name: str, parts: Sequence[FlowBatch], rows: int) -> Lists:
    lengths = np.zeros(rows, np.int32)
    values: list[U32] = []
    row = 0
    for part in parts:
        lists = part.columns.get(name)
        if lists is not None:
            assert isinstance(lists, Lists)
            lengths[row : row + part.rows] = np.diff(lists.offsets)
            values.append(lists.values[lists.offsets[0] : lists.offsets[-1]])
        row += part.rows
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return Lists(offsets, np.concatenate(values) if values else np.zeros(0, np.uint32))


def _concat_valid(name: str, parts: Sequence[FlowBatch], rows: int) -> Bool | None:
    if all(name in part.columns and name not in part.valid for part in parts):
        return None
    valid = np.zeros(rows, np.bool_)
    row = 0
    for part in parts:
        if name in part.columns:
            valid[row : row + part.rows] = part.valid.get(name, True)
        row += part.rows
    return valid


def _to_arrow(column: Column, values: Values, valid: Bool | None) -> pa.Array:
    mask = None if valid is None else ~valid
    match values:
        case Lists():
            offsets = pa.array(values.offsets, pa.int32(), mask=None if mask is None else np.append(mask, False))
            return pa.ListArray.from_arrays(offsets, pa.array(values.values, pa.uint32()))
        case Coded() if column.kind is Kind.TEXT:
            codes = pa.array(values.codes, pa.int32(), mask=mask)
            return pa.DictionaryArray.from_arrays(codes, pa.array(texts(values.values), pa.string()))
    data: AnyArray = plain(values)
    if column.kind is Kind.ADDRESS:
        validity = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
        buffer = pa.py_buffer(np.ascontiguousarray(data))
        return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(data), [validity, buffer])
    if column.kind is Kind.ENUM:
        codes = pa.array(data.astype(np.int8), pa.int8(), mask=mask)
        return pa.DictionaryArray.from_arrays(codes, pa.array(column.values, pa.string()))
    array: Any = pa.array(np.ascontiguousarray(data), mask=mask)
    return array.view(column.kind.arrow) if column.kind is Kind.TIME_MS else array
