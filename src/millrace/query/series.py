"""Flows per time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from millrace.batch.arrays import AnyArray
from millrace.errors import QueryError
from millrace.query.questions import MAX_POINTS, SeriesQuestion
from millrace.query.render import json_values
from millrace.query.results import Series, SeriesRow, moment, sources
from millrace.query.source import MEASURES, SECOND, answering, filter_columns, relation
from millrace.query.spread import FLOW_TIMES, SHARE, SpreadFlows
from millrace.query.sql import Parameters, identifier, known_dimension
from millrace.query.tables import Plan, Table, plan, resolution_at
from millrace.schema import Column, Schema

_ROUND_SECONDS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    2 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400, 91 * 86_400, 182 * 86_400, 364 * 86_400,
)  # fmt: skip

_LONG_SECONDS = 3600
"""Ranges from which on buckets are at least a minute, so that rollups can answer."""


class SeriesStatement:
    """SQL of a `SeriesQuestion`, and the shape of its answer.

    Raises
    ------
    QueryError
        If the question names something unknown or asks for too many points.
    """

    def __init__(self, question: SeriesQuestion, schema: Schema, tables: Sequence[Table], now: float) -> None:
        self._question = question
        self._columns = [known_dimension(schema, name) for name in dict.fromkeys(question.dimensions)]
        times = [schema[name] for name in FLOW_TIMES] if question.spread else []
        usable = answering(tables, [*self._columns, *filter_columns(question, schema), *times])
        start, end = question.span(now)
        rolled = any(table.interval_seconds for table in usable)
        self._step = _step(question, start, end, resolution_at(usable, start), rolled=rolled)
        self.plan: Plan = plan(usable, start, end, self._step)
        self.parameters = Parameters()
        self.sql = self._build(schema)

    def _build(self, schema: Schema) -> str:
        whole, source, measure = self._relations(schema)
        step = self.parameters.add("UInt32", self._step)
        bucket = f"intDiv({SECOND}, {step}) AS _bucket"
        amount = f"sum({measure})"
        if not self._columns:
            return f"SELECT {bucket}, true AS _top, {amount} AS _amount FROM ({source}) GROUP BY _bucket"  # noqa: S608 - values are bound
        names = [identifier(column.name) for column in self._columns]
        listed = ", ".join(names)
        limit = self.parameters.add("UInt32", self._question.limit)
        kept = ", ".join(f"if(_top, {n}, defaultValueOfArgumentType({n})) AS _d{i}" for i, n in enumerate(names))
        grouped = ", ".join(f"_d{i}" for i in range(len(names)))
        return (
            f"WITH _largest AS (SELECT {listed} FROM ({whole}) GROUP BY {listed} ORDER BY {amount} DESC, {listed} "  # noqa: S608 - values are bound
            f"LIMIT {limit}) SELECT {bucket}, ({listed}) IN _largest AS _top, {kept}, {amount} AS _amount "
            f"FROM ({source}) GROUP BY _bucket, _top, {grouped}"
        )

    def _relations(self, schema: Schema) -> tuple[str, str, str]:
        """SQL of the flows for the sums of the whole range, of those for the buckets, and of what one adds."""
        measure, _ = MEASURES[self._question.unit]
        if not self._question.spread:
            source = relation(self.plan, self._columns, self._question, schema, self.parameters)
            return source, source, measure
        spread = SpreadFlows(self.plan, self._columns, self._question, schema, self.parameters)
        return spread.whole_sql, spread.buckets_sql(self._step), f"{measure} * {SHARE}"

    def shape(self, table: pa.Table) -> Series:
        """Make the answer of what the store gave."""
        first = self.plan.start // self._step
        buckets = np.arange(first, (self.plan.end - 1) // self._step + 1)
        starts = np.maximum(buckets * self._step, self.plan.start)
        seconds = np.minimum((buckets + 1) * self._step, self.plan.end) - starts
        place = table.column("_bucket").to_numpy().astype(np.int64) - first
        amount = table.column("_amount").to_numpy().astype(np.float64) * MEASURES[self._question.unit][1]
        keys = _keys(table, self._columns)
        amounts: dict[tuple[object, ...] | None, AnyArray] = {}
        for key, bucket, value in zip(keys, place.tolist(), amount.tolist(), strict=True):
            amounts.setdefault(key, np.zeros(len(buckets)))[bucket] += value
        if not self._columns and not amounts:
            amounts[()] = np.zeros(len(buckets))
        ranked = sorted(amounts.items(), key=lambda item: (item[0] is None, -item[1].sum()))
        return Series(
            dimensions=[column.name for column in self._columns],
            unit=self._question.unit,
            start=moment(self.plan.start),
            end=moment(self.plan.end),
            interval_seconds=self._step,
            times=[moment(second) for second in starts.tolist()],
            rows=[_row(key, values, seconds) for key, values in ranked],
            sources=sources(self.plan),
        )


def _step(question: SeriesQuestion, start: int, end: int, resolution: int, *, rolled: bool) -> int:
    """Length of the buckets in seconds: a multiple of what is stored of the start of the range."""
    span = end - start
    if question.interval_seconds is not None:
        step = -(-question.interval_seconds // resolution) * resolution
        if span // step > MAX_POINTS:
            raise QueryError(f"an interval of {step} seconds makes more than {MAX_POINTS} points of that range")
        return step
    wanted = max(span / question.points, resolution, 60 if rolled and span >= _LONG_SECONDS else 1)
    fitting = (seconds for seconds in _ROUND_SECONDS if seconds >= wanted and seconds % resolution == 0)
    return next(fitting, _ROUND_SECONDS[-1])


def _keys(table: pa.Table, columns: Sequence[Column]) -> list[tuple[object, ...] | None]:
    """Dimensions of each row; None: "other"."""
    shown = [json_values(column, table.column(f"_d{i}")) for i, column in enumerate(columns)]
    values = zip(*shown, strict=True) if shown else [()] * table.num_rows
    return [
        tuple(tuple(v) if isinstance(v, list) else v for v in key) if top else None
        for key, top in zip(values, table.column("_top").to_pylist(), strict=True)
    ]


def _row(key: tuple[object, ...] | None, amounts: AnyArray, seconds: AnyArray) -> SeriesRow:
    rates = amounts / seconds
    return SeriesRow(
        dimensions=[list(v) if isinstance(v, tuple) else v for v in key or ()],  # type: ignore[misc]  # JSON values
        other=key is None,
        points=rates.tolist(),
        average=float(amounts.sum() / seconds.sum()),
        minimum=float(rates.min()),
        maximum=float(rates.max()),
        last=float(rates[-1]),
        percentile95=float(np.percentile(rates, 95)),
    )
