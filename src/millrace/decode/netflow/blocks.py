"""Copies of records out of the arena, and writes that many layouts share."""

from __future__ import annotations

from typing import Any

import numpy as np

from millrace.batch import MAPPED_WORDS, spans, windows
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.netflow.assembly import Rows

_ICMP, _ICMP6 = 1, 58

_ROW = np.dtype("V16")


def copy_blocks(arena: U8, start: I64, records: I64, record: np.dtype[Any]) -> AnyArray:
    """Copy runs of fixed-length records out of the arena.

    Parameters
    ----------
    arena : ndarray of uint8
    start, records : ndarray of int64, shape (n,)
        Where each run starts and how many records it has.
    record : dtype

    Returns
    -------
    ndarray of `record`, shape (records.sum(),)
    """
    if not len(start):
        return np.empty(0, record)
    each = int(records[0])
    if each and (records == each).all():
        # One copy per run: records of a run lie side by side.
        return windows(arena, np.dtype((np.void, each * record.itemsize)))[start].view(record)
    return windows(arena, np.dtype((np.void, record.itemsize)))[record_starts(start, records, record.itemsize)].view(
        record
    )


def record_starts(start: I64, records: I64, size: int) -> I64:
    """Offset of every record of runs of `size`-byte records."""
    return np.repeat(start, records) + spans(records) * size


def write_ipv4(out: AnyArray, words: AnyArray) -> None:
    """Write IPv4 addresses as mapped IPv6 into an (n, 16) array.

    `words` are ``>u4`` as on the wire; they are copied, not swapped.
    """
    # As items of 16 bytes: four times as fast as rows of words.
    out.view(_ROW)[:] = MAPPED_WORDS.view(_ROW)
    out.view(np.uint32)[:, 3] = words.view(np.uint32)


def is_icmp(proto: AnyArray) -> Bool:
    """Whether protocol numbers are ICMP or ICMPv6."""
    # The field of a record lies far from that of the next one: it is gathered once.
    proto = np.ascontiguousarray(proto)
    icmp: Bool = (proto == _ICMP) | (proto == _ICMP6)
    return icmp


def write_icmp_from_port(rows: Rows, start: int, stop: int, proto: AnyArray, port: AnyArray) -> None:
    """Fill ICMPType and ICMPCode of ICMP and ICMPv6 rows from the destination port (type × 256 + code)."""
    icmp = is_icmp(proto)
    if icmp.any():
        rows.slot("ICMPType", start, stop, icmp)[...] = np.where(icmp, port >> 8, 0)
        rows.slot("ICMPCode", start, stop, icmp)[...] = np.where(icmp, port & 0xFF, 0)
