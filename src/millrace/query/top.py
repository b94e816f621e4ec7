"""Combinations of dimensions with the largest rate."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from millrace.query.questions import TopQuestion
from millrace.query.render import Json, json_values
from millrace.query.results import Top, TopRow, moment, sources
from millrace.query.source import MEASURES, answering, filter_columns, relation
from millrace.query.sql import Parameters, identifier, known_dimension
from millrace.query.tables import Plan, Table, plan
from millrace.schema import Schema

_SUMS = "sum(Bytes * SamplingRate) AS _bytes, sum(Packets * SamplingRate) AS _packets, sum(Flows) AS _flows"


class TopStatement:
    """SQL of a `TopQuestion`, and the shape of its answer.

    Attributes
    ----------
    sql : str
        The rows.
    total_sql : str
        The sums of everything, one row.

    Raises
    ------
    QueryError
        If the question names something unknown.
    """

    def __init__(self, question: TopQuestion, schema: Schema, tables: Sequence[Table], now: float) -> None:
        self._question = question
        self._columns = [known_dimension(schema, name) for name in dict.fromkeys(question.dimensions)]
        usable = answering(tables, [*self._columns, *filter_columns(question, schema)])
        self.plan: Plan = plan(usable, *question.span(now))
        self.parameters = Parameters()
        source = relation(self.plan, self._columns, question, schema, self.parameters)
        names = ", ".join(identifier(column.name) for column in self._columns)
        amount, _ = MEASURES[question.unit]
        limit = self.parameters.add("UInt32", question.limit)
        self.sql = (
            f"SELECT {names}, {_SUMS} FROM ({source}) GROUP BY {names} "  # noqa: S608 - values are bound
            f"ORDER BY sum({amount}) DESC, {names} LIMIT {limit}"
        )
        self.total_sql = f"SELECT {_SUMS} FROM ({source})"  # noqa: S608 - values are bound

    def shape(self, rows: pa.Table, total: pa.Table) -> Top:
        """Make the answer of what the store gave."""
        whole = self._rows(total, [[]])[0]
        shown = [json_values(column, rows.column(column.name)) for column in self._columns]
        dimensions = [list(key) for key in zip(*shown, strict=True)]
        return Top(
            dimensions=[column.name for column in self._columns],
            unit=self._question.unit,
            start=moment(self.plan.start),
            end=moment(self.plan.end),
            rows=self._rows(rows, dimensions, whole.value),
            total=whole,
            sources=sources(self.plan),
        )

    def _rows(self, table: pa.Table, dimensions: list[list[Json]], total: float | None = None) -> list[TopRow]:
        column = {"bits/s": "_bytes", "bytes/s": "_bytes", "packets/s": "_packets", "flows/s": "_flows"}
        factor = MEASURES[self._question.unit][1] / (self.plan.end - self.plan.start)
        sums = (table.column(name).to_pylist() for name in ("_bytes", "_packets", "_flows"))
        values = [amount * factor for amount in table.column(column[self._question.unit]).to_pylist()]
        return [
            TopRow(key, value, value / (total or value or 1.0), octets, packets, flows)
            for key, value, octets, packets, flows in zip(dimensions, values, *sums, strict=True)
        ]
