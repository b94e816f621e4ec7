"""A FlowBatch in ClickHouse's Native format.

A Native block is the number of columns and rows (LEB128), then for each column
its name, its type and its values. Values of numbers and addresses are the
bytes of the NumPy array; nothing is copied but what must change. Texts are
written as LowCardinality: the dictionary once, then one code per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from millrace.batch import Coded, FlowBatch, Lists, Values, plain, texts
from millrace.batch.arrays import AnyArray, Bool
from millrace.errors import ShapeError
from millrace.schema import Column, Kind, Schema

Buffer: TypeAlias = "bytes | memoryview"

# LowCardinality stream: version of the keys' serialization, then per block the
# width of the codes with the flags "keys follow" and "dictionary is new".
_KEYS_VERSION = 1
_FLAGS = (1 << 9) | (1 << 10)
_CODES = ((0xFF, "<u1"), (0xFFFF, "<u2"), (0xFFFFFFFF, "<u4"))
_DENSE_KEYS = 4096


def encode(flows: FlowBatch, schema: Schema) -> list[Buffer]:
    """Encode the columns that a batch has as one Native block.

    Parameters
    ----------
    flows : FlowBatch
        Its arrays are viewed, not copied: it must live as long as the result.
    schema : Schema

    Returns
    -------
    list of bytes-like
        To be written one after the other.

    Raises
    ------
    SchemaError
        If a column is not in the schema.
    ShapeError
        If a code of a text column lies outside its dictionary.
    """
    out: list[Buffer] = [_varint(len(flows.columns)), _varint(flows.rows)]
    for name, values in flows.columns.items():
        column = schema[name]
        out += [_string(name), _string(column.clickhouse)]
        if flows.rows:
            out += _column(column, values, flows.valid.get(name))
    return out


def structure(names: Iterable[str], schema: Schema) -> str:
    """Column list of a Native block, for the ``file`` table function."""
    return ", ".join(f"`{name}` {schema[name].clickhouse}" for name in names)


def _column(column: Column, values: Values, valid: Bool | None) -> list[Buffer]:
    match values:
        case Lists():
            first = values.offsets[0]
            ends = (values.offsets[1:] - first).astype("<u8")
            return [_bytes(ends), _bytes(values.values[first : values.offsets[-1]].astype("<u4", copy=False))]
        case Coded() if column.kind is Kind.TEXT:
            return _low_cardinality(column.name, values, valid)
    array = plain(values)
    if valid is not None and (column.default or isinstance(values, Coded)):
        array = array.copy()
        array[~valid] = column.default
    if column.kind is Kind.ENUM and len(column.values) <= int(array.max()):
        # A code without a name would make the stored column unreadable.
        array = np.where(array < len(column.values), array, 0)
    return [_bytes(array.astype(column.kind.dtype.newbyteorder("<"), copy=False))]


def _low_cardinality(name: str, values: Coded, valid: Bool | None) -> list[Buffer]:
    """Dictionary-coded texts; key 0 is the empty text, which also stands for unknown."""
    count = len(values.values)
    codes = values.codes
    if count and (int(codes.max()) >= count or int(codes.min()) < 0):
        raise ShapeError(f"column {name!r} has a code outside its dictionary of {count} texts")
    keys: Sequence[str] = texts(values.values) if count <= _DENSE_KEYS else []
    shifted = codes.astype(np.int64) + 1 if count else np.zeros(len(codes), np.int64)
    if count > _DENSE_KEYS:
        # Of a long dictionary write only what this batch uses.
        used = np.flatnonzero(np.bincount(codes, minlength=count))
        renumber = np.zeros(count, np.int64)
        renumber[used] = np.arange(1, len(used) + 1)
        keys = [str(values.values[int(index)]) for index in used]
        shifted = renumber[codes]
    if valid is not None:
        shifted = np.where(valid, shifted, 0)
    width, dtype = next((w, dtype) for w, (largest, dtype) in enumerate(_CODES) if len(keys) <= largest)
    header = np.array([_KEYS_VERSION, width | _FLAGS, len(keys) + 1], "<u8")
    text = b"".join((b"\0", *(_string(key) for key in keys)))
    rows = np.array([len(codes)], "<u8")
    return [header.tobytes(), text, rows.tobytes(), _bytes(shifted.astype(dtype))]


def _bytes(array: AnyArray) -> memoryview:
    return memoryview(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _string(text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return _varint(len(raw)) + raw
