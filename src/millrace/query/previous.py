"""The total of an earlier range of the same length."""

from __future__ import annotations

import math

import numpy as np

from millrace.batch.arrays import AnyArray
from millrace.query.buckets import Buckets
from millrace.query.figures import Scale
from millrace.query.flows import Flows, interface_columns
from millrace.query.questions import Period
from millrace.query.results import Previous, moment
from millrace.query.run import Run
from millrace.query.selection import Selection
from millrace.query.series import SeriesStatement
from millrace.query.source import answering
from millrace.query.spread import FLOW_TIMES
from millrace.query.sql import Parameters
from millrace.query.tables import plan, resolution_at
from millrace.query.units import Measure

_HOUR, _DAY, _WEEK = 3600, 86_400, 7 * 86_400

_SECONDS = {"hour": _HOUR, "day": _DAY, "week": _WEEK, "4-weeks": 4 * _WEEK, "year": 52 * _WEEK}
"""How long before; a year is 52 weeks, so that days of the week are compared with their like."""

_LONGEST = {"hour": 2 * _HOUR, "day": 2 * _DAY, "week": 2 * _WEEK, "4-weeks": 8 * _WEEK}
"""Shorter ranges are compared with the period before."""


def period_of(period: Period, seconds: int) -> str:
    """The period that is meant for a range of that length."""
    if period != "auto":
        return period
    return next((name for name, longest in _LONGEST.items() if seconds < longest), "year")


def previous(
    period: Period, selection: Selection, buckets: Buckets, measure: Measure, run: Run, *, spread: bool
) -> Previous | None:
    """Everything of an earlier range as one series, in as many intervals.

    None if nothing of that time is stored any more. Where only tables with
    longer intervals are left, their amounts are spread evenly over them.

    Raises
    ------
    QueryError, StoreError
    """
    name = period_of(period, selection.end - selection.start)
    shift = _SECONDS[name]
    start, end = buckets.start - shift, buckets.end - shift
    if start < 0:
        return None
    times = [run.schema[time] for time in FLOW_TIMES] if spread else []
    usable = answering(run.tables, [*selection.columns, *interface_columns(measure, run.schema), *times])
    resolution = resolution_at(usable, start)
    step = resolution if buckets.step % resolution else buckets.step
    chosen = plan(usable, start, end, math.gcd(step, shift))
    if not chosen.segments:
        return None
    flows = Flows(
        chosen, selection, [], measure, Parameters(), spread_step=step if spread else None, shift_seconds=shift
    )
    there = Buckets(step, chosen.start + shift, chosen.end + shift)
    statement = SeriesStatement(flows, [], there)
    amounts, interfaces = statement.ask(run)
    found = _moved(amounts[()], there, buckets)
    row = Scale(measure, buckets).row((), [], found, statement.capacity(interfaces))
    return Previous(name, moment(start), moment(end), row)


def _moved(amounts: AnyArray, there: Buckets, here: Buckets) -> AnyArray:
    """Amounts in other intervals: evenly spread over their own."""
    if there == here:
        return amounts
    added = np.concatenate([[0.0], np.cumsum(amounts)])
    return np.diff(np.interp([*here.starts, here.end], [*there.starts, there.end], added))
