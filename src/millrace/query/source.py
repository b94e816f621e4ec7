"""Segments of a plan as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from millrace.errors import QueryError
from millrace.query.sql import Parameters, identifier
from millrace.query.tables import ReadPlan, Segment, Table
from millrace.schema import Column
from millrace.store import Cancel

SECOND = "_second"
"""Column of the relation: Unix second at which a flow was received, or its interval began."""

SUMS = ("Bytes", "Packets", "SamplingRate")


class QueryStore(Protocol):
    """What questions need of a store."""

    def query(
        self, sql: str, parameters: Mapping[str, object], *, cancel: Cancel | None = None, typed: bool = True
    ) -> pa.Table:
        """Answer a statement whose values are bound by name; unless `typed`, enumerations may stay numbers.

        Raises
        ------
        QueryCancelledError, QueryError, StoreError
        """


def answering(tables: Sequence[Table], columns: Iterable[Column], end: int | None = None) -> list[Table]:
    """Tables that have all of some columns as grouping or filtering needs them, as far as their flows tell them.

    Rollups have the keys; sums are no longer those of a flow.

    Parameters
    ----------
    tables : sequence of Table
    columns : iterable of Column
    end : int, optional
        Unix second at which the range ends that is asked about.
    """
    needed = list(columns)
    rolled = all(is_rolled(column) for column in needed)
    names = [column.name for column in needed]
    return [table.knowing(names, end) for table in tables if rolled or not table.interval_seconds]


def is_rolled(column: Column) -> bool:
    """Whether rollups have a column as grouping or filtering needs it."""
    return column.rollup == "key"


def relation(
    plan: ReadPlan, selects: Sequence[str], condition: str, parameters: Parameters, *, timed: bool = False
) -> str:
    """SQL of the flows of a plan: `SECOND`, what is selected, the sums and ``Flows``.

    Parameters
    ----------
    plan : ReadPlan
    selects : sequence of str
        SQL of further columns.
    condition : str
        SQL of the condition on a flow; empty: all.
    parameters : Parameters
        Takes the bounds.
    timed : bool
        Whether `SECOND` is used: the time of every flow is read then.

    Raises
    ------
    QueryError
        If nothing is stored of that time.
    """
    require_segments(plan)
    names = ", ".join(dict.fromkeys([*selects, *SUMS]))
    selected = f"toUnixTimestamp(TimeReceived) AS {SECOND}, {names}"
    by_table: dict[str, list[Segment]] = {}
    for segment in plan.segments:
        by_table.setdefault(segment.table.name, []).append(segment)
    # Each part of a union costs the engine some milliseconds, however few its rows: one of each table.
    return " UNION ALL ".join(
        _read(segments, selected, condition, parameters, timed=timed) for segments in by_table.values()
    )


def require_segments(plan: ReadPlan) -> None:
    """Raise QueryError if no table answers."""
    if plan.lacking and not plan.segments:
        raise QueryError(untold(*plan.lacking))
    if not plan.segments:
        raise QueryError("no flow of that range of time is stored any more, or so finely")


def told_from(raw: Table, columns: Iterable[Column], start: int, end: int) -> int:
    """First second of a range of single flows that tell some columns.

    Raises
    ------
    QueryError
        If there is none.
    """
    known = raw.knowing((column.name for column in columns), end)
    if not known.missing or known.since <= start:
        return start
    if known.since >= end:
        raise QueryError(untold(known.missing, known.since))
    return known.since


def with_unknown(flows: pa.Table, raw: Table) -> pa.Table:
    """Single flows with nulls where they do not tell a column: what is stored there is a default and no value.

    Parameters
    ----------
    flows : pyarrow.Table
        Columns of the table of single flows, and ``_ms``, when each was received.
    raw : Table
    """
    for name, gaps in raw.gaps.items():
        if name not in flows.column_names:
            continue
        seconds = pc.divide(flows.column("_ms"), 1000)
        within = [pc.and_(pc.greater_equal(seconds, start), pc.less(seconds, end)) for start, end in gaps]
        place, values = flows.column_names.index(name), flows.column(name)
        told = pc.if_else(reduce(pc.or_, within), pa.scalar(None, values.type), values)
        flows = flows.set_column(place, name, told)
    return flows


def untold(column: str, since: int) -> str:
    """What is said of a range whose flows do not tell a column."""
    return (
        f"flows do not tell {column} before {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M:%S} UTC, when it came; "
        "ask about a later range, or without it"
    )


def bounds(segment: Segment, parameters: Parameters) -> str:
    """SQL of the condition that a row lies in a segment."""
    start = parameters.add("UInt32", segment.start)
    end = parameters.add("UInt32", segment.end)
    # The bounds have the type of the column: the primary key, asked for milliseconds
    # before a moment in whole seconds, leaves out the last second (ClickHouse 26.9).
    moment = "toDateTime({}, 'UTC')" if segment.table.interval_seconds else "toDateTime64({}, 3, 'UTC')"
    return f"TimeReceived >= {moment.format(start)} AND TimeReceived < {moment.format(end)}"


def restricted(condition: str) -> str:
    """SQL of a condition, to follow that of `bounds`."""
    return f" AND ({condition})" if condition else ""


def _read(segments: Sequence[Segment], selected: str, condition: str, parameters: Parameters, *, timed: bool) -> str:
    """SQL of the flows of segments of one table."""
    table = segments[0].table
    flows = "Flows" if table.interval_seconds else "toUInt64(1) AS Flows"
    within = " OR ".join(f"({bounds(segment, parameters)})" for segment in segments)
    # The engine would look at the time first, and read the other columns of what is left: of nearly all flows, if there
    # is no other condition. When the time is read anyway, reading all at once takes a twentieth less.
    # (The view of all flows cannot be told so.)
    at_once = "PREWHERE 1 " if timed and not condition and table.interval_seconds else ""
    return (
        f"SELECT {selected}, {flows} FROM {identifier(table.name)} "  # noqa: S608 - names of ours, quoted; values are bound
        f"{at_once}WHERE ({within}){restricted(condition)}"
    )
