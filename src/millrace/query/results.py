"""Answers to questions; values are as JSON can say them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from millrace.query.questions import Interval, Period, Unit
from millrace.query.render import Json
from millrace.query.tables import ReadPlan


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
    labels : list of str
        The same for people, with the names that are known (``AS15169 Google``).
    other : bool
        Whether it is the rest that has no series of its own.
    points : list of float
        Value in each bucket, in the unit.
    average : float
        Over the part of the range that is covered by data.
    minimum, maximum, percentile95 : float
        Of averages over `Series.figures_seconds`, whole ones of what is covered.
    last : float
        Of the last whole bucket.
    total : float
        Sum over the range: of bytes (IP, or on the wire), packets or flows. Of
        percentages there is none: 0.
    """

    dimensions: list[Json]
    labels: list[str]
    other: bool
    points: list[float]
    average: float
    minimum: float
    maximum: float
    last: float
    percentile95: float
    total: float


@dataclass(frozen=True, slots=True)
class Previous:
    """The total of an earlier range.

    Attributes
    ----------
    period : str
        ``hour``, ``day``, ``week``, ``4-weeks``, ``month``, ``year`` or ``52-weeks``.
    start, end : str
        The earlier range.
    row : SeriesRow
        Everything as one series; as many points as the range itself.
    """

    period: Period
    start: str
    end: str
    row: SeriesRow


@dataclass(frozen=True, slots=True)
class Series:
    """Flows per time.

    Attributes
    ----------
    start, end : str
        Range that is answered: the range asked for, or whole intervals of what
        is stored of it. One that ends now ends where data are complete.
    asked_start, asked_end : str
        Range that was asked for.
    covered_start, covered_end : str
        Part of the range for which there are data: averages and figures are about it.
    interval : str
        What a bucket is: ``seconds``, or a ``day``, ``week``, ``month`` or ``year`` of the question's time zone.
    interval_seconds : int
        Length of the buckets; of months and years the usual one.
    figures_seconds : int
        Length of the intervals whose averages minimum, maximum and 95th percentile are of.
    seconds : list of int
        Length of each bucket: the range may cut the first and the last, days may have 23 or 25 hours. Of buckets that
        are covered in part, that part: rates are divided by it.
    times : list of str
        Start of each bucket.
    rows : list of SeriesRow
        Largest first, "other" last.
    reverse : list of SeriesRow or None
        The opposite direction; its dimensions are those of the exchanged columns.
    previous : Previous or None
    total : SeriesRow
        Everything as one series.
    sources : list of Source
        Tables that were read.
    sql : list of str
        Statements that ran, with their values written out; `millrace sql` takes them.
    implausible_flows : int
        Flows of the range and the filter whose figures cannot be right (column ``Implausible``); they count unless the
        question leaves them out.
    """

    dimensions: list[str]
    unit: Unit
    start: str
    end: str
    asked_start: str
    asked_end: str
    covered_start: str
    covered_end: str
    interval: Literal["seconds"] | Interval
    interval_seconds: int
    figures_seconds: int
    times: list[str]
    seconds: list[int]
    rows: list[SeriesRow]
    reverse: list[SeriesRow] | None
    previous: Previous | None
    total: SeriesRow
    sources: list[Source]
    sql: list[str]
    implausible_flows: int = 0


@dataclass(frozen=True, slots=True)
class TopRow:
    """One combination of dimensions.

    Attributes
    ----------
    value : float
        Average over the range, in the unit (``bytes``: the sum).
    share : float
        Part of the value of everything, 0 to 1 (of percentages: of the sum of what is measured).
    bytes, packets : int
        Estimates (scaled by the sampling rate).
    flows : int
        As exported.
    """

    dimensions: list[Json]
    labels: list[str]
    value: float
    share: float
    bytes: int
    packets: int
    flows: int


@dataclass(frozen=True, slots=True)
class Top:
    """Combinations with the largest value, and the total of everything; the ranges are those of `Series`."""

    dimensions: list[str]
    unit: Unit
    start: str
    end: str
    asked_start: str
    asked_end: str
    covered_start: str
    covered_end: str
    rows: list[TopRow]
    total: TopRow
    sources: list[Source]
    sql: list[str]
    implausible_flows: int = 0


@dataclass(frozen=True, slots=True)
class SankeyNode:
    """A value of a dimension.

    Attributes
    ----------
    dimension : int
        Place of its column.
    value : Json
        None for "other".
    label : str
    other : bool
    rate : float
        Average over the range, in the unit.
    """

    dimension: int
    value: Json
    label: str
    other: bool
    rate: float


@dataclass(frozen=True, slots=True)
class SankeyLink:
    """What flows between two nodes of neighbouring columns; `source` and `target` are places in the list of nodes."""

    source: int
    target: int
    rate: float


@dataclass(frozen=True, slots=True)
class Sankey:
    """What flows from each value of a column to each value of the next.

    What enters a node leaves it: the rates of all links between two columns
    add up to the total. The ranges are those of `Series`.
    """

    dimensions: list[str]
    unit: Unit
    start: str
    end: str
    asked_start: str
    asked_end: str
    covered_start: str
    covered_end: str
    nodes: list[SankeyNode]
    links: list[SankeyLink]
    total: float
    sources: list[Source]
    sql: list[str]
    implausible_flows: int = 0


@dataclass(frozen=True, slots=True)
class HeatmapAxis:
    """A row or a column of a field: its values, or the start of its interval."""

    dimensions: list[Json]
    labels: list[str]
    other: bool
    time: str | None


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A field of values; the ranges are those of `Series`.

    Attributes
    ----------
    interval : str or None
        What the columns are if they are times: ``seconds``, ``day``, ``week``, ``month`` or ``year``.
    interval_seconds : int or None
        Length of the columns if they are times.
    seconds : list of int or None
        Length of each of them, as in `Series`.
    values : list of list of float
        One list per row of the field, in the unit.
    """

    down: list[str]
    across: list[str]
    unit: Unit
    start: str
    end: str
    asked_start: str
    asked_end: str
    covered_start: str
    covered_end: str
    interval: Literal["seconds"] | Interval | None
    interval_seconds: int | None
    seconds: list[int] | None
    rows: list[HeatmapAxis]
    columns: list[HeatmapAxis]
    values: list[list[float]]
    sources: list[Source]
    sql: list[str]
    implausible_flows: int = 0


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A value that flows have had.

    Attributes
    ----------
    value : Json
    label : str
        For people.
    text : str
        As the filter language writes it.
    flows : int
    """

    value: Json
    label: str
    text: str
    flows: int


@dataclass(frozen=True, slots=True)
class Page:
    """Stored flows.

    Attributes
    ----------
    ids : list of str
        Of each flow, to ask for all of its columns.
    cursor : str or None
        Where the next page begins; None: this is the last one.
    """

    columns: list[str]
    flows: list[dict[str, Json]]
    ids: list[str]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SeenInterface:
    """An interface of which flows are stored.

    Attributes
    ----------
    in_bits_per_second, out_bits_per_second : float
        Averages over the part of the range for which there are data.
    """

    index: int
    name: str
    description: str
    speed_mbps: int
    boundary: str
    last_seen: str
    bytes_in: int
    bytes_out: int
    in_bits_per_second: float
    out_bits_per_second: float


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


def sources(plan: ReadPlan) -> list[Source]:
    """Tables that a plan reads."""
    return [Source(s.table.name, moment(s.start), moment(s.end)) for s in plan.segments]
