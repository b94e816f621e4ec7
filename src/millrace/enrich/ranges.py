"""Looks up whole arrays of addresses in ranges that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from millrace.batch import MAPPED_FIRST, mapped_rows
from millrace.batch.arrays import I32, I64, U8, U64, AnyArray, Bool

_BLOCK = 256
_BLOCKS = 1 << 16
_SPLIT = -1
"""Row of the 2**64 IPv6 addresses that a range begins inside of."""


class RangeTable:
    """Rows by range of addresses; immutable.

    IPv4 addresses are looked up byte by byte in small tables, of which there
    is one for each /16 and each /24 that holds several ranges (1 KiB each);
    IPv6 addresses by binary search over their first 64 bits, and over all of
    them where ranges are narrower.

    Parameters
    ----------
    starts : sequence of int
        First address of each range as a 128-bit number, rising, beginning
        with 0; IPv4 addresses are mapped. A range ends where the next begins.
    rows : sequence of int
        What each range stands for, 0 or more.
    """

    def __init__(self, starts: Sequence[int], rows: Sequence[int]) -> None:
        packed = b"".join(start.to_bytes(16, "big") for start in starts)
        self._starts: AnyArray = np.frombuffer(packed, "S16")
        self._rows: I32 = np.array(rows, np.int32)
        self._block_of, self._blocks, self._narrow = _blocks(*_ipv4_part(starts, rows))
        self._starts6, self._rows6 = _halves(starts, rows)

    def find(self, addresses: U8) -> I32:
        """Row of the range that each address lies in.

        Parameters
        ----------
        addresses : ndarray of uint8, shape (n, 16)

        Returns
        -------
        ndarray of int32, shape (n,)
        """
        addresses = np.ascontiguousarray(addresses)
        ipv6 = np.flatnonzero(~mapped_rows(addresses))
        if len(ipv6) == len(addresses):
            return self._find6(addresses)
        found = self._find4(addresses)
        if len(ipv6):
            found[ipv6] = self._find6(addresses[ipv6])
        return found

    def _find4(self, addresses: U8) -> I32:
        """Rows by the last four bytes, whatever the others are."""
        word = addresses.view(">u4")[:, 3].astype(np.uint32)
        block = self._block_of[word >> np.uint32(16)]
        found: I32 = self._blocks[block + ((word >> np.uint32(8)) & np.uint32(0xFF)).astype(np.int32)]
        split = np.flatnonzero(found < 0)
        if len(split):
            found[split] = self._narrow[~found[split] * _BLOCK + (word[split] & np.uint32(0xFF)).astype(np.int32)]
        return found

    def _find6(self, addresses: U8) -> I32:
        high = addresses.view(">u8")[:, 0].astype(np.uint64)
        found: I32 = self._rows6[np.searchsorted(self._starts6, high, "right") - 1]
        split = np.flatnonzero(found < 0)
        if len(split):
            whole = addresses[split].view("S16").reshape(-1)
            found[split] = self._rows[np.searchsorted(self._starts, whole, "right") - 1]
        return found


def _ipv4_part(starts: Sequence[int], rows: Sequence[int]) -> tuple[I64, I32]:
    """Ranges of IPv4 addresses, beginning with 0, and their rows."""
    inside = [
        (max(start - MAPPED_FIRST, 0), row)
        for start, row, stop in zip(starts, rows, [*starts[1:], 1 << 128], strict=True)
        if stop > MAPPED_FIRST and start < MAPPED_FIRST + (1 << 32)
    ]
    return np.array([start for start, _ in inside], np.int64), np.array([row for _, row in inside], np.int32)


def _blocks(starts: I64, rows: I32) -> tuple[I32, I32, I32]:
    """Rows by the bytes of IPv4 addresses.

    Returns
    -------
    block_of : ndarray of int32, shape (65536,)
        By the first two bytes: where their block begins in the next array.
    blocks : ndarray of int32, shape (k * 256,)
        By the third byte: the row, or ~j for block j of the last array.
        Blocks with one row throughout are shared.
    narrow : ndarray of int32, shape (m * 256,)
        By the last byte: the row.
    """
    row, split = _cells(starts, rows, np.arange(_BLOCKS, dtype=np.int64) << 16, 16)
    uniform, shared = np.unique(row[~split], return_inverse=True)
    parts = np.flatnonzero(split)
    block_of = np.empty(_BLOCKS, np.int32)
    block_of[~split] = shared * _BLOCK
    block_of[parts] = (len(uniform) + np.arange(len(parts))) * _BLOCK
    inside = (parts[:, None] << 16 | np.arange(_BLOCK, dtype=np.int64) << 8).reshape(-1)
    row, split = _cells(starts, rows, inside, 8)
    row[split] = ~np.arange(int(split.sum()), dtype=np.int32)
    narrow, _ = _cells(starts, rows, (inside[split][:, None] | np.arange(_BLOCK, dtype=np.int64)).reshape(-1), 0)
    return block_of, np.concatenate([np.repeat(uniform, _BLOCK), row]).astype(np.int32), narrow


def _cells(starts: I64, rows: I32, first: I64, bits: int) -> tuple[I32, Bool]:
    """Row at the first address of each cell of 2**bits addresses, and whether a range begins further inside."""
    at = np.searchsorted(starts, first, "right")
    upto = np.searchsorted(starts, first + (1 << bits) - 1, "right")
    return rows[at - 1], upto > at


def _halves(starts: Sequence[int], rows: Sequence[int]) -> tuple[U64, I32]:
    """Ranges of the first 64 bits, with `_SPLIT` where a range begins inside."""
    row_at: dict[int, int] = {}
    for start, row in zip(starts, rows, strict=True):
        high, low = divmod(start, 1 << 64)
        if not low:
            row_at[high] = row
            continue
        row_at[high] = _SPLIT
        if high + 1 < 1 << 64:
            # Until a range begins there.
            row_at[high + 1] = row
    ordered = sorted(row_at.items())
    return np.array([high for high, _ in ordered], np.uint64), np.array([row for _, row in ordered], np.int32)
