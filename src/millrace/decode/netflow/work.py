"""How much work the layouts of a batch are, and which go without where that is too much.

Every layout of a batch is a pass of its own, and the first time it is compiled:
a tenth of a millisecond up to two, for a data set that may have five bytes. An
honest exporter fills sets with records of few layouts, so its bytes pay for
that; a stranger who sends a set per layout can have a datagram cost a third of
a second. What layouts cost beyond what their bytes pay for may therefore take
no more than a part of each second, and a burst (a restart compiles all layouts
at once). Where it would take more, the costliest are left out first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import F64, I64, Bool
from millrace.decode.netflow.layout import Layout

_COMPILE_US, _COMPILE_US_PER_BYTE = 150.0, 1.1
_PASS_US, _PASS_US_PER_BYTE, _PASS_BYTES = 80.0, 2.0, 400
"""Microseconds that compiling and executing a layout take by the bytes of its field list; after a hundred fields or so
no further ones fill columns. Measured on one core of an AMD EPYC, see ``docs/explanation/hostile-input.md``."""

_RECORD_US, _OPTIONS_RECORD_US, _DOMAIN_RECORD_US = 1.0, 8.0, 24.0
"""Of each record: columns are written at once, options are learned one by one, and some bring a domain of their own."""

_PAID_US_PER_BYTE = 0.25
"""What a byte pays for: full datagrams of usual records pay three times for the pass of their layout."""

_CLASS = 4.0
"""Layouts whose bytes cost the same to this factor are alike; of these each exporter has the same share."""


_ONE_EXPORTER, _ONE_EXPORTER_US = 0.25, 20_000.0
"""Part of what is left that one exporter may take in a batch, and what it may take in any case if that is left."""

_ALIKE_US = 2000.0
"""What exporters have up to so much counts alike: the layouts known for longest come first. Whoever forges a source for
each of his layouts has least in each of them, but they are new."""

_KEPT, _KEPT_US = 0.5, 40_000.0
"""Part of what is left that is kept for those who are vouched for, and of which time's share that is at most: of two
batches."""

_STEP_NS = 10**9
"""Time that goes back by more is a step of the clock."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a layout costs: microseconds for it and for each record, and least bytes of a record."""

    us: float
    record_us: float
    record_bytes: int

    @classmethod
    def of(cls, layout: Layout, *, compiled: bool) -> Cost:
        """Cost of a layout in a batch; `compiled`: it was used lately."""
        size = len(layout.wire)
        us = _PASS_US + _PASS_US_PER_BYTE * min(size, _PASS_BYTES)
        if not compiled:
            us += _COMPILE_US + _COMPILE_US_PER_BYTE * size
        record_us = _DOMAIN_RECORD_US if layout.domains else _OPTIONS_RECORD_US if layout.options else _RECORD_US
        return cls(us, record_us, layout.least)

    def beyond(self, nbytes: float) -> float:
        """Microseconds beyond what so many bytes of data sets pay for."""
        return max(0.0, self.us + nbytes // self.record_bytes * self.record_us - _PAID_US_PER_BYTE * nbytes)


class Allowance:
    """Work that may be done beyond what bytes pay for: so much of each second, and a burst.

    Times are those of receipt, so that the same datagrams have the same result however fast they are decoded.

    Parameters
    ----------
    share : float
        Part of each second; infinite: no bound.
    burst_s : float
        Seconds of work that are allowed at once, after a calm time.
    """

    def __init__(self, share: float, burst_s: float) -> None:
        self.bounded = math.isfinite(share)
        self._share = share
        self._burst_us = self.left_us = burst_s * 1e6
        self._until_ns = 0

    def refill(self, now_ns: int) -> None:
        """It is `now_ns` (of receipt); after a step of the clock backwards time passes from there on."""
        passed_ns = now_ns - self._until_ns if self._until_ns else 0
        if passed_ns < -_STEP_NS:
            self._until_ns = now_ns
        # Batches of several sockets overtake one another a little.
        passed_ns = max(0, passed_ns)
        self._until_ns += passed_ns if self._until_ns else now_ns
        self.left_us = min(self._burst_us, self.left_us + passed_ns / 1000 * self._share)

    def choose(
        self,
        layout: I64,
        nbytes: I64,
        exporter: I64,
        cost_of: Callable[[int], Cost],
        now_ns: int,
        vouched_for: Callable[[], Bool] | None = None,
    ) -> Bool | None:
        """Which data sets of a batch are decoded; None: all.

        Parameters
        ----------
        layout, nbytes, exporter : ndarray of int64, shape (sets,)
            Number of the layout of each set, its bytes, and who sent it.
        cost_of : callable
            Cost of a layout by its number.
        now_ns : int
            When the batch was received.
        vouched_for : callable, optional
            Which sets are of configured exporters, or of such that sent flows for long, shape (sets,); asked where
            not all can be decoded. What they need is not left to strangers: a forger has as many of these as datagrams.
        """
        if not self.bounded or not len(layout):
            return None
        self.refill(now_ns)
        numbers, index, octets = _sums(layout, nbytes)
        # Most batches have few layouts, for which that is quicker than arrays.
        beyond = [cost_of(n).beyond(total) for n, total in zip(numbers.tolist(), octets.tolist(), strict=True)]
        most_us = max(self.left_us * _ONE_EXPORTER, _ONE_EXPORTER_US)
        kept_us = min(self.left_us * _KEPT, self._share * _KEPT_US)
        free_us = self.left_us - kept_us
        if sum(beyond) <= min(free_us, most_us):
            self.left_us -= sum(beyond)
            return None
        excess = np.array(beyond)
        order, least = self._order(index, exporter, excess, octets)
        order = order[least[order] <= most_us]
        vouched = np.zeros(len(excess), np.bool_)
        if vouched_for is not None:
            vouched[index[vouched_for()]] = True
        of_strangers = np.where(vouched, 0, excess)[order]
        order = order[vouched[order] | (np.cumsum(of_strangers) <= free_us)]
        kept = excess == 0
        kept[order] |= np.cumsum(excess[order]) <= self.left_us
        self.left_us -= float(excess[kept].sum())
        chosen: Bool = kept[index]
        if chosen.all():
            return None
        spare_us = max(0.0, self.left_us - kept_us) / 2
        self._spare_small(chosen, index, nbytes, exporter, [cost_of(number) for number in numbers.tolist()], spare_us)
        return chosen

    def _spare_small(
        self, chosen: Bool, index: I64, nbytes: I64, exporter: I64, costs: list[Cost], spare_us: float
    ) -> None:
        """Of layouts that are left out and that several exporters have, choose the sets of all but the greediest.

        As far as half of what is left to anybody suffices (`spare_us`), those with least first: nobody has the
        layout of another left out by sending very many records of it.
        """
        out, exporters = np.flatnonzero(~chosen), int(exporter.max()) + 1
        pairs, pair = np.unique(index[out] * exporters + exporter[out], return_inverse=True)
        _, of_layout, amount = np.unique(pairs // exporters, return_inverse=True, return_counts=True)
        several = amount[of_layout] > 1
        if not several.any():
            return
        octets, layout = np.bincount(pair.reshape(-1), nbytes[out])[several], (pairs // exporters)[several]
        beyond = np.array([costs[at].beyond(own) for at, own in zip(layout.tolist(), octets.tolist(), strict=True)])
        by_layout = np.lexsort((beyond, layout))
        greediest = by_layout[np.append(layout[by_layout][1:] != layout[by_layout][:-1], True)]
        beyond[greediest] = np.inf
        order = np.argsort(beyond, kind="stable")
        spared = np.zeros(len(beyond), np.bool_)
        spared[order] = np.cumsum(beyond[order]) <= spare_us
        self.left_us -= float(beyond[spared].sum())
        taken = np.zeros(len(pairs), np.bool_)
        taken[several] = spared
        chosen[out] = taken[pair.reshape(-1)]

    @staticmethod
    def _order(index: I64, exporter: I64, excess: F64, octets: F64) -> tuple[I64, F64]:
        """Layouts in the order in which they are to be decoded: those whose bytes cost least first.

        Of such that cost alike the first so many microseconds (steps of `_ALIKE_US`) of every exporter come before
        what anyone has beyond them, and the layouts known for longest (of the least number) before others: for
        each layout, how many an exporter has up to it, if the one with least had it all.
        """
        costliness = np.floor(np.log(np.maximum(excess, 1e-9) / np.maximum(octets, 1)) / math.log(_CLASS))
        pairs, first = np.unique(exporter * len(excess) + index, return_index=True)
        who, which = exporter[first], index[first]
        by_exporter = np.lexsort((excess[which], costliness[which], who))
        who, which = who[by_exporter], which[by_exporter]
        added = np.cumsum(excess[which])
        starts = np.flatnonzero(np.append(True, who[1:] != who[:-1]))
        added -= np.repeat((added - excess[which])[starts], np.diff(np.append(starts, len(pairs))))
        # What several have costs once: it comes where the first of them has it.
        least = np.full(len(excess), np.inf)
        np.minimum.at(least, which, added)
        order: I64 = np.lexsort((np.floor(least / _ALIKE_US), costliness))
        return order, least


def _sums(layout: I64, nbytes: I64) -> tuple[I64, I64, F64]:
    """Distinct layouts, which of them each set has, and the bytes of each."""
    low = int(layout.min())
    span = int(layout.max()) - low + 1
    if span == 1:
        return layout[:1], np.zeros(len(layout), np.int64), np.array([nbytes.sum()], np.float64)
    if span < len(layout) + 1024:
        present = np.bincount(layout - low) > 0
        numbers, index = np.flatnonzero(present) + low, (np.cumsum(present) - 1)[layout - low]
    else:
        numbers, index = np.unique(layout, return_inverse=True)
    index = index.reshape(-1)
    return numbers, index, np.bincount(index, nbytes).astype(np.float64)
