"""Encoded datagrams: one byte arena, cut into payloads, stamped with sequence numbers and times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from millrace.batch import ARENA_PADDING, DatagramBatch, address_bytes
from millrace.batch.arrays import I64, U8, AnyArray


@dataclass(frozen=True, slots=True)
class Datagrams:
    """Payloads of one exporter in one arena.

    Parameters
    ----------
    arena : ndarray of uint8, shape (n_bytes + ARENA_PADDING,)
    start, stop : ndarray of int64, shape (n,)
        Byte range of each payload.
    flows : ndarray of int64, shape (n,)
        Flow records (sFlow: flow samples) in each payload; 0 for templates.
    records : ndarray of int64, shape (n,)
        Data records in each payload, of options too: what an IPFIX sequence number counts.
    """

    arena: U8
    start: I64
    stop: I64
    flows: I64
    records: I64

    def __len__(self) -> int:
        return len(self.start)

    def words(self, dtype: str = ">u4") -> AnyArray:
        """View every byte offset as the start of an item, writable (see `millrace.batch.windows`)."""
        item: np.dtype[Any] = np.dtype(dtype)
        count = len(self.arena) - item.itemsize + 1
        return np.ndarray((count,), item, self.arena.data, strides=(1,))

    def payloads(self) -> list[bytes]:
        """Bytes of each datagram (copies; for files and tests)."""
        return [self.arena[a:b].tobytes() for a, b in zip(self.start, self.stop, strict=True)]

    def slice(self, first: int, last: int) -> Datagrams:
        """Datagrams `first` to `last` (excluded), sharing the arena."""
        cut = slice(first, last)
        return Datagrams(self.arena, self.start[cut], self.stop[cut], self.flows[cut], self.records[cut])

    def batch(self, source: str, *, source_port: int = 50000, port: int = 0, time_ns: int = 0) -> DatagramBatch:
        """The datagrams as if received from `source`; shares the arena."""
        n = len(self)
        packed = np.frombuffer(address_bytes(source), np.uint8)
        return DatagramBatch(
            self.arena,
            self.start,
            self.stop,
            np.broadcast_to(packed, (n, 16)),
            np.full(n, source_port, np.uint16),
            np.full(n, time_ns, np.int64),
            np.full(n, port, np.uint16),
        )


def join(parts: list[Datagrams]) -> Datagrams:
    """Datagrams of several parts, one after the other, in one arena (copies unless there is one part)."""
    if len(parts) == 1:
        return parts[0]
    sizes = [len(part.arena) - ARENA_PADDING for part in parts]
    base = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    arena = np.zeros(int(base[-1]) + ARENA_PADDING, np.uint8)
    for part, offset, size in zip(parts, base[:-1], sizes, strict=True):
        arena[offset : offset + size] = part.arena[:size]
    empty = [np.zeros(0, np.int64)]
    return Datagrams(
        arena,
        np.concatenate([*(p.start + b for p, b in zip(parts, base[:-1], strict=True)), *empty]),
        np.concatenate([*(p.stop + b for p, b in zip(parts, base[:-1], strict=True)), *empty]),
        np.concatenate([*(p.flows for p in parts), *empty]),
        np.concatenate([*(p.records for p in parts), *empty]),
    )


def from_payloads(payloads: list[bytes], records: list[int]) -> Datagrams:
    """Datagrams without flows: templates, options."""
    stop = np.cumsum([len(p) for p in payloads], dtype=np.int64)
    start = stop - np.array([len(p) for p in payloads], np.int64)
    arena = np.frombuffer(b"".join([*payloads, bytes(ARENA_PADDING)]), np.uint8).copy()
    return Datagrams(arena, start, stop, np.zeros(len(payloads), np.int64), np.array(records, np.int64))


def from_blocks(blocks: AnyArray, flows: int) -> Datagrams:
    """Datagrams of one size, each an item of a structured array.

    Parameters
    ----------
    blocks : ndarray of a structured dtype, shape (n,)
    flows : int
        Flow records in each.
    """
    size = blocks.dtype.itemsize
    n = len(blocks)
    arena = np.zeros(n * size + ARENA_PADDING, np.uint8)
    arena[: n * size] = blocks.view(np.uint8).reshape(-1)
    start = np.arange(n, dtype=np.int64) * size
    count = np.full(n, flows, np.int64)
    return Datagrams(arena, start, start + size, count, count)


def sequence_before(units: I64, first: int) -> I64:
    """Sequence number of each datagram: `first` plus the units of those before it.

    Parameters
    ----------
    units : ndarray of int64, shape (n,)
        What each datagram adds to the sequence.
    """
    return first + np.cumsum(units) - units
