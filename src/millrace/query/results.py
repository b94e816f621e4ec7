"""Answers to questions; values are as JSON can say them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from millrace.query.render import Json
from millrace.query.tables import Plan


@dataclass(frozen=True, slots=True)
class Source:
    """A table that was read, and for which part of the range."""

    table: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series.

    Attributes
    ----------
    dimensions : list
        Value of each dimension; empty for "other".
    other : bool
        Whether it is the rest that has no series of its own.
    points : list of float
        Rate in each bucket.
    average, minimum, maximum, last, percentile95 : float
        Of the points; the average over the whole range.
    """

    dimensions: list[Json]
    other: bool
    points: list[float]
    average: float
    minimum: float
    maximum: float
    last: float
    percentile95: float


@dataclass(frozen=True, slots=True)
class Series:
    """Flows per time.

    Attributes
    ----------
    start, end : str
        Range that was answered; may differ from the one asked for where only
        coarse intervals are stored.
    interval_seconds : int
        Length of the buckets; the first and the last may be cut by the range.
    times : list of str
        Start of each bucket.
    rows : list of SeriesRow
        Largest total first, "other" last.
    """

    dimensions: list[str]
    unit: str
    start: str
    end: str
    interval_seconds: int
    times: list[str]
    rows: list[SeriesRow]
    sources: list[Source]


@dataclass(frozen=True, slots=True)
class TopRow:
    """One combination of dimensions; bytes and packets are estimates (scaled), flows are as exported."""

    dimensions: list[Json]
    value: float
    share: float
    bytes: int
    packets: int
    flows: int


@dataclass(frozen=True, slots=True)
class Top:
    """Combinations with the largest rate, and the total of everything."""

    dimensions: list[str]
    unit: str
    start: str
    end: str
    rows: list[TopRow]
    total: TopRow
    sources: list[Source]


@dataclass(frozen=True, slots=True)
class Page:
    """Stored flows.

    Attributes
    ----------
    cursor : str or None
        Where the next page begins; None: this is the last one.
    """

    columns: list[str]
    flows: list[dict[str, Json]]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SeenInterface:
    """An interface of which flows are stored."""

    index: int
    name: str
    description: str
    speed_mbps: int
    boundary: str
    last_seen: str
    bytes_in: int
    bytes_out: int


@dataclass(slots=True)
class SeenExporter:
    """An exporter of which flows are stored.

    Attributes
    ----------
    last_seen : str
        To the length of the interval of the table that knows it.
    """

    address: str
    name: str
    group: str
    role: str
    site: str
    region: str
    tenant: str
    last_seen: str
    flows: int
    interfaces: list[SeenInterface] = field(default_factory=list)


def moment(second: int) -> str:
    """Unix seconds as ISO 8601."""
    return f"{datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()}Z"


def moment_ms(time_ms: int) -> str:
    """Unix milliseconds as ISO 8601."""
    return f"{np.datetime_as_string(np.datetime64(time_ms, 'ms'))}Z"


def sources(plan: Plan) -> list[Source]:
    """Tables that a plan reads."""
    return [Source(s.table.name, moment(s.start), moment(s.end)) for s in plan.segments]
