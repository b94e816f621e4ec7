"""A sorted table of integers that grows by what is put into it.

One sorted array would have to be made anew at each new key, which costs as much
as all that is known: a stranger who brings one new key per datagram would have
the decoder sort hundreds of thousands each time. So the table is a few sorted
runs, each several times as long as the next (a log-structured merge tree): what
is put is a run of its own, and is merged with those before that are not much
longer. A key is merged a few times in its life; a look-up asks every run.
"""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import I64

ABSENT = -1
"""Value of a key that is not there."""

_GROWTH = 4
"""A run is at least this many times as long as the next."""

_SHORTEST = 2048
"""Shorter runs are merged at once: sorting them costs less than asking one more run in every look-up."""


class SortedRuns:
    """Integers by integer key; what was put last counts."""

    def __init__(self) -> None:
        self._runs: list[tuple[I64, I64]] = []

    def __len__(self) -> int:
        """Keys that are kept, removed ones that were not merged away yet included."""
        return sum(len(keys) for keys, _ in self._runs)

    def put(self, keys: I64, values: I64) -> None:
        """Give keys their values.

        Parameters
        ----------
        keys, values : ndarray of int64, shape (n,)
            Distinct keys; a value of `ABSENT` removes its key, others are not negative.
        """
        if not len(keys):
            return
        order = np.argsort(keys)
        run = keys[order], values[order]
        while self._runs and len(self._runs[-1][0]) <= max(_GROWTH * len(run[0]), _SHORTEST):
            run = _merged(self._runs.pop(), run)
        if not self._runs:
            # Nothing older is left that a removal would have to hide.
            there = run[1] != ABSENT
            if not there.all():
                run = run[0][there], run[1][there]
        if len(run[0]):
            self._runs.append(run)

    def find(self, keys: I64) -> I64:
        """Value of each key; `ABSENT` where there is none.

        Parameters
        ----------
        keys : ndarray of int64, shape (n,)
        """
        found = np.full(len(keys), ABSENT, np.int64)
        if not self._runs or not len(keys):
            return found
        if len(self._runs) == 1:
            known, values = self._runs[0]
            if len(known) == 1:
                return np.where(keys == known[0], values[0], ABSENT)
            at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            return np.where(known[at] == keys, values[at], ABSENT)
        for known, values in self._runs:
            at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            hit = known[at] == keys
            found[hit] = values[at[hit]]
        return found


def _merged(older: tuple[I64, I64], newer: tuple[I64, I64]) -> tuple[I64, I64]:
    """One run of two; of a key in both the newer value counts."""
    keys = np.concatenate([older[0], newer[0]])
    # Two sorted stretches: a stable sort finds and merges them.
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    last = np.append(keys[1:] != keys[:-1], True)
    return keys[last], np.concatenate([older[1], newer[1]])[order][last]
