"""Days, weeks, months and years of a time zone, and parts of its days, as Unix seconds.

A day begins with the first moment of its date: at midnight, or later where
the clock skips midnight. So days have 23 or 25 hours where the clock is
changed, and none where a zone left a date out (Pacific/Apia, 2011-12-30).
"""

from __future__ import annotations

import calendar
from bisect import bisect_left, bisect_right
from datetime import date, datetime, timedelta, tzinfo

from millrace.query.questions import Interval, Period

HOUR, DAY, WEEK = 3600, 86_400, 7 * 86_400

USUAL_SECONDS: dict[Interval, int] = {"day": DAY, "week": WEEK, "month": 30 * DAY, "year": 365 * DAY}
"""Usual length of each interval."""

_DAYS_BEFORE: dict[Period, int] = {"day": 1, "week": 7, "4-weeks": 28, "52-weeks": 364}


def edges(interval: Interval, start: int, end: int, zone: tzinfo) -> list[int]:
    """Where intervals begin and end that cover a range: the first edge at its start or before, the last at its end.

    Parameters
    ----------
    interval : {"day", "week", "month", "year"}
        Weeks begin on Monday.
    start, end : int
        Unix seconds, `end` excluded.
    zone : tzinfo
    """
    day = _first_day(interval, datetime.fromtimestamp(start, zone).date())
    found = [_unix(day, zone)]
    while found[-1] < end:
        day = _following(interval, day)
        found.append(_unix(day, zone))
    return sorted(set(found))


def clock_edges(seconds: int, start: int, end: int, zone: tzinfo) -> list[int]:
    """The same for intervals of so many seconds, counted from midnight by the clock.

    Where the clock is changed, one is longer or shorter; those of an hour or less are there as often as the clock
    shows them.

    Parameters
    ----------
    seconds : int
        A whole part of a day.
    start, end : int
        Unix seconds, `end` excluded.
    zone : tzinfo
    """
    day = datetime.fromtimestamp(start, zone).date()
    found = {_unix(day, zone)}
    while max(found) < end:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for passed in range(0, DAY, seconds):
            moment = midnight + timedelta(seconds=passed)  # of the clock: offsets are not looked at
            found.add(round(moment.timestamp()))
            again = round(moment.replace(fold=1).timestamp())
            if seconds <= HOUR and again > moment.timestamp():
                found.add(again)
        day += timedelta(days=1)
        found.add(_unix(day, zone))
    edges = sorted(found)
    return edges[bisect_right(edges, start) - 1 : bisect_left(edges, end) + 1]


def earlier(period: Period, second: int, zone: tzinfo) -> int:
    """The moment so long before another by the clock and the calendar; of a day that a month lacks: its last day.

    Parameters
    ----------
    period : Period
        Not ``auto``.
    second : int
        Unix seconds.
    zone : tzinfo
    """
    if period == "hour":
        return second - HOUR
    then = datetime.fromtimestamp(second, zone)
    if period in _DAYS_BEFORE:
        then -= timedelta(days=_DAYS_BEFORE[period])  # of the clock: offsets are not looked at
    else:
        months = then.year * 12 + then.month - 1 - (12 if period == "year" else 1)
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        then = then.replace(year=year, month=month + 1, day=min(then.day, last))
    return round(then.timestamp())


def begins(interval: Interval, second: int, zone: tzinfo) -> bool:
    """Whether an interval begins at a moment."""
    return edges(interval, second, second, zone)[0] == second


def _first_day(interval: Interval, day: date) -> date:
    match interval:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)


def _following(interval: Interval, day: date) -> date:
    """First day of the next interval, of the first day of one."""
    match interval:
        case "day":
            return day + timedelta(days=1)
        case "week":
            return day + timedelta(days=7)
        case "month":
            return (day + timedelta(days=31)).replace(day=1)
        case "year":
            return day.replace(year=day.year + 1)


def _unix(day: date, zone: tzinfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
