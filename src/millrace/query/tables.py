"""Which table answers for which part of a range of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

RAW = "flows"

_MANY_ROWS = 1_000_000

FOREVER = 2**32 - 1
"""Unix second that no flow reaches."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of flows.

    Parameters
    ----------
    name : str
    interval_seconds : int
        Length of the intervals that its rows add up; 0: every flow is a row.
    since, until : int
        Unix seconds between which it is complete.
    waiting_rows : int
        Flows that wait until it takes them: now, or just before it did the last time, if those were more.
    first : int
        Unix second of the first flow that is known of the whole store: before, there are no data.
    arrived : int, optional
        Unix second before which every flow that was received is stored; absent: up to now.
    gaps : mapping
        By column: times, Unix seconds, whose flows do not tell it, since it came later.
    missing : str
        Column that flows before `since` do not tell, if it is that which bounds it.
    past_changes : int
        How often what is stored of the past changed: answers of before are not those of now.
    """

    name: str
    interval_seconds: int = 0
    since: int = 0
    until: int = FOREVER
    waiting_rows: int = 0
    first: int = field(default=0, compare=False)
    arrived: int | None = field(default=None, compare=False)
    gaps: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict, hash=False)
    missing: str = ""
    past_changes: int = field(default=0, compare=False)

    def knowing(self, names: Iterable[str], end: int | None = None) -> Table:
        """The table as far as its flows tell some columns.

        Parameters
        ----------
        names : iterable of str
            Columns.
        end : int, optional
            Unix second at which the range ends that is asked about: times after it that do not tell a column do not
            bound what is told before, though intervals may reach beyond it.
        """
        found = self
        for name in names:
            for start, stop in self.gaps.get(name, ()):
                if end is not None and start >= end:
                    found = replace(found, until=min(found.until, start))
                elif stop > found.since:
                    found = replace(found, since=stop, missing=name)
        return found


@dataclass(frozen=True, slots=True)
class Segment:
    """A table, and the part of the range that is read from it (Unix seconds, `end` excluded)."""

    table: Table
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Segments that cover a range without gap or overlap.

    Attributes
    ----------
    start, end : int
        Range that is answered: the range asked for, widened to whole intervals
        where only coarse tables are left, and cut where nothing is left.
    resolution_seconds : int
        Buckets must be multiples of it.
    segments : tuple of Segment
    lacking : tuple of (str, int), optional
        If the range is cut because a column came later: the column, and since when flows tell it.
    """

    start: int
    end: int
    resolution_seconds: int
    segments: tuple[Segment, ...]
    lacking: tuple[str, int] | None = None


def settled_until(tables: Sequence[Table]) -> int | None:
    """Moment, Unix seconds, after which so many flows are not rolled up yet that long ranges had better end there.

    Every question about "until now" would read these flows one by one, at
    some 50 million a second. None where they are few.
    """
    rollups = [table for table in tables if table.interval_seconds]
    finest = min(rollups, key=lambda table: table.interval_seconds, default=None)
    return finest.until if finest is not None and finest.waiting_rows >= _MANY_ROWS else None


def first_known(tables: Sequence[Table]) -> int:
    """Unix second before which there are no data."""
    return min((table.first for table in tables), default=0)


def arrived_until(tables: Sequence[Table]) -> int | None:
    """Moment, Unix seconds, before which every flow that was received is stored; None: up to now."""
    return min((table.arrived for table in tables if table.arrived is not None), default=None)


def resolution_at(tables: Sequence[Table], start: int) -> int:
    """Interval in seconds of the finest table that knows a moment (at least 1)."""
    return max(_finest(tables, start).interval_seconds, 1)


def plan(tables: Sequence[Table], start: int, end: int, step: int | None = None) -> ReadPlan:
    """Cover a range with as coarse tables as possible.

    Coarse tables serve the whole intervals inside the range, finer ones the
    rest at both ends: the head when the range does not start on an interval,
    the tail because the last interval is still open.

    Parameters
    ----------
    tables : sequence of Table
        Those that can answer (have the columns).
    start, end : int
        Unix seconds, `end` excluded.
    step : int, optional
        Buckets of the answer, in seconds from the Unix epoch on; no table with
        intervals that would straddle them is used.
    """
    first, last = _finest(tables, start), _finest(tables, end - 1)
    lacking = (first.missing, first.since) if first.missing and start < first.since else None
    start, end = max(start, first.since), max(end, first.since)
    if first.interval_seconds:
        start = start // first.interval_seconds * first.interval_seconds
    if last.interval_seconds:
        end = _ceil(end, last.interval_seconds)
    fitting = [
        table for table in tables if step is None or not table.interval_seconds or step % table.interval_seconds == 0
    ]
    coarse_first = sorted(fitting, key=lambda table: -table.interval_seconds)
    return ReadPlan(start, end, max(first.interval_seconds, 1), tuple(_cover(coarse_first, start, end)), lacking)


def _cover(tables: Sequence[Table], start: int, end: int) -> list[Segment]:
    if start >= end or not tables:
        return []
    table, finer = tables[0], tables[1:]
    if not table.interval_seconds:
        # Never flows that do not tell a column: a filter would take its default for their value.
        start, end = max(start, table.since) if table.missing else start, min(end, table.until)
        return [Segment(table, start, end)] if start < end else []
    inner_start = _ceil(max(start, table.since), table.interval_seconds)
    inner_end = min(end, table.until) // table.interval_seconds * table.interval_seconds
    if inner_start >= inner_end:
        return _cover(finer, start, end)
    return [
        *_cover(finer, start, inner_start),
        Segment(table, inner_start, inner_end),
        *_cover(finer, inner_end, end),
    ]


def _finest(tables: Sequence[Table], second: int) -> Table:
    """The finest table that knows a moment; the one that reaches back farthest if none does."""
    knowing = [table for table in tables if table.since <= second < table.until]
    if knowing:
        return min(knowing, key=lambda table: table.interval_seconds)
    return min(tables, key=lambda table: (table.since, table.interval_seconds))


def _ceil(value: int, unit: int) -> int:
    return -(-value // unit) * unit
