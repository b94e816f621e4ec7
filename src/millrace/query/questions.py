"""Questions about flows, as typed values with bounds."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millrace.errors import QueryError
from millrace.query.conditions import Filter

MAX_DIMENSIONS = 8
MAX_POINTS = 2000
MAX_SERIES = 50
MAX_TOP = 1000
MAX_PAGE = 5000
MAX_SPAN_SECONDS = 20 * 366 * 86_400

Unit = Literal["bits/s", "bytes/s", "packets/s", "flows/s"]
"""Rates; bits, bytes and packets are scaled by the sampling rate, flows are as exported."""


class Question(BaseModel):
    """What every question says: a range of time, and which flows."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    start: datetime | None = Field(default=None, examples=["2026-01-31T12:00:00Z"])
    """First moment, ISO 8601 (UTC unless it says otherwise)."""

    end: datetime | None = None
    """Moment after the last; now if absent."""

    last_seconds: int | None = Field(default=None, ge=1, le=MAX_SPAN_SECONDS, examples=[3600])
    """Length of the range before `end`, in place of `start`; an hour if neither is given."""

    filter: Filter | None = Field(default=None, examples=[{"column": "Proto", "operator": "=", "value": "tcp"}])
    """Which flows; all of them if absent."""

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
        end = latest if self.end is None else min(math.ceil(_unix(self.end)), latest)
        start = end - (self.last_seconds or 3600) if self.start is None else math.floor(_unix(self.start))
        if start >= end:
            raise QueryError("the range of time is empty: 'start' must lie before 'end' and before now")
        if end - start > MAX_SPAN_SECONDS:
            raise QueryError(f"the range of time is longer than {MAX_SPAN_SECONDS} seconds")
        return max(start, 0), end


class SeriesQuestion(Question):
    """Flows per time: one series per combination of dimensions, the rest as one more."""

    dimensions: list[str] = Field(default_factory=list, max_length=MAX_DIMENSIONS, examples=[["SrcAS"]])
    """Columns to group by; none: one series of everything."""

    unit: Unit = "bits/s"
    """Unit of the points."""

    limit: int = Field(default=10, ge=1, le=MAX_SERIES)
    """Series apart from "other": those with the largest total."""

    points: int = Field(default=200, ge=1, le=MAX_POINTS)
    """Points at most; the interval is a round number of seconds."""

    interval_seconds: int | None = Field(default=None, ge=1, le=366 * 86_400)
    """Length of the buckets, in place of `points`."""

    spread: bool = False
    """Spread each flow's bytes and packets, and the flow itself, evenly over the time between its first and its last
    packet, in place of counting it at the second it was received. Read from single flows, never from rollups. The
    latest minutes are low then: flows that go on are not reported yet."""


class TopQuestion(Question):
    """Combinations of dimensions with the largest rate."""

    dimensions: list[str] = Field(min_length=1, max_length=MAX_DIMENSIONS, examples=[["SrcAS"]])
    """Columns to group by."""

    unit: Unit = "bits/s"
    """Rate that decides the order."""

    limit: int = Field(default=10, ge=1, le=MAX_TOP)
    """Rows at most."""


class SearchQuestion(Question):
    """Flows as they were stored, the latest first."""

    columns: list[str] | None = Field(default=None, min_length=1, max_length=200)
    """Columns to show; the usual ones if absent."""

    limit: int = Field(default=100, ge=1, le=MAX_PAGE)
    """Flows per page."""

    cursor: str | None = Field(default=None, max_length=64)
    """Where the next page begins, as the page before said."""


def _unix(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
