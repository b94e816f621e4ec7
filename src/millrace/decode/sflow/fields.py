"""XDR fields that several structures share: addresses and lists of words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import map_ipv4, windows
from millrace.batch.arrays import I64, U8, U32, AnyArray, Bool
from millrace.decode.packet.cursor import Cursor
from millrace.decode.packet.sheet import ADDRESS

_ADDRESS = np.dtype(
    {"names": ["type", "ipv4", "ipv6"], "formats": [">u4", ">u4", ADDRESS], "offsets": [0, 4, 4], "itemsize": 20}
)
_BYTES = np.array([0, 4, 16], np.int64)
_WORD = np.dtype([("word", ">u4")])


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses read from structures.

    Attributes
    ----------
    values : ndarray of `ADDRESS`, shape (n,)
    known : ndarray of bool, shape (n,)
        There is one, and it is not unspecified (0.0.0.0, ::).
    sane : ndarray of bool, shape (n,)
        Its type exists and it ends before the structure does.
    kind : ndarray of uint32, shape (n,)
        Its type as told.
    after : Cursor
        At what follows it; where it is not sane, at no more than what would.
    """

    values: AnyArray
    kind: U32
    known: Bool
    sane: Bool
    after: Cursor


def read_addresses(cursor: Cursor, stop: I64) -> Addresses:
    """Read an address behind its type: 0 unknown, 1 IPv4, 2 IPv6 (sFlow v5 page 25).

    Parameters
    ----------
    cursor : Cursor
        At most a few bytes after `stop`, so that the arena's padding holds an address.
    stop : ndarray of int64, shape (n,)
    """
    field = cursor.read(_ADDRESS)
    kind, ipv4 = field["type"].astype(np.uint32), field["ipv4"].astype(np.uint32)
    values = map_ipv4(ipv4).view(ADDRESS).reshape(-1)
    if (kind == 1).all():
        after = cursor.move(8)
        sane = after.at <= stop
        return Addresses(values, kind, sane & (ipv4 != 0), sane, after)
    size = _BYTES[np.minimum(kind, 2)]
    sane = (cursor.at + 4 + size <= stop) & (kind <= 2)
    known = sane & (ipv4 != 0)
    six = np.flatnonzero(kind == 2)
    if len(six):
        wide = np.ascontiguousarray(field["ipv6"][six])
        values[six] = wide
        known[six] = sane[six] & wide.view(np.uint64).reshape(-1, 2).any(axis=1)
    return Addresses(values, kind, known & (kind > 0), sane, cursor.move(4 + np.where(sane, size, 0)))


def read_words(cursor: Cursor, stop: I64) -> tuple[I64, Bool]:
    """Read one 32-bit word at each offset; 0 and False where it lies outside."""
    inside = cursor.at + 4 <= stop
    words = cursor.only(inside).read(_WORD)["word"].astype(np.int64)
    return np.where(inside, words, 0), inside


def read_lists(arena: U8, at: I64, counts: I64) -> U32:
    """Read ``counts[i]`` words from each offset, one list after the other."""
    before = np.cumsum(counts) - counts
    offsets = np.repeat(at - before * 4, counts) + np.arange(counts.sum()) * 4
    words: U32 = windows(arena, ">u4")[offsets].astype(np.uint32)
    return words
