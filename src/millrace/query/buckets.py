"""Intervals of time in which flows are added up."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from millrace.batch.arrays import AnyArray
from millrace.errors import QueryError
from millrace.query import calendar
from millrace.query.questions import MAX_POINTS, Interval
from millrace.query.selection import Selection
from millrace.query.source import SECOND, require_segments
from millrace.query.sql import Parameters
from millrace.query.tables import ReadPlan, Table, plan, resolution_at, settled_until

_ROUND_SECONDS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
)  # fmt: skip

_LONG_SECONDS = 3600
"""Ranges from which on buckets are at least a minute, so that rollups can answer."""

_QUARTER_SECONDS = 900
"""Every zone is whole quarters of an hour off Greenwich."""

_DENSE_SECONDS = 900
"""The same where very many flows come: a graph of them would read a hundred million."""


@dataclass(frozen=True)
class Buckets:
    """Intervals between edges, cut to a range.

    Parameters
    ----------
    edges : tuple of int
        Unix seconds: the first at the start of the range or before, the last at its end or after.
    start, end : int
        Range, Unix seconds, end excluded.
    covered : tuple of int
        Part of the range for which there are data.
    step : int
        Seconds between edges, where no clock is changed; of intervals of the calendar the usual
        ones; 0: as the edges say.
    interval : {"seconds", "day", "week", "month", "year"}
    """

    edges: tuple[int, ...]
    start: int
    end: int
    covered: tuple[int, int]
    step: int
    interval: Literal["seconds"] | Interval

    @cached_property
    def even(self) -> bool:
        """Whether all are of the same length, counted from the Unix epoch."""
        if self.interval != "seconds" or not self.step:
            return False
        return self.edges == tuple(range(-(-self.edges[0] // self.step) * self.step, self.edges[-1] + 1, self.step))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.edges) - 1

    @cached_property
    def starts(self) -> AnyArray:
        """Start of each, Unix seconds."""
        return np.maximum(np.asarray(self.edges[:-1], np.int64), self.start)

    @cached_property
    def ends(self) -> AnyArray:
        """End of each, Unix seconds."""
        return np.minimum(np.asarray(self.edges[1:], np.int64), self.end)

    @cached_property
    def seconds(self) -> AnyArray:
        """Length of each; of those that are covered in part, of that part."""
        covered = np.minimum(self.ends, self.covered[1]) - np.maximum(self.starts, self.covered[0])
        return np.where(covered > 0, covered, self.ends - self.starts)

    @property
    def covered_seconds(self) -> int:
        """Length of the part of the range for which there are data."""
        return self.covered[1] - self.covered[0]

    @cached_property
    def parts(self) -> float:
        """How many there are of what is covered: one that is half covered is half a one."""
        covered = np.minimum(self.ends, self.covered[1]) - np.maximum(self.starts, self.covered[0])
        return float((np.maximum(covered, 0) / np.diff(self.edges)).sum())

    @cached_property
    def whole(self) -> range:
        """Places of those that are neither cut nor covered in part."""
        edges = np.asarray(self.edges)
        places = np.flatnonzero((edges[:-1] >= self.covered[0]) & (edges[1:] <= self.covered[1]))
        return range(int(places[0]), int(places[-1]) + 1) if len(places) else range(0)

    @cached_property
    def uncut(self) -> range:
        """Places of those that the range does not cut."""
        edges = np.asarray(self.edges)
        places = np.flatnonzero((edges[:-1] == self.starts) & (edges[1:] == self.ends))
        return range(int(places[0]), int(places[-1]) + 1) if len(places) else range(0)

    @cached_property
    def some(self) -> range:
        """Places of `whole`, or if there are none of all that are covered in part, or of all."""
        if self.whole:
            return self.whole
        places = np.flatnonzero((self.ends > self.covered[0]) & (self.starts < self.covered[1]))
        return range(int(places[0]), int(places[-1]) + 1) if len(places) else range(self.count)

    def sql(self, parameters: Parameters) -> str:
        """SQL of the edge at which the bucket of a row begins."""
        if self.even:
            step = parameters.add("UInt32", self.step)
            return f"intDiv({SECOND}, {step}) * {step}"
        return f"roundDown(toUInt32({SECOND}), {parameters.add('Array(UInt32)', self.edges[:-1])})"


@dataclass(frozen=True, slots=True)
class Fine:
    """Intervals that are finer than what is drawn, from the Unix epoch on.

    Parameters
    ----------
    seconds : int
        Length of each.
    first, last : int
        Numbers of the first and the last that is covered by data as a whole.
    """

    seconds: int
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many are covered as a whole."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Bucketed:
    """Plans of a range in intervals.

    Attributes
    ----------
    plan : ReadPlan
        For amounts in each interval.
    whole : ReadPlan
        Of the same range for sums over all of it: coarser tables may serve.
    buckets : Buckets
    fine : Fine or None
        Intervals of whose averages figures are; None: the buckets.
    spread_step : int
        Seconds by which all buckets and fine intervals can be told apart.
    """

    plan: ReadPlan
    whole: ReadPlan
    buckets: Buckets
    fine: Fine | None
    spread_step: int

    @property
    def figures_seconds(self) -> int:
        """Length of the intervals of whose averages figures are."""
        return self.fine.seconds if self.fine else self.buckets.step


def bucketed(
    tables: Sequence[Table],
    selection: Selection,
    points: int,
    interval_seconds: int | None = None,
    interval: Interval | None = None,
    *,
    figures: bool = True,
) -> Bucketed:
    """Plan a range in buckets; the range cuts the first and the last.

    Parameters
    ----------
    tables : sequence of Table
        Those that can answer.
    selection : Selection
    points : int
        Intervals at most.
    interval_seconds : int, optional
        Length of the intervals in place of that.
    interval : {"day", "week", "month", "year"}, optional
        Intervals of the calendar in place of that.
    figures : bool
        Whether there are figures of finer intervals, which need finer tables.

    Raises
    ------
    QueryError
        If there are too many intervals.
    """
    known = plan(tables, selection.start, selection.end)
    require_segments(known)
    start, end = known.start, known.end
    resolution = resolution_at(tables, start)
    rolled = is_rolled(tables, selection.end - selection.start)
    step: int | Interval
    if interval is not None:
        step = interval
    elif interval_seconds is not None:
        step = -(-interval_seconds // resolution) * resolution
    else:
        step = _step((selection.end - selection.start) / points, 60 if rolled else 1, resolution)
    made = _buckets(step, start, end, selection, tables)
    if made.count > MAX_POINTS + 1:
        name = f"{step} seconds" if isinstance(step, int) else f"a {step}"
        raise QueryError(f"an interval of {name} makes more than {MAX_POINTS} points of that range")
    fine = fine_intervals(tables, made) if figures else None
    return Bucketed(covering(tables, made, fine), known, made, fine, unit_of(made, fine) or end - start)


def is_rolled(tables: Sequence[Table], seconds: int) -> bool:
    """Whether rollups are to answer about a range of that length: nothing is then told of less than a minute."""
    longest = _LONG_SECONDS if settled_until(tables) is None else _DENSE_SECONDS
    return seconds >= longest and any(table.interval_seconds for table in tables)


def fine_intervals(tables: Sequence[Table], buckets: Buckets) -> Fine | None:
    """Intervals for figures of a range; None if they are the buckets, or none is covered."""
    rolled = is_rolled(tables, buckets.end - buckets.start)
    seconds = figures_seconds(tables, *buckets.covered, rolled=rolled)
    if buckets.even and buckets.step == seconds:
        return None
    found = Fine(seconds, -(-buckets.covered[0] // seconds), buckets.covered[1] // seconds - 1)
    return found if found.count > 0 else None


def unit_of(buckets: Buckets, fine: Fine | None, inside: tuple[int, int] | None = None) -> int:
    """Seconds of which all edges of buckets inside a range, and of fine intervals, are multiples; 0: there are none."""
    seconds = fine.seconds if fine else 0
    if buckets.even:
        return math.gcd(buckets.step, seconds)
    start, end = inside or (buckets.start, buckets.end)
    return math.gcd(seconds, *(edge for edge in buckets.edges if start < edge < end))


def figures_seconds(tables: Sequence[Table], start: int, end: int, *, rolled: bool) -> int:
    """Length of the intervals whose averages minimum, maximum and percentile of a range are of.

    It follows from the range and from what is stored of it, not from what is drawn: ten seconds of
    less than an hour, a minute up to six hours, five minutes up to a year, as transit is billed, an
    hour beyond. From a minute on it is that of the finest rollup that reaches so far back: single flows
    would be too many.

    Parameters
    ----------
    tables : sequence of Table
        Those that can answer.
    start, end : int
        What is covered of the range, Unix seconds.
    rolled : bool
        Whether rollups are to answer.
    """
    span = end - start
    wanted = next((seconds for longest, seconds in _FIGURES if span < longest), 3600)
    if rolled:
        wanted = max(wanted, 60)
    if wanted < 60:
        return max(wanted, resolution_at(tables, start))
    rollups = (table.interval_seconds for table in tables if table.since <= start and table.interval_seconds >= wanted)
    return min(rollups, default=max(wanted, resolution_at(tables, start)))


_FIGURES = ((3600, 10), (6 * 3600 + 1, 60), (366 * 86_400 + 3601, 300))
"""Shorter ranges have figures of so many seconds; a year may begin in winter and end in summer."""


def _step(wanted: float, least: int, resolution: int) -> int | Interval:
    """Round length of buckets: a multiple of what is stored of the start of the range."""
    wanted = max(wanted, resolution, least)
    fitting = (seconds for seconds in _ROUND_SECONDS if seconds >= wanted and seconds % resolution == 0)
    found = next(fitting, None)
    if found is not None:
        return found
    longest: dict[Interval, int] = {"day": 86_400, "week": 7 * 86_400, "month": 31 * 86_400}
    return next((interval for interval, seconds in longest.items() if wanted <= seconds), "year")


def _buckets(step: int | Interval, start: int, end: int, selection: Selection, tables: Sequence[Table]) -> Buckets:
    covered = selection.covered(start, end)
    if isinstance(step, int):
        first, last = start // step, -(-end // step)
        if last - first > MAX_POINTS + 1:  # refused, whatever the edges are
            last = first + MAX_POINTS + 2
        elif _of_the_clock(step, selection.zone):
            found = _cut(known_edges(tables, calendar.clock_edges(step, start, end, selection.zone)), start)
            return Buckets(found, start, end, covered, step, "seconds")
        return Buckets(tuple(range(first * step, (last + 1) * step, step)), start, end, covered, step, "seconds")
    found = _cut(known_edges(tables, calendar.edges(step, start, end, selection.zone)), start)
    return Buckets(found, start, end, covered, calendar.USUAL_SECONDS[step], step)


def _cut(edges: Sequence[int], start: int) -> tuple[int, ...]:
    """Edges from the last on before or at the start: those that were moved may leave nothing of the first bucket."""
    return tuple(edges[bisect_right(edges, start) - 1 :])


def _of_the_clock(seconds: int, zone: tzinfo) -> bool:
    """Whether intervals are counted from midnight: those that divide a day and that some zone's midnight divides."""
    return _QUARTER_SECONDS < seconds < calendar.DAY and calendar.DAY % seconds == 0 and str(zone) != "UTC"


