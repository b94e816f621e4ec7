"""Questions about flows, as typed values with bounds."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from millrace.errors import QueryError
from millrace.lang import unix_seconds, zone

MAX_DIMENSIONS = 8
MAX_POINTS = 2000
MAX_SERIES = 50
MAX_TOP = 1000
MAX_SPOTS = 200
MAX_PAGE = 5000
MAX_EXPORT = 1_000_000
MAX_VALUES = 100
MAX_FILTER = 10_000
MAX_SPAN_SECONDS = 20 * 366 * 86_400

Unit = Literal["bits/s", "l2-bits/s", "packets/s", "flows/s", "in-%", "out-%", "bytes"]
"""What is measured. All but flows are scaled by the sampling rate; flows are as exported.

``bits/s`` counts IP packets. ``l2-bits/s`` adds what Ethernet takes on the wire: 38 bytes per packet (14 header,
4 frame check sequence, 8 preamble, 12 gap). ``in-%`` and ``out-%`` are ``l2-bits/s`` in per cent of the speed of the
input or output interfaces; flows of interfaces of unknown speed are left out. ``bytes`` is the volume of IP packets
in each interval, not a rate.
"""

LimitBy = Literal["average", "maximum", "last", "p95"]
"""Figure of a series that decides whether it is shown or part of "other"."""

Interval = Literal["day", "week", "month", "year"]
"""Buckets of the calendar, in the time zone of the question; weeks begin on Monday."""

Period = Literal["auto", "hour", "day", "week", "4-weeks", "month", "year", "52-weeks"]
"""How long before the range the previous period lies, by the clock and the calendar of the question's time zone.

``auto`` follows from its length; ranges that begin with a month or a year are compared with the month or year before.
"""

Name = Annotated[str, Field(min_length=1, max_length=256)]


def _known_zone(name: str) -> str:
    try:
        zone(name)
    except QueryError as error:
        raise ValueError(str(error)) from None
    return name


TimeZone = Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_known_zone)]
"""IANA name of a time zone."""


class Question(BaseModel):
    """What every question says: a range of time, and which flows."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    timezone: TimeZone = "UTC"
    """Time zone of who asks, by its IANA name: of `start` and `end`, and of times in the filter, that name no offset,
    and of days, weeks, months and years."""

    start: datetime | None = Field(default=None, examples=["2026-01-31T12:00:00Z"])
    """First moment, ISO 8601 (in `timezone` unless it says otherwise)."""

    end: datetime | None = None
    """Moment after the last; now if absent."""

    last_seconds: int | None = Field(default=None, ge=1, le=MAX_SPAN_SECONDS, examples=[3600])
    """Length of the range before `end`, in place of `start`; an hour if neither is given."""

    filter: str = Field(default="", max_length=MAX_FILTER, examples=["InIfBoundary = external AND Proto = tcp"])
    """Which flows, in the filter language; all of them if empty."""

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.start is not None and self.last_seconds is not None:
            raise ValueError("give 'start' or 'last_seconds', not both")
        return self

    def span(self, now: float) -> tuple[int, int]:
        """Range in Unix seconds, end excluded; nothing after `now`.

        Raises
        ------
        QueryError
            If it is empty or too long.
        """
        latest = math.ceil(now)
        end = latest if self.end is None else min(math.ceil(self._unix(self.end)), latest)
        start = end - (self.last_seconds or 3600) if self.start is None else math.floor(self._unix(self.start))
        if start >= end:
            raise QueryError("the range of time is empty: 'start' must lie before 'end' and before now")
        if end - start > MAX_SPAN_SECONDS:
            raise QueryError(f"the range of time is longer than {MAX_SPAN_SECONDS} seconds")
        return max(start, 0), end

    def _unix(self, moment: datetime) -> float:
        return unix_seconds(moment, zone(self.timezone))


class Grouped(Question):
    """What questions that group flows have in common."""

    unit: Unit = "bits/s"
    """What is measured."""

    leave_out_implausible: bool = False
    """Leave out flows whose figures cannot be right (column `Implausible`); the answer says how many there are."""

    truncate_v4: int = Field(default=32, ge=0, le=32)
    """Group IPv4 addresses by their prefixes of this length."""

    truncate_v6: int = Field(default=128, ge=0, le=128)
    """Group IPv6 addresses by their prefixes of this length."""


