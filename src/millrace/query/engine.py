"""Puts questions to a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from millrace.lang import DEFAULT_NAMES, Filter, Names, conjunction, parse, zone
from millrace.query.asking import Asking
from millrace.query.cache import AnswerCache
from millrace.query.export import Export, export
from millrace.query.graph import series
from millrace.query.heatmap import heatmap
from millrace.query.questions import (
    ExportQuestion,
    HeatmapQuestion,
    Question,
    SankeyQuestion,
    SearchQuestion,
    SeriesQuestion,
    TopQuestion,
    ValuesQuestion,
)
from millrace.query.record import Record, find_record
from millrace.query.results import ColumnValue, Heatmap, Page, Sankey, SeenExporter, Series, Top
from millrace.query.run import Run
from millrace.query.sankey import sankey
from millrace.query.search import Ask, search
from millrace.query.seen import SeenStatement
from millrace.query.selection import Selection, select
from millrace.query.source import QueryStore
from millrace.query.sql import Bound
from millrace.query.tables import Table, arrived_until, first_known, settled_until
from millrace.query.top import top
from millrace.query.values import RecentValues
from millrace.schema import Schema


class QueryEngine:
    """Answers questions. Safe to use from several threads if the store is.

    Every method raises QueryError (FilterError for a filter that cannot be
    read, QueryCancelledError if the asker has left) and StoreError.

    Parameters
    ----------
    store : QueryStore
    schema : Schema
    tables : callable
        Asked at each question: the tables, and for which time each is
        complete. One of them holds the flows themselves (interval 0).
    names : Names
        Names that filters may use, and that answers show.
    cache : AnswerCache, optional
        Keeps answers about ranges of time; one of its own if absent.
    may_be_implausible : callable, optional
        `Store.may_be_implausible`; absent: each question looks.
    """

    def __init__(
        self,
        store: QueryStore,
        schema: Schema,
        tables: Callable[[], Sequence[Table]],
        names: Names = DEFAULT_NAMES,
        cache: AnswerCache | None = None,
        may_be_implausible: Callable[[int, int], bool] = lambda *_: True,
    ) -> None:
        self._store = store
        self._schema = schema
        self._tables = tables
        self._names = names
        self._cache = cache or AnswerCache()
        self._may_be_implausible = may_be_implausible
        self._recent = RecentValues(schema, names)

    def series(self, question: SeriesQuestion, asking: Asking) -> Series:
        """Flows per time."""
        return series(question, *self._begin(question, asking))

    def top(self, question: TopQuestion, asking: Asking) -> Top:
        """Largest combinations of dimensions."""
        return top(question, *self._begin(question, asking))

    def sankey(self, question: SankeyQuestion, asking: Asking) -> Sankey:
        """What flows from each value of a column to each value of the next."""
        return sankey(question, *self._begin(question, asking))

    def heatmap(self, question: HeatmapQuestion, asking: Asking) -> Heatmap:
        """A field of values."""
        return heatmap(question, *self._begin(question, asking))

    def seen(self, question: Question, asking: Asking) -> list[SeenExporter]:
        """Exporters and interfaces of which flows are stored."""
        selection, run = self._begin(question, asking)
        statement = SeenStatement(selection, self._schema, run.tables)
        exporters = run.ask(statement.exporters_sql, statement.parameters)
        interfaces = {side: run.ask(sql, statement.parameters) for side, sql in statement.interfaces_sql.items()}
        return statement.shape(exporters, interfaces)

    def search(self, question: SearchQuestion, asking: Asking) -> Page:
        """Stored flows, the latest first."""
        return search(
            question, self._which(question, asking), self._schema, self._raw(), asking.now, self._direct(asking)
        )

    def record(self, flow_id: str, asking: Asking) -> Record | None:
        """A stored flow with all of its columns; None if there is none that the asker may see."""
        return find_record(flow_id, self._schema, self._names, asking.scope, self._raw(), self._direct(asking))

    def export(self, question: ExportQuestion, asking: Asking) -> Export:
        """Stored flows for a file, the latest first; asks the store as it is read."""
        return export(
            question, self._which(question, asking), self._schema, self._raw(), asking.now, self._direct(asking)
        )

    def values(self, question: ValuesQuestion, asking: Asking) -> list[ColumnValue]:
        """Values that a column has had lately, the most frequent first; up to a minute old."""
        return self._recent.of(
            question, self._which(question, asking), self._tables(), asking.now, self._direct(asking)
        )

    def _which(self, question: Question, asking: Asking) -> Filter:
        """What the question asks for of what the asker may see."""
        return conjunction(
            asking.scope, parse(question.filter, self._schema, self._names, asking.saved, zone(question.timezone))
        )

    def _raw(self) -> Table:
        return next(table for table in self._tables() if not table.interval_seconds)

    def _direct(self, asking: Asking) -> Ask:
        """Puts statements to the store itself, past the cache."""
        return lambda sql, values: self._store.query(sql, values, cancel=asking.cancel)

    def _begin(self, question: Question, asking: Asking) -> tuple[Selection, Run]:
        """Flows that are asked about, and what the statements need; their answers are kept for a moment."""
        tables = self._tables()
        selection = select(
            question, asking, self._schema, self._names,
            settled=settled_until(tables), arrived=arrived_until(tables), first=first_known(tables),
        )  # fmt: skip

        past = max((table.past_changes for table in tables), default=0)

        def query(sql: str, values: dict[str, Bound]) -> pa.Table:
            key = sql, tuple(values.items()), past
            return self._cache.get(
                key,
                lambda cancel: self._store.query(sql, values, cancel=cancel, typed=False),
                selection.fresh_seconds,
                asking.cancel,
                asking.asked,
            )

        return selection, Run(self._schema, self._names, tables, query, self._may_be_implausible)
