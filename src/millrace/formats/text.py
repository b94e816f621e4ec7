"""Columns as people read them: addresses, MAC addresses and times in text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from millrace.batch import address_text
from millrace.schema import Kind, Schema


def readable(table: pa.Table, schema: Schema) -> pa.Table:
    """Render addresses and MAC addresses of a canonical table as text.

    Other columns stay as they are; nulls stay null.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of `schema`, as `FlowBatch.to_arrow` gives them.
    schema : Schema
    """
    for index, name in enumerate(table.column_names):
        kind = schema[name].kind if name in schema else None
        if kind is Kind.ADDRESS:
            table = table.set_column(index, name, _by_distinct(table.column(name), address_text))
        elif kind is Kind.MAC:
            table = table.set_column(index, name, _by_distinct(table.column(name), mac_text))
    return table


def mac_text(mac: int) -> str:
    """Text of a MAC address given as a 48-bit number: ``02:00:00:00:00:01``."""
    return mac.to_bytes(8, "big")[2:].hex(":")


def _by_distinct(column: pa.ChunkedArray, text: Callable[[Any], str]) -> pa.Array:
    """Render each distinct value once."""
    coded = pc.dictionary_encode(column).unify_dictionaries()
    if not coded.num_chunks:
        return pa.array([], pa.string())
    values = pa.array([text(value) for value in coded.chunk(0).dictionary.to_pylist()], pa.string())
    indices = pa.concat_arrays([chunk.indices for chunk in coded.chunks])
    return values.take(indices)
