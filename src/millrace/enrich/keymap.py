"""A hash table that is looked up by whole arrays."""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import I32, I64, U64

ABSENT = -1
"""What `KeyMap.find` gives for a key that is not in the map."""

_EMPTY = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_SLOTS_PER_KEY = 4
_WELCOME_PROBES = 16
_MULTIPLIERS = (
    0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F,
    0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F,
)  # fmt: skip
"""Tried in turn: keys chosen to collide under one do not under the others."""


class KeyMap:
    """Positions of distinct 64-bit keys; immutable.

    Open addressing with linear probing. One look-up of a batch is a handful of
    array operations, about a tenth of what `numpy.searchsorted` takes for keys
    in random order, which pays a mispredicted branch per halving.

    Parameters
    ----------
    keys : ndarray of uint64, shape (k,)
        Distinct; none has all bits set.
    """

    def __init__(self, keys: U64) -> None:
        bits = max(4, int(len(keys) * _SLOTS_PER_KEY).bit_length())
        self._shift = np.uint64(64 - bits)
        self._mask = (1 << bits) - 1
        best: tuple[int, np.uint64, U64, I32] | None = None
        for number in _MULTIPLIERS:
            multiplier = np.uint64(number)
            slots, positions, probes = _fill(keys, self._home(keys, multiplier), self._mask)
            if best is None or probes < best[0]:
                best = probes, multiplier, slots, positions
            if probes <= _WELCOME_PROBES:
                break
        assert best is not None
        self._probes, self._multiplier, self._slots, self._positions = best

    def _home(self, keys: U64, multiplier: np.uint64) -> I64:
        return ((keys * multiplier) >> self._shift).astype(np.int64)

    def find(self, keys: U64) -> I32:
        """Position of each key in the array that the map was made of, or `ABSENT`.

        Parameters
        ----------
        keys : ndarray of uint64, shape (n,)

        Returns
        -------
        ndarray of int32, shape (n,)
        """
        slot = self._home(keys, self._multiplier)
        seen = self._slots[slot]
        hit = seen == keys
        found = np.where(hit, self._positions[slot], np.int32(ABSENT))
        pending = np.flatnonzero(~hit & (seen != _EMPTY))
        for _ in range(1, self._probes):
            if not len(pending):
                break
            slot[pending] = (slot[pending] + 1) & self._mask
            at, seen = slot[pending], self._slots[slot[pending]]
            hit = seen == keys[pending]
            found[pending[hit]] = self._positions[at[hit]]
            pending = pending[~hit & (seen != _EMPTY)]
        return found


def _fill(keys: U64, home: I64, mask: int) -> tuple[U64, I32, int]:
    """Place keys; return the slots, the position of the key in each, and the longest probe sequence."""
    slots = np.full(mask + 1, _EMPTY, np.uint64)
    positions = np.full(mask + 1, ABSENT, np.int32)
    waiting = np.arange(len(keys), dtype=np.int32)
    slot = home.copy()
    probes = 0
    while len(waiting):
        free = waiting[slots[slot[waiting]] == _EMPTY]
        # Of several keys for one free slot the last written stays.
        slots[slot[free]] = keys[free]
        positions[slot[free]] = free
        waiting = waiting[positions[slot[waiting]] != waiting]
        slot[waiting] = (slot[waiting] + 1) & mask
        probes += 1
    return slots, positions, max(probes, 1)
