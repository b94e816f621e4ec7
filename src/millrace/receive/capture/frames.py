"""Captured packets of one stretch of a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import ARENA_PADDING
from millrace.batch.arrays import I64, U8, U16

FRAMES_PER_BLOCK = 8192
"""Bounds the number of datagrams in a batch."""

MAX_FRAME_BYTES = 1 << 20
"""A record that claims more is corrupt (libpcap writes at most 256 KiB)."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Captured packets, in file order.

    Attributes
    ----------
    data : ndarray of uint8
        Ends with `ARENA_PADDING` zero bytes.
    start, stop : ndarray of int64, shape (n,)
        Captured bytes of each packet.
    time_ns : ndarray of int64, shape (n,)
        Unix nanoseconds.
    link : ndarray of uint16, shape (n,)
        Link type (LINKTYPE_…) of each.
    """

    data: U8
    start: I64
    stop: I64
    time_ns: I64
    link: U16

    def __len__(self) -> int:
        return len(self.start)


def padded(data: bytes | memoryview) -> U8:
    """Copy bytes into an array that ends with `ARENA_PADDING` zeros."""
    out = np.zeros(len(data) + ARENA_PADDING, np.uint8)
    out[: len(data)] = np.frombuffer(data, np.uint8)
    return out