class SeriesQuestion(Grouped):
    """Flows per time: one series per combination of dimensions, the rest as one more."""

    dimensions: list[Name] = Field(default_factory=list, max_length=MAX_DIMENSIONS, examples=[["SrcAS"]])
    """Columns to group by; none: one series of everything."""

    limit: int = Field(default=10, ge=1, le=MAX_SERIES)
    """Series apart from "other"."""

    limit_by: LimitBy = "average"
    """Figure by which those series are the largest."""

    points: int = Field(default=200, ge=1, le=MAX_POINTS)
    """Points at most; the interval is a round number of seconds, or a day, week, month or year."""

    interval_seconds: int | None = Field(default=None, ge=1, le=366 * 86_400)
    """Length of the buckets, in place of `points`."""

    interval: Interval | None = None
    """Days, weeks, months or years of `timezone` as buckets, in place of `points` and `interval_seconds`."""

    bidirectional: bool = False
    """Also answer for the opposite direction: source and destination, input and output are exchanged in the filter
    and in the dimensions."""

    previous: Period | None = None
    """Also answer with the total of an earlier range."""

    spread: bool = False
    """Spread each flow's bytes and packets, and the flow itself, evenly over the time between its first and its last
    packet, in place of counting it at the second it was received. Read from single flows, never from rollups. The
    latest minutes are low then: flows that go on are not reported yet."""

    @model_validator(mode="after")
    def _check_interval(self) -> Self:
        if self.interval is not None and self.interval_seconds is not None:
            raise ValueError("give 'interval' or 'interval_seconds', not both")
        return self


class TopQuestion(Grouped):
    """Combinations of dimensions with the largest average over the range."""

    dimensions: list[Name] = Field(min_length=1, max_length=MAX_DIMENSIONS, examples=[["SrcAS"]])
    """Columns to group by."""

    limit: int = Field(default=10, ge=1, le=MAX_TOP)
    """Rows at most."""


class SankeyQuestion(Grouped):
    """What flows from each value of a column to each value of the next."""

    dimensions: list[Name] = Field(min_length=2, max_length=MAX_DIMENSIONS, examples=[["SrcAS", "InIfProvider"]])
    """Columns, from left to right."""

    limit: int = Field(default=10, ge=1, le=MAX_SERIES)
    """Values of each column; the rest of it is "other"."""


class HeatmapQuestion(Grouped):
    """A field of values: `down` against time, or against `across`."""

    down: list[Name] = Field(min_length=1, max_length=MAX_DIMENSIONS, examples=[["SrcAS"]])
    """Columns whose combinations are the rows."""

    across: list[Name] = Field(default_factory=list, max_length=MAX_DIMENSIONS, examples=[["DstAS"]])
    """Columns whose combinations are the columns; none: time."""

    limit: int = Field(default=20, ge=1, le=MAX_SPOTS)
    """Rows, and columns unless they are times; what is left is "other"."""

    points: int = Field(default=100, ge=1, le=MAX_POINTS)
    """Columns at most if they are times."""


class SearchQuestion(Question):
    """Flows as they were stored, the latest first."""

    columns: list[Name] | None = Field(default=None, min_length=1, max_length=200)
    """Columns to show; the usual ones if absent."""

    limit: int = Field(default=100, ge=1, le=MAX_PAGE)
    """Flows per page."""

    cursor: str | None = Field(default=None, max_length=64)
    """Where the next page begins, as the page before said."""


class ExportQuestion(Question):
    """Flows as they were stored, the latest first, in one file."""

    columns: list[Name] | None = Field(default=None, min_length=1, max_length=200)
    """Columns to write; the usual ones if absent."""

    limit: int = Field(default=100_000, ge=1, le=MAX_EXPORT)
    """Flows at most."""


class ValuesQuestion(Question):
    """Values of a column that flows have had lately, the most frequent first."""

    column: Name = Field(examples=["InIfProvider"])
    """Column."""

    contains: str = Field(default="", max_length=256)
    """Part of the value as it is shown, without regard to case."""

    limit: int = Field(default=20, ge=1, le=MAX_VALUES)
    """Values at most."""
