"""Flows as they were stored, page by page."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from millrace.errors import QueryError
from millrace.query.questions import SearchQuestion
from millrace.query.render import json_columns
from millrace.query.results import Page
from millrace.query.source import bounds, filter_columns
from millrace.query.sql import Parameters, identifier, known_column
from millrace.query.tables import Segment, Table
from millrace.query.where import where
from millrace.schema import Schema

USUAL_COLUMNS = (
    "TimeReceived", "TimeFlowStart", "TimeFlowEnd", "FlowProtocol", "ExporterAddress", "ExporterName",
    "InIf", "InIfName", "OutIf", "OutIfName", "SrcAddr", "SrcPort", "DstAddr", "DstPort", "Proto", "TCPFlags",
    "SrcAS", "DstAS", "Bytes", "Packets", "SamplingRate", "SamplingRateSource",
)  # fmt: skip
"""Columns that a page shows unless others are asked for."""

_TIE = (
    "ExporterAddress", "SrcAddr", "DstAddr", "SrcPort", "DstPort", "Proto", "InIf", "OutIf",
    "TimeFlowStart", "TimeFlowEnd", "Bytes", "Packets",
)  # fmt: skip
"""Columns whose hash orders the flows of one millisecond; flows that agree in them are interchangeable."""

_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9]{1,9})")

_MAX_TIES = 1_000_000
"""Flows of one millisecond through which pages are turned."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins.

    Parameters
    ----------
    time_ms : int
        Of the last flow of the page before.
    skip : int
        Flows of that millisecond that were shown.
    """

    time_ms: int
    skip: int

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str` wrote; raises QueryError."""
        found = _CURSOR.fullmatch(text)
        if found is None or int(found[2]) > _MAX_TIES:
            raise QueryError("the cursor is none that a page has given")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.time_ms}.{self.skip}"


class SearchStatement:
    """SQL of a `SearchQuestion`, and the shape of its answer.

    Two statements: the first finds, from the times alone, where the page
    ends; the second reads and orders the few flows of the page.

    Raises
    ------
    QueryError
        If the question names something unknown.
    """

    def __init__(self, question: SearchQuestion, schema: Schema, raw: Table, now: float) -> None:
        names = dict.fromkeys(question.columns or [name for name in USUAL_COLUMNS if name in schema])
        self._columns = {name: known_column(schema, name) for name in names}
        filter_columns(question, schema)
        self._limit = question.limit
        self._cursor = Cursor.parse(question.cursor) if question.cursor else None
        self.parameters = Parameters()
        self._from = f"FROM {identifier(raw.name)} WHERE {self._where(question, schema, raw, now)}"
        # One more than the page holds tells whether there is another page.
        self._take = self.parameters.add("UInt32", question.limit + 1)
        self._skip = self.parameters.add("UInt32", self._cursor.skip if self._cursor else 0)

    def _where(self, question: SearchQuestion, schema: Schema, raw: Table, now: float) -> str:
        parts = [bounds(Segment(raw, *question.span(now)), self.parameters)]
        if self._cursor:
            parts.append(f"TimeReceived <= {self._moment(self._cursor.time_ms)}")
        if question.filter is not None:
            parts.append(f"({where(question.filter, schema, self.parameters)})")
        return " AND ".join(parts)

    def _moment(self, time_ms: int) -> str:
        return f"fromUnixTimestamp64Milli({self.parameters.add('Int64', time_ms)}, 'UTC')"

    @property
    def edge_sql(self) -> str:
        """Time of the oldest flow that the page needs, one row."""
        return (
            f"SELECT min(_ms) AS _ms, count() AS _count FROM (SELECT toUnixTimestamp64Milli(TimeReceived) AS _ms "  # noqa: S608 - values are bound
            f"{self._from} ORDER BY TimeReceived DESC LIMIT {self._take} OFFSET {self._skip})"
        )

    def page_sql(self, edge: pa.Table) -> str | None:
        """Statement of the page; None if it is empty."""
        if not edge.column("_count")[0].as_py():
            return None
        oldest = self._moment(edge.column("_ms")[0].as_py())
        ties = ", ".join(identifier(name) for name in _TIE)
        shown = ", ".join(identifier(name) for name in self._columns)
        return (
            f"SELECT {shown}, toUnixTimestamp64Milli(TimeReceived) AS _ms {self._from} AND TimeReceived >= {oldest} "
            f"ORDER BY _ms DESC, cityHash64({ties}) LIMIT {self._take} OFFSET {self._skip}"
        )

    def shape(self, table: pa.Table | None) -> Page:
        """Make the answer of what the store gave."""
        names = list(self._columns)
        if table is None:
            return Page(names, [])
        page = table.slice(0, self._limit)
        flows = json_columns(self._columns, page)
        return Page(names, flows, str(self._next(page)) if table.num_rows > self._limit else None)

    def _next(self, page: pa.Table) -> Cursor:
        times = page.column("_ms").to_numpy()
        last = int(times[-1])
        skip = int((times == last).sum())
        if self._cursor and self._cursor.time_ms == last:
            skip += self._cursor.skip
        return Cursor(last, skip)
