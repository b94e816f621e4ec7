"""Values of columns as JSON can say them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from millrace.batch import address_text
from millrace.query.dimensions import Dimension
from millrace.schema import Column, Kind

Json = str | int | float | list[int] | list[str] | None

Key: TypeAlias = tuple[object, ...]
"""Values of a combination of dimensions, as JSON has them but lists as tuples."""


def json_values(column: Column, values: pa.Array | pa.ChunkedArray) -> list[Json]:
    """Values of a column for JSON; unknown ones are None.

    Addresses (IPv4-mapped ones as IPv4) and MACs are texts, times ISO 8601
    with milliseconds in UTC, enumerations their names, communities ``64500:1``.

    Parameters
    ----------
    column : Column
    values : Array or ChunkedArray
        As a `FlowBatch` or a store gives them.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if column.kind is Kind.TIME_MS:
        return _times(values)
    plain = values.to_pylist()
    shape = _SHAPES.get(column.kind)
    if column.kind is Kind.ENUM:
        return [value if value is None or isinstance(value, str) else column.values[value] for value in plain]
    if column.display == "community":
        return [None if value is None else [_community(item) for item in value] for value in plain]
    return plain if shape is None else [None if value is None else shape(value) for value in plain]


def json_columns(columns: dict[str, Column], table: pa.Table) -> list[dict[str, Json]]:
    """Rows of a table as JSON objects, keys in the order of `columns`."""
    shown = [json_values(column, table.column(name)) for name, column in columns.items()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*shown, strict=True)]


def keys(dimensions: Sequence[Dimension], table: pa.Table, names: Sequence[str] | None = None) -> list[Key]:
    """Combination of dimensions of each row of an answer.

    Parameters
    ----------
    dimensions : sequence of Dimension
    table : Table
    names : sequence of str, optional
        Columns of the table, if they are not named after the dimensions.
    """
    if not dimensions:
        return [()] * table.num_rows
    columns = names or [dimension.alias for dimension in dimensions]
    shown = [dimension_values(d, table.column(name)) for d, name in zip(dimensions, columns, strict=True)]
    return [tuple(tuple(v) if isinstance(v, list) else v for v in row) for row in zip(*shown, strict=True)]


def json_key(key: Key) -> list[Json]:
    """Values of a combination for JSON."""
    return [list(value) if isinstance(value, tuple) else value for value in key]  # type: ignore[misc]  # of `keys`


def dimension_values(dimension: Dimension, values: pa.Array | pa.ChunkedArray) -> list[Json]:
    """Values of a dimension for JSON: as `json_values`, and prefixes where addresses are truncated."""
    shown = json_values(dimension.column, values)
    if not dimension.truncated:
        return shown
    return [value if value is None else _prefix(str(value), dimension.v4, dimension.v6) for value in shown]


def _prefix(address: str, v4: int, v6: int) -> str:
    length, full = (v6, 128) if ":" in address else (v4, 32)
    return address if length == full else f"{address}/{length}"


def _times(values: pa.Array) -> list[Json]:
    moments = values.cast(pa.timestamp("ms", tz="UTC")).cast(pa.int64())
    # A store has no nulls: where a time is unknown it holds 1970.
    known = np.asarray(moments.fill_null(0)) != 0
    texts = np.datetime_as_string(moments.fill_null(0).to_numpy(zero_copy_only=False).astype("M8[ms]"), unit="ms")
    return [f"{text}Z" if valid else None for text, valid in zip(texts.tolist(), known.tolist(), strict=True)]


def _address(value: bytes | str) -> str:
    if isinstance(value, bytes):
        return address_text(value)
    return value.removeprefix("::ffff:") if "." in value else value


def _mac(value: int) -> str:
    return value.to_bytes(6, "big").hex(":") if value < 1 << 48 else f"{value:#x}"


def _community(value: int) -> str:
    return f"{value >> 16}:{value & 0xFFFF}"


_SHAPES: dict[Kind, Callable[..., str]] = {Kind.ADDRESS: _address, Kind.MAC: _mac}
