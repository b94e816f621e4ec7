"""Flows as they were stored, the latest first: read backwards in windows that grow until enough is found."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from millrace.errors import QueryError
from millrace.lang import Everything, Filter, columns_of
from millrace.query.questions import SearchQuestion
from millrace.query.render import json_columns
from millrace.query.results import Page
from millrace.query.source import told_from, with_unknown
from millrace.query.sql import Bound, Parameters, identifier, known_column, moment_ms
from millrace.query.tables import Table
from millrace.query.where import where
from millrace.schema import Column, Schema

USUAL_COLUMNS = (
    "TimeReceived", "TimeFlowStart", "TimeFlowEnd", "FlowProtocol", "ExporterAddress", "ExporterName",
    "InIf", "InIfName", "OutIf", "OutIfName", "SrcAddr", "SrcPort", "DstAddr", "DstPort", "Proto", "TCPFlags",
    "SrcAS", "DstAS", "Bytes", "Packets", "SamplingRate", "SamplingRateSource",
)  # fmt: skip
"""Columns that a page shows unless others are asked for."""

TIE = (
    "ExporterAddress", "SrcAddr", "DstAddr", "SrcPort", "DstPort", "Proto", "InIf", "OutIf",
    "TimeFlowStart", "TimeFlowEnd", "Bytes", "Packets",
)  # fmt: skip
"""Columns whose hash orders the flows of one millisecond, and names a flow; those that agree are interchangeable."""

HASH = f"cityHash64({', '.join(identifier(name) for name in TIE)})"

SEARCH_SECONDS = 10.0
"""After so long a page is given as it is, with a cursor to go on from."""

_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9]{1,9})")

_MAX_TIES = 1_000_000
"""Flows of one millisecond through which pages are turned."""

_FIRST_WINDOW_MS = 60_000
_GROWTH = 10
_WINDOW_SECONDS = 1.0
"""Windows grow as long as they are read faster than this."""

Ask = Callable[[str, Mapping[str, Bound]], pa.Table]
"""Puts a statement with its bound values to a store."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading goes on.

    Parameters
    ----------
    time_ms : int
        The latest millisecond that is not read to its end.
    skip : int
        Flows of that millisecond that were shown.
    """

    time_ms: int
    skip: int = 0

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str` wrote; raises QueryError."""
        found = _CURSOR.fullmatch(text)
        if found is None or int(found[2]) > _MAX_TIES:
            raise QueryError("the cursor is none that a page has given")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.time_ms}.{self.skip}"

    def after(self, flows: pa.Table) -> Cursor:
        """Where reading goes on after some flows that were read from here on; at least one."""
        times = flows.column("_ms").to_numpy()
        last = int(times[-1])
        shown = int((times == last).sum())
        return Cursor(last, shown + (self.skip if self.time_ms == last else 0))