def known_edges(tables: Sequence[Table], edges: Sequence[int]) -> list[int]:
    """Edges, or where only longer intervals are stored than can be divided there, the nearest of theirs before."""
    return sorted({edge - edge % resolution_around(tables, edge) for edge in edges})


def resolution_around(tables: Sequence[Table], second: int) -> int:
    """Length of the intervals that are stored on both sides of a moment."""
    return resolution_at(tables, max(second - _coarsest(tables), 0))


def _coarsest(tables: Sequence[Table]) -> int:
    return max(1, *(table.interval_seconds for table in tables))


def covering(tables: Sequence[Table], buckets: Buckets, fine: Fine | None) -> ReadPlan:
    """Plan of a range whose tables have no intervals that would straddle edges of buckets or of fine intervals."""
    start, end = buckets.start, buckets.end
    if buckets.even:
        return plan(tables, start, end, unit_of(buckets, fine))
    # Edges suit the tables that know them: what is known less finely is planned apart.
    coarsest = _coarsest(tables)
    seams = {-(-table.since // coarsest) * coarsest + coarsest for table in tables}
    cuts = [start, *sorted(seam for seam in seams if start < seam < end), end]
    parts = [plan(tables, begin, stop, unit_of(buckets, fine, (begin, stop))) for begin, stop in pairwise(cuts)]
    segments = tuple(segment for part in parts for segment in part.segments)
    return ReadPlan(parts[0].start, parts[-1].end, parts[0].resolution_seconds, segments, parts[0].lacking)
