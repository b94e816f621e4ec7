"""Columns that are the value of an element, by kind.

Of several elements that feed a column the first with a non-zero value wins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from millrace.batch import MAPPED_WORDS, Coded
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.blocks import write_ipv4
from millrace.decode.netflow.clock import Clock
from millrace.decode.netflow.records import Records

_WIDTHS = (16, 64, 256)
"""Texts of variable length up to each of these many bytes are told apart among themselves."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """Integers; `mask` keeps the bits that belong to the value."""

    name: str
    fields: tuple[int, ...]
    mask: int | None = None

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        self.fill(rows.slot(self.name, start, stop), records)

    def limited(self, fields: tuple[int, ...]) -> NumberColumn:
        """The same from some of the fields."""
        return replace(self, fields=fields)

    def fill(self, out: AnyArray, records: Records) -> None:
        """Fill a part of the column."""
        if len(self.fields) == 1:
            out[...] = records.number(self.fields[0])
        else:
            out[...] = first_nonzero([records.number(field) for field in self.fields])
        if self.mask is not None:
            out &= out.dtype.type(self.mask)


def first_nonzero(alternatives: list[AnyArray]) -> AnyArray:
    """Of several integers per row the first that is not zero (uint64)."""
    value = alternatives[0].astype(np.uint64)
    for other in alternatives[1:]:
        value = np.where(value == 0, other, value)
    return value


@dataclass(frozen=True, slots=True)
class DirectionColumn:
    """flowDirection (element 61): 0 ingress, 1 egress; everything else is undefined."""

    name: str
    fields: tuple[int, ...]

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        code = np.minimum(records.number(self.fields[0]), 2).astype(np.uint8) + np.uint8(1)
        rows.slot(self.name, start, stop)[...] = np.where(code <= 2, code, 0)


@dataclass(frozen=True, slots=True)
class AddressColumn:
    """IPv4 (4 bytes) and IPv6 (16 bytes) addresses."""

    name: str
    fields: tuple[int, ...]

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        self.fill(rows.slot(self.name, start, stop), records)

    def limited(self, fields: tuple[int, ...]) -> AddressColumn:
        """The same from some of the fields."""
        return replace(self, fields=fields)

    def fill(self, out: U8, records: Records) -> None:
        """Fill a part of the column."""
        write_address(out, records, self.fields[0])
        if len(self.fields) == 1:
            return
        unset = _is_unspecified(out)
        for field in self.fields[1:]:
            if not unset.any():
                return
            other = np.empty_like(out)
            write_address(other, records, field)
            better = unset & ~_is_unspecified(other)
            out[better] = other[better]
            unset &= ~better


def write_address(out: U8, records: Records, field: int) -> None:
    """Write a field of 4, 16 or a variable number of bytes into an (n, 16) array."""
    place = records.shape.places[field]
    if place.segment < 0:
        _write_variable_address(out, records, field)
    elif place.length == 4:
        write_ipv4(out, records.number(field))
    else:
        out.view(np.uint64)[...] = records.raw(field).view(np.uint64)


def _write_variable_address(out: U8, records: Records, field: int) -> None:
    _, length = records.extent(field)
    wide = np.zeros((len(out), 16), np.uint8)
    known = records.padded(field, 16)
    wide[:, : known.shape[1]] = known
    out[...] = np.where((length == 16)[:, None], wide, 0)
    short = length == 4
    out[short, 10:12] = 0xFF
    out[short, 12:] = wide[short, :4]


def _is_unspecified(addresses: U8) -> Bool:
    """Whether an address is ``::`` or ``0.0.0.0``."""
    words = addresses.view(np.uint32)
    first = (words[:, 0] | words[:, 1]) == 0
    mapped = (words[:, 2] == 0) | (words[:, 2] == MAPPED_WORDS[2])
    zero: Bool = first & mapped & (words[:, 3] == 0)
    return zero


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Strings (RFC 7011 §6.1.6), NUL padding removed, cut at `limit` bytes."""

    name: str
    fields: tuple[int, ...]
    limit: int

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        codes, values = distinct_texts(records, self.fields[0], self.limit)
        for field in self.fields[1:]:
            empty = np.array([not value for value in values] or [False], np.bool_)[codes]
            if not empty.any():
                break
            others, more = distinct_texts(records, field, self.limit)
            codes = np.where(empty, others + len(values), codes)
            values += more
        rows.put(self.name, start, stop, Coded(codes.astype(np.int32), [decode_text(value) for value in values]))


def distinct_texts(records: Records, field: int, limit: int) -> tuple[I64, list[bytes]]:
    """Texts of a field, trailing NULs and what is beyond `limit` bytes left out.

    Texts of variable length are told apart among those of about their length:
    else a long one would have all others of the batch filled up to it.

    Returns
    -------
    codes : ndarray of int64, shape (n,)
        Which of the texts each record has.
    values : list of bytes
        Texts; some may be there twice.
    """
    longest = min(records.longest(field), limit)
    if longest <= _WIDTHS[0] or records.shape.places[field].segment >= 0:
        return _distinct(records.padded(field, limit))
    _, length = records.extent(field)
    width = np.searchsorted(_WIDTHS, np.minimum(length, limit))
    codes, values = np.empty(len(length), np.int64), list[bytes]()
    for one in range(len(_WIDTHS) + 1):
        rows = np.flatnonzero(width == one)
        if len(rows):
            of_rows, some = _distinct(records.padded(field, limit, rows))
            codes[rows] = of_rows + len(values)
            values += some
    return codes, values


def _distinct(padded: U8) -> tuple[I64, list[bytes]]:
    if not padded.shape[1]:
        return np.zeros(len(padded), np.int64), [b""]
    packed = np.ascontiguousarray(padded).view(f"S{padded.shape[1]}").reshape(-1)
    distinct, codes = np.unique(packed, return_inverse=True)
    return codes.reshape(-1), distinct.tolist()


def decode_text(value: bytes) -> str:
    """Text of the bytes of a string element; NULs, of which some exporters' padding consists, end it."""
    return value.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