class FlowReader:
    """Reads stored flows backwards in time.

    A window is read by two statements: the first finds, from the times and
    what the filter names alone, how many flows there are and where enough of
    them begin; the second reads all the columns of those few.

    Parameters
    ----------
    columns : sequence of Column
        To read. The tables have two more: ``_ms`` and ``_hash``.
    filter : Filter
        Which flows, the asker's scope included.
    raw : Table
        Holds the flows themselves.
    since : int
        Unix seconds of the first moment.
    ask : callable
    """

    def __init__(
        self,
        columns: Sequence[Column],
        filter: Filter,  # noqa: A002 - the field's word
        raw: Table,
        since: int,
        ask: Ask,
    ) -> None:
        shown = "".join(f"{identifier(column.name)}, " for column in columns)
        self._select = f"SELECT {shown}toUnixTimestamp64Milli(TimeReceived) AS _ms, {HASH} AS _hash"
        self._raw = raw
        self._from = f"FROM {identifier(raw.name)}"
        self._filter = filter
        self._since_ms = since * 1000
        self._ask = ask
        self._width_ms = _FIRST_WINDOW_MS

    def windows(self, cursor: Cursor, take: int) -> Iterator[tuple[pa.Table | None, Cursor | None]]:
        """Read window after window.

        Parameters
        ----------
        cursor : Cursor
            Where to begin.
        take : int
            Flows of one window at most.

        Yields
        ------
        flows : pyarrow.Table or None
            Flows of a window, the latest first, with nulls where they do not tell a column; None if there are none.
        cursor : Cursor or None
            Where the next window begins; None: all is read.
        """
        at: Cursor | None = cursor if cursor.time_ms >= self._since_ms else None
        while at is not None:
            began = time.monotonic()
            flows, at = self._window(at, take)
            self._grow(time.monotonic() - began)
            yield flows, at

    def _window(self, at: Cursor, take: int) -> tuple[pa.Table | None, Cursor | None]:
        oldest_ms = max(at.time_ms - self._width_ms + 1, self._since_ms)
        below = Cursor(oldest_ms - 1) if oldest_ms > self._since_ms else None
        count, edge_ms = self._edge(at, oldest_ms, take)
        if not count:
            return None, below
        parameters, condition, limit = self._statement(at, edge_ms, take)
        sql = f"{self._select} {self._from} WHERE {condition} ORDER BY _ms DESC, _hash {limit}"
        flows = with_unknown(self._ask(sql, parameters.values), self._raw)
        return flows, at.after(flows) if flows.num_rows >= take else below

    def _edge(self, at: Cursor, oldest_ms: int, take: int) -> tuple[int, int]:
        """How many flows a window has, at most `take`, and the millisecond of the oldest of them."""
        parameters, condition, limit = self._statement(at, oldest_ms, take)
        edge = self._ask(
            "SELECT min(_ms) AS _ms, count() AS _count FROM (SELECT toUnixTimestamp64Milli(TimeReceived) AS _ms "  # noqa: S608 - values are bound
            f"{self._from} WHERE {condition} ORDER BY TimeReceived DESC {limit})",
            parameters.values,
        )
        return edge.column("_count")[0].as_py(), edge.column("_ms")[0].as_py()

    def _statement(self, at: Cursor, oldest_ms: int, take: int) -> tuple[Parameters, str, str]:
        """Values, condition and limit of a window."""
        parameters = Parameters()
        # Moments of the column's own type, see `source.bounds`.
        first, last = (moment_ms(moment, parameters) for moment in (oldest_ms, at.time_ms))
        condition = f"TimeReceived >= {first} AND TimeReceived <= {last}"
        if not isinstance(self._filter, Everything):
            condition += f" AND ({where(self._filter, parameters)})"
        limit = f"LIMIT {parameters.add('UInt32', take)} OFFSET {parameters.add('UInt32', at.skip)}"
        return parameters, condition, limit

    def _grow(self, seconds: float) -> None:
        """Let the next window be as long as can be read in `_WINDOW_SECONDS`."""
        factor = min(max(_WINDOW_SECONDS / max(seconds, 1e-3), 1 / _GROWTH), _GROWTH)
        self._width_ms = max(int(self._width_ms * factor), _FIRST_WINDOW_MS)


def shown_columns(names: Sequence[str] | None, schema: Schema) -> list[Column]:
    """Columns by name, the usual ones for None; raises QueryError for an unknown one."""
    wanted = names or [name for name in USUAL_COLUMNS if name in schema]
    return [known_column(schema, name) for name in dict.fromkeys(wanted)]


def flow_ids(flows: pa.Table) -> list[str]:
    """Names of flows that a `FlowReader` has read, to ask for all of their columns."""
    times, hashes = (flows.column(name).to_pylist() for name in ("_ms", "_hash"))
    return [f"{moment}.{number}" for moment, number in zip(times, hashes, strict=True)]


def search(
    question: SearchQuestion,
    filter: Filter,  # noqa: A002 - the field's word
    schema: Schema,
    raw: Table,
    now: float,
    ask: Ask,
) -> Page:
    """One page of flows.

    Parameters
    ----------
    question : SearchQuestion
    filter : Filter
        The question's, and the asker's scope.
    schema : Schema
    raw : Table
        Holds the flows themselves.
    now : float
        Unix seconds.
    ask : callable

    Returns
    -------
    Page
        It may hold fewer flows than asked for, or none, and have a cursor all
        the same: where to go on, as `SEARCH_SECONDS` were over.

    Raises
    ------
    QueryError
        If the question names something unknown, or asks by what no flow of the range tells.
    """
    columns = shown_columns(question.columns, schema)
    start, end = question.span(now)
    start = told_from(raw, columns_of(filter), start, end)
    cursor = Cursor(end * 1000 - 1)
    if question.cursor:
        cursor = min(Cursor.parse(question.cursor), cursor, key=lambda place: place.time_ms)
    flows, rest = _page(FlowReader(columns, filter, raw, start, ask), cursor, question.limit)
    shown = [] if flows is None else json_columns({column.name: column for column in columns}, flows)
    ids = [] if flows is None else flow_ids(flows)
    return Page([column.name for column in columns], shown, ids, None if rest is None else str(rest))


def _page(reader: FlowReader, start: Cursor, limit: int) -> tuple[pa.Table | None, Cursor | None]:
    """Flows of a page, and where the next begins."""
    deadline = time.monotonic() + SEARCH_SECONDS
    found: list[pa.Table] = []
    rest: Cursor | None = None
    # One more than the page holds tells whether there is another page.
    for flows, following in reader.windows(start, limit + 1):
        rest = following
        if flows is not None:
            found.append(flows)
        if sum(table.num_rows for table in found) > limit or time.monotonic() >= deadline:
            break
    if not found:
        return None, rest
    table = pa.concat_tables(found, promote_options="permissive")
    page = table.slice(0, limit)
    return page, start.after(page) if table.num_rows > limit else rest
