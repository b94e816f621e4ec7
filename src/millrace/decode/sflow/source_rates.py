"""Sampling rates that data sources of agents told last."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from millrace.batch.arrays import I64, Bool
from millrace.decode.netflow.runs import ABSENT, SortedRuns
from millrace.decode.rate_jumps import find_jumps

MAX_SOURCES = 64
"""Sampling rates remembered of one agent, one per data source."""

_SOURCE_BITS = 32
_SOURCE = (1 << _SOURCE_BITS) - 1


@dataclass(frozen=True, slots=True)
class SourceJumps:
    """Samples whose rate changed remarkably, in the order in which they were received.

    Attributes
    ----------
    rows : ndarray of int64, shape (k,)
        Rows of what `SourceRates.note` was given.
    before : ndarray of int64, shape (k,)
        What the data source of each had told right before.
    """

    rows: I64
    before: I64


_NONE = SourceJumps(np.zeros(0, np.int64), np.zeros(0, np.int64))


class SourceRates:
    """The last rate of the first `MAX_SOURCES` data sources of each agent.

    Parameters
    ----------
    agents : int
        Places of agents; 512 bytes each, once it told a rate.
    """

    def __init__(self, agents: int) -> None:
        self._sources = np.zeros((agents, MAX_SOURCES), np.int64)
        self._amount = np.zeros(agents, np.int64)
        self._rates = SortedRuns()

    def known(self, place: I64, source: I64, rate: I64) -> bool:
        """Whether all rates are those that their data sources told last; arguments as of `note`, in any order."""
        return bool((self._rates.find(place << _SOURCE_BITS | source) == rate).all())

    def note(self, place: I64, source: I64, rate: I64) -> SourceJumps:
        """Remember the rates of samples.

        Parameters
        ----------
        place : ndarray of int64, shape (n,)
            That of the agent of each sample, in the order in which they were received.
        source : ndarray of int64, shape (n,)
            Index of its data source, of at most 32 bits.
        rate : ndarray of int64, shape (n,)
            N of 1-in-N, positive.
        """
        key = place << _SOURCE_BITS | source
        known = self._rates.find(key)
        kept = known >= 0
        new = np.flatnonzero(~kept & (self._amount[place] < MAX_SOURCES))
        if len(new):
            kept[new] = self._find_room(key[new])
        rows = np.flatnonzero(kept)
        if (known[rows] == rate[rows]).all():
            return _NONE
        found = find_jumps(key[rows], rate[rows], known[rows])
        last = rows[found.last]
        self._rates.put(key[last], rate[last])
        return SourceJumps(rows[found.rows], found.before)

    def _find_room(self, key: I64) -> Bool:
        """Give places to new data sources, to the first ones of each agent; which rows have one."""
        keys, first, index = np.unique(key, return_index=True, return_inverse=True)
        order = np.lexsort((first, keys >> _SOURCE_BITS))
        place = keys[order] >> _SOURCE_BITS
        _, begins, amount = np.unique(place, return_index=True, return_counts=True)
        at = self._amount[place] + np.arange(len(place)) - np.repeat(begins, amount)
        fits = at < MAX_SOURCES
        self._sources[place[fits], at[fits]] = keys[order[fits]] & _SOURCE
        np.add.at(self._amount, place[fits], 1)
        has_room = np.zeros(len(keys), np.bool_)
        has_room[order[fits]] = True
        return has_room[index.reshape(-1)]

    def of(self, places: I64) -> list[dict[int, int]]:
        """Rate by data source of each of some agents, in the order in which it first told them."""
        keys = self._keys(places)
        pairs = iter(zip((keys & _SOURCE).tolist(), self._rates.find(keys).tolist(), strict=True))
        return [dict(islice(pairs, own)) for own in self._amount[places].tolist()]

    def forget(self, places: I64) -> None:
        """Agents make room."""
        keys = self._keys(places)
        self._rates.put(keys, np.full(len(keys), ABSENT))
        self._amount[places] = 0

    def _keys(self, places: I64) -> I64:
        """Keys of all data sources of some agents, one agent after the other."""
        amount = self._amount[places]
        sources = self._sources[places][np.arange(MAX_SOURCES) < amount[:, None]]
        keys: I64 = np.repeat(places, amount) << _SOURCE_BITS | sources
        return keys
