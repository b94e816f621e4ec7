"""Intervals of time in which flows are added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from millrace.batch.arrays import AnyArray
from millrace.errors import QueryError
from millrace.query.questions import MAX_POINTS
from millrace.query.selection import Selection
from millrace.query.tables import Plan, Table, plan, resolution_at, settled_until

_ROUND_SECONDS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    2 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400, 91 * 86_400, 182 * 86_400, 364 * 86_400,
)  # fmt: skip

_LONG_SECONDS = 3600
"""Ranges from which on buckets are at least a minute, so that rollups can answer."""

_DENSE_SECONDS = 900
"""The same where very many flows come: a graph of them would read a hundred million."""


@dataclass(frozen=True)
class Buckets:
    """Intervals of one length, counted from the Unix epoch, cut to a range.

    Parameters
    ----------
    step : int
        Seconds.
    start, end : int
        Range, Unix seconds, end excluded.
    """

    step: int
    start: int
    end: int

    @property
    def first(self) -> int:
        """Number of the first one."""
        return self.start // self.step

    @property
    def count(self) -> int:
        """How many there are."""
        return (self.end - 1) // self.step + 1 - self.first

    @cached_property
    def starts(self) -> AnyArray:
        """Start of each, Unix seconds."""
        return np.maximum(np.arange(self.first, self.first + self.count) * self.step, self.start)

    @cached_property
    def seconds(self) -> AnyArray:
        """Length of each."""
        ends = np.minimum(np.arange(self.first + 1, self.first + self.count + 1) * self.step, self.end)
        return ends - self.starts

    @property
    def whole(self) -> range:
        """Places of those that are not cut; only the first and the last may be."""
        places = np.flatnonzero(self.seconds == self.step)
        return range(int(places[0]), int(places[-1]) + 1) if len(places) else range(0)


@dataclass(frozen=True, slots=True)
class Bucketed:
    """Plans of a range in intervals.

    Attributes
    ----------
    plan : Plan
        For amounts in each interval.
    whole : Plan
        Of the same range for sums over all of it: coarser tables may serve.
    buckets : Buckets
    """

    plan: Plan
    whole: Plan
    buckets: Buckets


def bucketed(
    tables: Sequence[Table], selection: Selection, points: int, interval_seconds: int | None = None
) -> Bucketed:
    """Plan a range, moved outwards to whole intervals but not past now.

    Parameters
    ----------
    tables : sequence of Table
        Those that can answer.
    selection : Selection
    points : int
        Intervals at most.
    interval_seconds : int, optional
        Interval in place of that.

    Raises
    ------
    QueryError
        If there are too many intervals.
    """
    resolution = resolution_at(tables, selection.start)
    rolled = any(table.interval_seconds for table in tables)
    rolled &= selection.end - selection.start >= (_LONG_SECONDS if settled_until(tables) is None else _DENSE_SECONDS)
    step = _step(selection, points, interval_seconds, resolution, rolled=rolled)
    start = selection.start // step * step
    if step % resolution_at(tables, start):  # what lies before is no longer known so finely
        start = selection.start
    end = min(-(-selection.end // step) * step, selection.now)
    chosen = plan(tables, start, end, step)
    whole = plan(tables, chosen.start, chosen.end)
    same = (whole.start, whole.end) == (chosen.start, chosen.end)
    return Bucketed(chosen, whole if same else chosen, Buckets(step, chosen.start, chosen.end))


def _step(selection: Selection, points: int, interval_seconds: int | None, resolution: int, *, rolled: bool) -> int:
    """Length of the buckets in seconds: a multiple of what is stored of the start of the range."""
    span = selection.end - selection.start
    if interval_seconds is not None:
        step = -(-interval_seconds // resolution) * resolution
        if span // step > MAX_POINTS:
            raise QueryError(f"an interval of {step} seconds makes more than {MAX_POINTS} points of that range")
        return step
    wanted = max(span / points, resolution, 60 if rolled else 1)
    fitting = (seconds for seconds in _ROUND_SECONDS if seconds >= wanted and seconds % resolution == 0)
    return next(fitting, _ROUND_SECONDS[-1])
