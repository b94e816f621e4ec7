"""JSON lines, built column by column."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def json_lines(table: pa.Table) -> bytes:
    """JSON, one object per row and line; nulls are left out.

    The text of every value of a column is made at once, then all columns are
    joined row by row: no Python object per flow.

    Parameters
    ----------
    table : pyarrow.Table
        As `readable` gives it: numbers, text, times, lists of numbers or texts.
    """
    if not table.num_rows:
        return b""
    members = [
        _member(name, table.column(name)) for name in table.column_names if table.column(name).null_count < len(table)
    ]
    blank = pa.chunked_array([[""] * table.num_rows], pa.string())
    joined = _join(blank, *members) if members else blank
    rows = _join("{", pc.utf8_rtrim(joined, ","), "}\n").combine_chunks()
    return b"".join(_bytes_of(chunk) for chunk in (rows.chunks if isinstance(rows, pa.ChunkedArray) else [rows]))


def _member(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """``"name":value,`` of each row; null where the value is."""
    return pc.binary_join_element_wise(f"{json.dumps(name)}:", _value(column), ",", "")


def _value(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return pa.chunked_array([_coded_text(chunk) for chunk in column.chunks], pa.string())
    if pa.types.is_string(kind):
        return _value(pc.dictionary_encode(column))
    if pa.types.is_timestamp(kind):
        local = column.cast(pa.timestamp(kind.unit)).cast(pa.string())
        return pc.binary_join_element_wise('"', pc.replace_substring(local, " ", "T"), 'Z"', "")
    if pa.types.is_list(kind):
        return pa.chunked_array([_list_text(chunk) for chunk in column.chunks], pa.string())
    return column.cast(pa.string())


def _coded_text(chunk: pa.DictionaryArray) -> pa.StringArray:
    quoted = pa.array(
        [None if text is None else json.dumps(text) for text in chunk.dictionary.to_pylist()], pa.string()
    )
    return quoted.take(chunk.indices)


def _list_text(chunk: pa.ListArray) -> pa.Array:
    items = chunk.values
    quoted = _coded_text(items.dictionary_encode()) if pa.types.is_string(items.type) else items.cast(pa.string())
    texts = pa.ListArray.from_arrays(chunk.offsets, quoted)
    inner = pc.binary_join_element_wise("[", pc.binary_join(texts, ","), "]", "")
    return pc.if_else(chunk.is_valid(), inner, pa.scalar(None, pa.string()))


def _join(*parts: object) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement="")


def _bytes_of(array: pa.StringArray) -> bytes:
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    return bytes(memoryview(array.buffers()[2])[offsets[0] : offsets[-1]])
