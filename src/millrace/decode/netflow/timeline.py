"""A table of integers that can change in the middle of a batch."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

import numpy as np

from millrace.batch.arrays import I64
from millrace.decode.netflow.runs import ABSENT, SortedRuns

MISSING = ABSENT
"""What `Timeline.look_up` gives for a key that has no value at that position."""


class Arrivals:
    """Positions of a batch at which keys get a value, in order, and those values; by key."""

    def __init__(self, arrived: dict[int, list[tuple[int, int]]]) -> None:
        self._arrived = arrived

    def after(self, key: int, position: int) -> int:
        """First position of a key after another, or `MISSING`."""
        found = self._arrived.get(key)
        if found is None:
            return MISSING
        at = bisect_right(found, position, key=itemgetter(0))
        return found[at][0] if at < len(found) else MISSING

    def first(self) -> list[tuple[int, int, int]]:
        """Each key with its first position and the value it gets there, in the order of the positions."""
        first = [(key, *found[0]) for key, found in self._arrived.items()]
        return sorted(first, key=itemgetter(1))


class Timeline:
    """Integers by integer key, each with the position in the batch from which it holds.

    Sets are decoded all at once, yet each must see the state that held when it
    was sent. So a batch first records every change with its position and then
    looks all sets up; `commit` makes the changes the state of the next batch,
    at the cost of the changes.

    Keys and values are non-negative and below 2⁶²; a value of `MISSING` removes the key.
    """

    def __init__(self) -> None:
        self._now: dict[int, int] = {}
        self._changes: list[tuple[int, int, int]] = []
        self._before = SortedRuns()

    def __len__(self) -> int:
        return len(self._now)

    @property
    def changed(self) -> bool:
        """Whether something changed since the last `commit`."""
        return bool(self._changes)

    @property
    def ever(self) -> bool:
        """Whether a look-up can find anything."""
        return bool(self._now) or bool(self._changes)

    def get(self, key: int) -> int:
        """Latest value of a key, or `MISSING`."""
        return self._now.get(key, MISSING)

    def set(self, key: int, position: int, value: int) -> None:
        """From `position` on, `key` has `value`."""
        self._changes.append((key, position, value))
        if value == MISSING:
            self._now.pop(key, None)
        else:
            self._now[key] = value

    def commit(self) -> None:
        """Forget when the changes of this batch happened."""
        if self._changes:
            # Whatever a key was in between, it now has what `get` gives.
            keys = list(dict.fromkeys(key for key, _, _ in self._changes))
            values = [self._now.get(key, MISSING) for key in keys]
            self._before.put(np.array(keys, np.int64), np.array(values, np.int64))
            self._changes = []

    def look_up(self, keys: I64, positions: I64) -> I64:
        """Value of each key at its position.

        Parameters
        ----------
        keys, positions : ndarray of int64, shape (n,)

        Returns
        -------
        ndarray of int64, shape (n,)
            `MISSING` where there is none.
        """
        found = self._before.find(keys)
        if self._changes:
            self._apply_changes(found, keys, positions)
        return found

    def arrivals(self) -> Arrivals:
        """Where keys get a value in this batch."""
        found: dict[int, list[tuple[int, int]]] = {}
        # Of several changes at one position the last counts.
        for (key, position), value in {(key, position): value for key, position, value in self._changes}.items():
            if value != MISSING:
                found.setdefault(key, []).append((position, value))
        return Arrivals({key: sorted(arrived) for key, arrived in found.items()})

    def _apply_changes(self, found: I64, keys: I64, positions: I64) -> None:
        changes = np.array(self._changes, np.int64).reshape(-1, 3)
        changes = changes[np.lexsort((np.arange(len(changes)), changes[:, 1], changes[:, 0]))]
        changed, first = np.unique(changes[:, 0], return_index=True)
        at = np.minimum(np.searchsorted(changed, keys), len(changed) - 1)
        rows = np.flatnonzero(changed[at] == keys)
        if not len(rows):
            return
        number = np.repeat(np.arange(len(changed)), np.diff(np.append(first, len(changes))))
        when = (number << 32) + changes[:, 1] + 1
        last = np.searchsorted(when, (at[rows] << 32) + positions[rows] + 1, side="right") - 1
        holds = last >= first[at[rows]]
        found[rows[holds]] = changes[last[holds], 2]
