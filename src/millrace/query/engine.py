"""Puts questions to a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from millrace.query.questions import Question, SearchQuestion, SeriesQuestion, TopQuestion
from millrace.query.results import Page, SeenExporter, Series, Top
from millrace.query.search import SearchStatement
from millrace.query.seen import SeenStatement
from millrace.query.series import SeriesStatement
from millrace.query.source import QueryStore
from millrace.query.sql import Parameters
from millrace.query.tables import Table
from millrace.query.top import TopStatement
from millrace.schema import Schema


class QueryEngine:
    """Answers questions. Safe to use from several threads if the store is.

    Parameters
    ----------
    store : QueryStore
    schema : Schema
    tables : callable
        Asked at each question: the tables, and for which time each is
        complete. One of them holds the flows themselves (interval 0).
    """

    def __init__(self, store: QueryStore, schema: Schema, tables: Callable[[], Sequence[Table]]) -> None:
        self._store = store
        self._schema = schema
        self._tables = tables

    def series(self, question: SeriesQuestion, now: float) -> Series:
        """Flows per time; `now` in Unix seconds. Raises QueryError and StoreError."""
        statement = SeriesStatement(question, self._schema, self._tables(), now)
        return statement.shape(self._ask(statement.sql, statement.parameters))

    def top(self, question: TopQuestion, now: float) -> Top:
        """Largest combinations of dimensions. Raises QueryError and StoreError."""
        statement = TopStatement(question, self._schema, self._tables(), now)
        rows = self._ask(statement.sql, statement.parameters)
        return statement.shape(rows, self._ask(statement.total_sql, statement.parameters))

    def search(self, question: SearchQuestion, now: float) -> Page:
        """Stored flows, the latest first. Raises QueryError and StoreError."""
        raw = next(table for table in self._tables() if not table.interval_seconds)
        statement = SearchStatement(question, self._schema, raw, now)
        sql = statement.page_sql(self._ask(statement.edge_sql, statement.parameters))
        return statement.shape(None if sql is None else self._ask(sql, statement.parameters))

    def seen(self, question: Question, now: float) -> list[SeenExporter]:
        """Exporters and interfaces of which flows are stored. Raises QueryError and StoreError."""
        statement = SeenStatement(question, self._schema, self._tables(), now)
        exporters = self._ask(statement.exporters_sql, statement.parameters)
        interfaces = {side: self._ask(sql, statement.parameters) for side, sql in statement.interfaces_sql.items()}
        return statement.shape(exporters, interfaces)

    def _ask(self, sql: str, parameters: Parameters) -> pa.Table:
        # A value that the statement does not name (the total needs no limit) is left out.
        used = {name: value for name, value in parameters.values.items() if f"{{{name}:" in sql}
        return self._store.query(sql, used)
