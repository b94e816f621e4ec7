"""What all questions read from: the segments of a plan, as one relation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from millrace.errors import QueryError
from millrace.query.conditions import comparisons
from millrace.query.questions import Question, Unit
from millrace.query.sql import Parameters, identifier, known_column
from millrace.query.tables import Plan, Segment, Table
from millrace.query.where import where
from millrace.schema import Column, Schema

SECOND = "_second"
"""Column of the relation: Unix second at which a flow was received, or its interval began."""

MEASURES: dict[Unit, tuple[str, int]] = {
    "bits/s": ("Bytes * SamplingRate", 8),
    "bytes/s": ("Bytes * SamplingRate", 1),
    "packets/s": ("Packets * SamplingRate", 1),
    "flows/s": ("Flows", 1),
}
"""SQL of what a flow adds to each unit, and the factor that makes the unit of the sum."""


class QueryStore(Protocol):
    """What questions need of a store."""

    def query(self, sql: str, parameters: Mapping[str, object]) -> pa.Table:
        """Answer a statement whose values are bound by name; raises QueryError and StoreError."""


def answering(tables: Sequence[Table], columns: Iterable[Column]) -> list[Table]:
    """Tables that have all of some columns as grouping or filtering needs them.

    Rollups have the keys, and attributes, which follow from the keys; sums
    are no longer those of a flow.
    """
    rolled = all(column.rollup in ("key", "attribute") for column in columns)
    return [table for table in tables if rolled or not table.interval_seconds]


def filter_columns(question: Question, schema: Schema) -> list[Column]:
    """Columns that a question's filter names; raises QueryError for an unknown one."""
    if question.filter is None:
        return []
    return [known_column(schema, comparison.column) for comparison in comparisons(question.filter)]


def relation(plan: Plan, columns: Sequence[Column], question: Question, schema: Schema, parameters: Parameters) -> str:
    """SQL of the flows of a plan: `SECOND`, the columns, the sums and ``Flows``.

    Raises
    ------
    QueryError
        If nothing is stored of that time, or the filter is wrong.
    """
    condition = matching(plan, question, schema, parameters)
    names = ", ".join([*(identifier(column.name) for column in columns), "Bytes", "Packets", "SamplingRate"])
    return " UNION ALL ".join(_segment(segment, names, condition, parameters) for segment in plan.segments)


def matching(plan: Plan, question: Question, schema: Schema, parameters: Parameters) -> str:
    """SQL of the question's filter, to follow `bounds`; raises as `relation`."""
    if not plan.segments:
        raise QueryError("no flow of that range of time is stored any more, or so finely")
    return "" if question.filter is None else f" AND ({where(question.filter, schema, parameters)})"


def bounds(segment: Segment, parameters: Parameters) -> str:
    """SQL of the condition that a row lies in a segment."""
    start = parameters.add("UInt32", segment.start)
    end = parameters.add("UInt32", segment.end)
    # The bounds have the type of the column: the primary key, asked for milliseconds
    # before a moment in whole seconds, leaves out the last second (ClickHouse 26.9).
    moment = "toDateTime({}, 'UTC')" if segment.table.interval_seconds else "toDateTime64({}, 3, 'UTC')"
    return f"TimeReceived >= {moment.format(start)} AND TimeReceived < {moment.format(end)}"


def _segment(segment: Segment, names: str, condition: str, parameters: Parameters) -> str:
    flows = "Flows" if segment.table.interval_seconds else "toUInt64(1) AS Flows"
    return (
        f"SELECT toUnixTimestamp(TimeReceived) AS {SECOND}, {names}, {flows} FROM {identifier(segment.table.name)} "  # noqa: S608 - names of ours, quoted; values are bound
        f"WHERE {bounds(segment, parameters)}{condition}"
    )
