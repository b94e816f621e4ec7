"""The total of an earlier range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

import numpy as np
from numpy.typing import ArrayLike

from millrace.batch.arrays import AnyArray
from millrace.query import calendar
from millrace.query.buckets import Buckets, Fine, covering, fine_intervals, resolution_around, unit_of
from millrace.query.figures import Amounts, figures_of
from millrace.query.flows import Flows, interface_columns
from millrace.query.questions import Period
from millrace.query.results import Previous, SeriesRow, moment
from millrace.query.run import Run
from millrace.query.selection import Selection
from millrace.query.series import SeriesStatement
from millrace.query.source import answering
from millrace.query.spread import FLOW_TIMES
from millrace.query.sql import Parameters
from millrace.query.tables import Table, plan
from millrace.query.units import Measure

_HOUR, _DAY, _WEEK = 3600, 86_400, 7 * 86_400

_LONGEST: dict[Period, int] = {"hour": 2 * _HOUR, "day": 2 * _DAY, "week": 2 * _WEEK, "4-weeks": 8 * _WEEK}
"""Shorter ranges are compared with the period before."""


def period_of(period: Period, selection: Selection) -> Period:
    """The period that is meant for a range.

    Ranges of two weeks and more that begin with a year, and end with one or
    now, are compared with the year before; those of a month, or of one so far,
    with the month before.
    """
    if period != "auto":
        return period
    start, end, zone = selection.start, selection.end, selection.zone
    known: Period = next((name for name, longest in _LONGEST.items() if end - start < longest), "year")
    if known == "4-weeks" and calendar.begins("month", start, zone):
        month = calendar.edges("month", start, start + 1, zone)
        if end == month[1] or (end < month[1] and end == selection.now):
            return "month"
    return known


@dataclass(frozen=True, slots=True)
class Earlier:
    """Where the buckets of a range lie in an earlier one.

    Attributes
    ----------
    starts, ends : list of int
        Of each bucket, Unix seconds. They may overlap, where a month is compared with a shorter one.
    start, end : int
        Of all.
    """

    starts: list[int]
    ends: list[int]
    start: int
    end: int


def earlier(period: Period, buckets: Buckets, zone: tzinfo) -> Earlier:
    """The same buckets, a period before.

    One of the calendar is compared with a whole one if one begins there, so
    that days with 23 hours are compared with days of 24, and one of the clock
    with what the clock showed then; others with as many seconds.
    """
    of_the_clock = buckets.interval == "seconds" and not buckets.even

    def end_of(place: int, start: int) -> int:
        if buckets.interval != "seconds" and place in buckets.uncut and calendar.begins(buckets.interval, start, zone):
            return calendar.edges(buckets.interval, start, start + 1, zone)[1]
        if of_the_clock and place in buckets.uncut:
            end = calendar.earlier(period, int(buckets.ends[place]), zone)
            if end > start:  # not of an hour that the clock showed twice
                return end
        return start + int(buckets.ends[place] - buckets.starts[place])

    starts = [calendar.earlier(period, second, zone) for second in buckets.starts.tolist()]
    ends = [end_of(place, start) for place, start in enumerate(starts)]
    return Earlier(starts, ends, min(starts), max(calendar.earlier(period, buckets.end, zone), *ends))


def previous(
    period: Period, selection: Selection, buckets: Buckets, measure: Measure, run: Run, *, spread: bool
) -> Previous | None:
    """Everything of an earlier range as one series, in as many buckets.

    None if nothing of that time is stored any more, or was yet. Where only
    tables with longer intervals are left, their amounts are spread evenly over
    them.

    Raises
    ------
    QueryError, StoreError
    """
    name = period_of(period, selection)
    then = earlier(name, buckets, selection.zone)
    if then.start < 0 or then.end <= selection.first:
        return None
    times = [run.schema[time] for time in FLOW_TIMES] if spread else []
    columns = [*selection.columns, *interface_columns(measure, run.schema), *times]
    usable = answering(run.tables, columns, then.end)
    known = plan(usable, then.start, then.end)
    covered = selection.covered(min(max(then.start, known.start), then.end), then.end)
    there = _there(usable, then, covered)
    fine = fine_intervals(usable, there) if measure.rate else None
    chosen = covering(usable, there, fine)
    if not chosen.segments:
        return None
    # What is stored may begin later, or in longer intervals, than was asked for.
    inner = (edge for edge in there.edges if chosen.start < edge < chosen.end)
    there = replace(there, edges=(chosen.start, *inner, chosen.end), start=chosen.start, end=chosen.end)
    spread_step = (unit_of(there, fine) or there.end - there.start) if spread else None
    flows = Flows(chosen, selection, [], measure, Parameters(), spread_step=spread_step)
    statement = SeriesStatement(flows, [], there, fine)
    found = statement.ask(run)
    overlay = Overlay(then, buckets, there)
    row = overlay.row(found.everything, measure, statement.capacity(found), fine)
    return Previous(name, moment(then.start), moment(then.end), row)


def _there(tables: Sequence[Table], then: Earlier, covered: tuple[int, int]) -> Buckets:
    """All edges of the earlier buckets as buckets; on both sides of those at which what is stored cannot be divided."""
    wanted = sorted({*then.starts, *then.ends, then.start, then.end})
    steps = [resolution_around(tables, edge) for edge in wanted]
    before = (edge - edge % step for edge, step in zip(wanted, steps, strict=True))
    after = (edge + -edge % step for edge, step in zip(wanted, steps, strict=True))
    edges = tuple(sorted({*before, *after}))
    return Buckets(edges, then.start, then.end, covered, 0, "seconds")


def spread_over(edges: AnyArray, amounts: AnyArray, starts: ArrayLike, ends: ArrayLike) -> AnyArray:
    """Amounts of intervals, of amounts that are spread evenly between edges.

    They are added up, and no running total is subtracted: of one forged flow nothing would be left
    of those that follow it.

    Parameters
    ----------
    edges : ndarray of int, (n + 1,)
        Ascending.
    amounts : ndarray of float64, (n,)
        Between them.
    starts, ends : array of int, (m,)
        Of the intervals; outside of the edges there is nothing.

    Returns
    -------
    ndarray of float64, (m,)
    """
    starts, ends = (np.clip(moments, edges[0], edges[-1]) for moments in (starts, ends))
    lengths = np.diff(edges)
    first = np.clip(np.searchsorted(edges, starts, "right") - 1, 0, len(amounts) - 1)
    last = np.clip(np.searchsorted(edges, ends, "left") - 1, 0, len(amounts) - 1)
    within = amounts[first] * ((ends - starts) / lengths[first])
    head = amounts[first] * ((edges[first + 1] - starts) / lengths[first])
    tail = amounts[last] * ((ends - edges[last]) / lengths[last])
    pairs = np.stack([first + 1, np.maximum(last, first + 1)], axis=1).ravel()
    whole = np.add.reduceat(np.append(amounts, 0.0), pairs)[::2]
    found: AnyArray = np.where(last > first, head + np.where(last > first + 1, whole, 0.0) + tail, within)
    return found


@dataclass(frozen=True, slots=True)
class Overlay:
    """An earlier range, laid over the buckets of the range.

    Parameters
    ----------
    then : Earlier
    buckets : Buckets
        Of the range.
    there : Buckets
        In which the amounts of the earlier range are known, and what is covered of it.
    """

    then: Earlier
    buckets: Buckets
    there: Buckets

    def row(self, amounts: Amounts, measure: Measure, capacity: float, fine: Fine | None) -> SeriesRow:
        """The earlier range as a row of as many points as the range has buckets."""
        starts, ends = np.asarray(self.then.starts), np.asarray(self.then.ends)
        edges, covered = np.asarray(self.there.edges), self.there.covered
        in_buckets = spread_over(edges, amounts.buckets, starts, ends)
        (whole,) = spread_over(edges, amounts.buckets, [self.then.start], [self.then.end]).tolist()
        known = np.maximum(np.minimum(ends, covered[1]) - np.maximum(starts, covered[0]), 0)
        each = measure.value(1.0, capacity)
        points = in_buckets * each
        average = whole * each / ((covered[1] - covered[0]) or 1)
        if measure.rate:
            points = points / np.where(known > 0, known, ends - starts)
        else:
            usual = np.diff(self.buckets.edges)
            usual[self.buckets.uncut] = (ends - starts)[self.buckets.uncut]
            average = float(points.sum()) / (float((known / usual).sum()) or 1.0)
        some = np.asarray(self.buckets.some)
        steady = points[some]
        whole_ones = (known == ends - starts)[some]
        minimum, maximum, percentile = figures_of(steady[whole_ones] if whole_ones.any() else steady)
        if fine is not None and amounts.fine is not None:
            minimum, maximum, percentile = (amount * each / fine.seconds for amount in amounts.fine)
        return SeriesRow(
            [], [], other=False, points=points.tolist(), average=average, minimum=minimum, maximum=maximum,
            last=float(steady[-1]), percentile95=percentile, total=0.0 if measure.side else whole,
        )  # fmt: skip
