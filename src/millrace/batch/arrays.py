"""Array types shared by the batches, and unaligned reads of network-order integers."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

U8: TypeAlias = NDArray[np.uint8]
U16: TypeAlias = NDArray[np.uint16]
U32: TypeAlias = NDArray[np.uint32]
U64: TypeAlias = NDArray[np.uint64]
I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]
F64: TypeAlias = NDArray[np.float64]
Bool: TypeAlias = NDArray[np.bool_]
AnyArray: TypeAlias = NDArray[Any]

ARENA_PADDING = 64
"""Zero bytes that follow the last datagram of an arena, so that a read of a header that is cut short stays inside."""


def windows(arena: U8, dtype: np.dtype[Any] | str) -> AnyArray:
    """View every byte offset of an arena as the start of an item.

    ``windows(arena, ">u4")[offsets]`` reads unaligned network-order integers;
    with a structured dtype it copies whole records, one memcpy each.

    Parameters
    ----------
    arena : ndarray of uint8, shape (n_bytes,)
        Contiguous.
    dtype : dtype
        Item to see at each offset.

    Returns
    -------
    ndarray of dtype, shape (max(0, n_bytes - itemsize + 1),)
        Read-only, overlapping view; no copy.
    """
    item = np.dtype(dtype)
    count = max(0, len(arena) - item.itemsize + 1)
    return np.ndarray((count,), item, arena.data, strides=(1,)) if count else np.empty(0, item)


def spans(lengths: I64) -> I64:
    """Concatenate ``arange(length)`` for each length: ``[2, 3]`` gives ``[0, 1, 0, 1, 2]``."""
    total = int(lengths.sum())
    ends = np.cumsum(lengths)
    return np.arange(total, dtype=np.int64) - np.repeat(ends - lengths, lengths)
