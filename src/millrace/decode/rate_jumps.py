"""Sampling rates that change remarkably, wherever they are told.

Whoever forges a rate makes traffic look larger or smaller than it is. A change
counts against what the same one (engine, selector, data source) told right
before, in the order in which it was received: so the count is the same however
a stream is cut into batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64

JUMP = 10
"""A sampling rate that changes by more than so many times makes traffic look as much larger or smaller."""


def jumps(before: int, now: int) -> bool:
    """Whether a sampling rate changes remarkably; one that was not known (0 or less) does not."""
    return before > 0 and now > 0 and max(before, now) > JUMP * min(before, now)


@dataclass(frozen=True, slots=True)
class RateJumps:
    """What rates told one after the other come to.

    Attributes
    ----------
    rows : ndarray of int64, shape (k,)
        Those that jumped, in the order in which they were told.
    before : ndarray of int64, shape (k,)
        What each of them had told right before.
    last : ndarray of int64, shape (tellers,)
        The last of each teller, by its number.
    """

    rows: I64
    before: I64
    last: I64


def find_jumps(teller: I64, rate: I64, known: I64) -> RateJumps:
    """Compare each rate with the one that the same one told before.

    Parameters
    ----------
    teller : ndarray of int64, shape (n,)
        Who tells each rate, in the order in which they are told.
    rate : ndarray of int64, shape (n,)
        N of 1-in-N, positive.
    known : ndarray of int64, shape (n,)
        What that one told last in earlier batches; 0 or less: nothing.
    """
    order = np.argsort(teller, kind="stable")
    sorted_rate, sorted_teller = rate[order], teller[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = sorted_teller[1:] != sorted_teller[:-1]
    sorted_before = np.empty_like(sorted_rate)
    sorted_before[1:] = sorted_rate[:-1]
    sorted_before[first] = known[order][first]
    before = np.empty_like(rate)
    before[order] = sorted_before
    rows = np.flatnonzero((before > 0) & (np.maximum(before, rate) > JUMP * np.minimum(before, rate)))
    last = order[np.append(np.flatnonzero(first)[1:], len(order)) - 1]
    return RateJumps(rows, before[rows], last)
