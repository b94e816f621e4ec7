"""Receive slots that are reused, and the copy out of them into a batch's own arena."""

from __future__ import annotations

import mmap

import numpy as np

from millrace.batch import ARENA_PADDING
from millrace.batch.arrays import I64, U8

_LINE = 64
_SMALL_BYTES = 8192
_RELEASE_BYTES = 32 << 20


class SlotArena:
    """Slots of one stride, one datagram each.

    The memory is reserved, not used, until datagrams touch it: a slot of
    64 KiB that only sees 1400-byte datagrams costs one or two pages.

    Parameters
    ----------
    slots : int
    slot_bytes : int
        Room for one datagram; a byte more is there, and belongs to the slot.
    """

    def __init__(self, slots: int, slot_bytes: int) -> None:
        self.slots = slots
        self.slot_bytes = slot_bytes
        # An odd number of cache lines: the heads of the datagrams, which are
        # read most, spread over all cache sets.
        lines = slot_bytes // _LINE + 1
        self.stride = _LINE * (lines + 1 - lines % 2)
        self._memory = mmap.mmap(-1, slots * self.stride, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # A huge page would make every touch cost 2 MiB.
        no_huge_pages = getattr(mmap, "MADV_NOHUGEPAGE", None)
        if no_huge_pages is not None:
            self._memory.madvise(no_huge_pages)
        self.bytes: U8 = np.frombuffer(self._memory, np.uint8)
        self.rows: U8 = self.bytes.reshape(slots, self.stride)
        self._grown_bytes = 0

    def copy(self, lengths: I64, chosen: I64 | None = None) -> tuple[U8, I64]:
        """Copy datagrams out of the slots.

        Parameters
        ----------
        lengths : ndarray of int64, shape (n,)
            Bytes of the datagrams in the first `n` slots.
        chosen : ndarray of int64, optional
            The slots to copy; None: all `n`.

        Returns
        -------
        arena : ndarray of uint8
            Owned by the caller, at most about twice the copied bytes.
        start : ndarray of int64
            Where each datagram starts.
        """
        slots = np.arange(len(lengths)) if chosen is None else chosen
        lengths = lengths if chosen is None else lengths[chosen]
        widest, total = int(lengths.max(initial=0)), int(lengths.sum())
        if chosen is None and len(slots) * widest <= 2 * total:
            return self._copy_rectangle(len(slots), widest)
        return self._copy_classes(slots, lengths)

    def _copy_rectangle(self, count: int, width: int) -> tuple[U8, I64]:
        arena = np.empty(count * width + ARENA_PADDING, np.uint8)
        arena[: count * width].reshape(count, width)[:] = self.rows[:count, :width]
        arena[count * width :] = 0
        return arena, np.arange(count, dtype=np.int64) * width

    def _copy_classes(self, slots: I64, lengths: I64) -> tuple[U8, I64]:
        """One rectangle per power of two of length, so that none is more than half empty."""
        classes = np.frexp(lengths.astype(np.float64))[1]
        start = np.zeros(len(slots), np.int64)
        parts: list[U8] = []
        base = 0
        for size_class in np.unique(classes):
            rows = np.flatnonzero(classes == size_class)
            width = int(lengths[rows].max())
            if not width:
                continue
            start[rows] = base + np.arange(len(rows)) * width
            # As items of `width` bytes the rows are copied by one memcpy each.
            items = self.rows[:, :width].view(f"V{width}")[:, 0]
            parts.append(items[slots[rows]].view(np.uint8))
            base += len(rows) * width
        return np.concatenate([*parts, np.zeros(ARENA_PADDING, np.uint8)]), start

    def release(self, lengths: I64) -> None:
        """Give memory back once long datagrams have made many slots grow.

        Keeps a sender of long datagrams from pinning ``slots × slot_bytes``.

        Parameters
        ----------
        lengths : ndarray of int64
            Lengths that were received since the last call.
        """
        self._grown_bytes += int((lengths - _SMALL_BYTES).clip(0).sum())
        if self._grown_bytes > _RELEASE_BYTES:
            self._memory.madvise(mmap.MADV_DONTNEED)
            self._grown_bytes = 0
