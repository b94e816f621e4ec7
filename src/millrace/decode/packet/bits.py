"""Bit ranges of headers that the user wants as columns."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from millrace.batch import windows
from millrace.batch.arrays import I64, U64
from millrace.decode.packet.frames import Frames
from millrace.schema import Kind, Schema
from millrace.schema.column import Column, HeaderBits

_NUMBERS = (Kind.U8, Kind.U16, Kind.U32, Kind.U64, Kind.MAC, Kind.ENUM)


@lru_cache(maxsize=8)
def header_columns(schema: Schema) -> list[tuple[Column, HeaderBits]]:
    """Columns that are bit ranges of a header and can hold a number."""
    return [(column, column.header) for column in schema if column.header is not None and column.kind in _NUMBERS]


def fill_header_columns(frames: Frames, columns: list[tuple[Column, HeaderBits]]) -> None:
    """Fill the user's columns from the headers whose offsets were marked.

    A range is known where the capture shows all of it; bits that do not fit
    the column's type are cut off at the top.
    """
    for column, bits in columns:
        at = frames.marks[bits.layer]
        first, last = bits.offset_bits // 8, (bits.offset_bits + bits.length_bits + 7) // 8
        rows = np.flatnonzero((at >= 0) & (at + last <= frames.stop))
        if len(rows):
            values = _extract(frames, at[rows] + first, bits.offset_bits % 8, bits.length_bits)
            frames.sheet.put(column.name, rows, values.astype(column.kind.dtype))


def _extract(frames: Frames, at: I64, skip: int, length: int) -> U64:
    """Read `length` ≤ 64 bits that begin `skip` < 8 bits after each offset; uint64."""
    word = windows(frames.arena, ">u8")[at].astype(np.uint64)
    ninth = frames.arena[at + 8].astype(np.uint64)
    word = (word << np.uint64(skip)) | (ninth >> np.uint64(8 - skip))
    return word >> np.uint64(64 - length)
