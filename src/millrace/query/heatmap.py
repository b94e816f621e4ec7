"""A field of values: combinations of dimensions against time, or against other combinations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import pyarrow as pa

from millrace.lang import Names
from millrace.query.buckets import bucketed
from millrace.query.capacity import Capacities, Rest, interface_dimensions, interfaces_sql
from millrace.query.dimensions import Dimension, dimensions_of
from millrace.query.flows import Flows, flows_of, interface_columns
from millrace.query.implausible import MARKED_SQL, implausible_flows, marked_of
from millrace.query.kept import Kept
from millrace.query.labels import labels
from millrace.query.largest import largest
from millrace.query.questions import HeatmapQuestion
from millrace.query.render import Key, json_key
from millrace.query.results import Heatmap, HeatmapAxis, moment, sources
from millrace.query.run import Run
from millrace.query.selection import Selection
from millrace.query.series import SeriesStatement
from millrace.query.source import answering
from millrace.query.sql import Parameters
from millrace.query.units import MEASURES
from millrace.query.wide import integers


def heatmap(question: HeatmapQuestion, selection: Selection, run: Run) -> Heatmap:
    """Answer a question about a field of values. Raises QueryError and StoreError."""
    return (_against_values if question.across else _against_time)(question, selection, run)


def _against_time(question: HeatmapQuestion, selection: Selection, run: Run) -> Heatmap:
    dimensions = dimensions_of(question.down, question, run.schema)
    measure = MEASURES[question.unit]
    columns = [dimension.column for dimension in dimensions]
    usable = answering(
        run.tables, [*columns, *selection.columns, *interface_columns(measure, run.schema)], selection.end
    )
    found = bucketed(usable, selection, question.points, figures=False)
    chosen = found.plan
    marks = run.may_be_implausible(chosen.start, chosen.end)
    flows = Flows(chosen, selection, dimensions, measure, Parameters(), whole=found.whole, marks=marks)
    statement = SeriesStatement(flows, dimensions, found.buckets, limit=question.limit)
    amounts = statement.ask(run)
    rows = statement.rows(amounts, run.names)
    times = [moment(second) for second in found.buckets.starts.tolist()]
    return Heatmap(
        down=[column.name for column in columns],
        across=[],
        unit=question.unit,
        start=moment(chosen.start),
        end=moment(chosen.end),
        asked_start=moment(selection.asked[0]),
        asked_end=moment(selection.asked[1]),
        covered_start=moment(found.buckets.covered[0]),
        covered_end=moment(found.buckets.covered[1]),
        interval=found.buckets.interval,
        interval_seconds=found.buckets.step,
        seconds=found.buckets.seconds.tolist(),
        rows=[HeatmapAxis(row.dimensions, row.labels, row.other, None) for row in rows],
        columns=[HeatmapAxis([], [], other=False, time=time) for time in times],
        values=[row.points for row in rows],
        sources=sources(chosen),
        implausible_flows=implausible_flows(selection, chosen, run, amounts.marked),
        sql=run.sql,
    )


def _against_values(question: HeatmapQuestion, selection: Selection, run: Run) -> Heatmap:
    down, across = (dimensions_of(names, question, run.schema) for names in (question.down, question.across))
    flows = flows_of(selection, [*down, *across], MEASURES[question.unit], run, marks=True)
    each = [flows_of(selection, axis, MEASURES[question.unit], run, like=flows) for axis in (down, across)]
    field = Field(flows, each, down, across, question.limit)
    answer = run.ask(field.sql, flows.parameters)
    cells = field.cells(answer)
    interfaces = run.ask(field.interfaces_sql, flows.parameters) if field.interfaces_sql else None
    rows, columns = (field.axis(cells, place, interfaces) for place in (0, 1))
    covered = selection.covered(flows.plan.start, flows.plan.end)
    value = field.value(cells, interfaces, covered[1] - covered[0])
    return Heatmap(
        down=[dimension.column.name for dimension in down],
        across=[dimension.column.name for dimension in across],
        unit=question.unit,
        start=moment(flows.plan.start),
        end=moment(flows.plan.end),
        asked_start=moment(selection.asked[0]),
        asked_end=moment(selection.asked[1]),
        covered_start=moment(covered[0]),
        covered_end=moment(covered[1]),
        interval=None,
        interval_seconds=None,
        seconds=None,
        rows=[_axis(key, down, run.names) for key in rows],
        columns=[_axis(key, across, run.names) for key in columns],
        values=[[value(row, column) for column in columns] for row in rows],
        sources=sources(flows.plan),
        implausible_flows=implausible_flows(selection, flows.plan, run, marked_of(answer)),
        sql=run.sql,
    )


Cells = dict[tuple[Key | None, Key | None], int]
"""Amounts by combinations of both axes; None: the rest."""


class Field:
    """Amounts of the largest combinations of two axes, and of the rest of each.

    Parameters
    ----------
    flows : Flows
    each : sequence of Flows
        The same, for the largest combinations of each axis.
    down, across : sequence of Dimension
    limit : int
        Combinations of each.

    Attributes
    ----------
    sql : str
    interfaces_sql : str
        The interfaces of whose speed percentages are; empty for other units.
    """

    def __init__(
        self,
        flows: Flows,
        each: Sequence[Flows],
        down: Sequence[Dimension],
        across: Sequence[Dimension],
        limit: int,
    ) -> None:
        self._flows = flows
        self._axes = (down, across)
        self._kept = [Kept(axis, str(place)) for place, axis in enumerate(self._axes)]
        queries = [
            f"{kept.query} AS ({largest(alone, axis, limit)})"
            for kept, alone, axis in zip(self._kept, each, self._axes, strict=True)
        ]
        self.sql = (
            f"WITH {', '.join(queries)} SELECT {', '.join(kept.columns for kept in self._kept)}, "  # noqa: S608 - values are bound
            f"{f'{MARKED_SQL}, ' if flows.marks else ''}sum({flows.amount}) AS _amount FROM ({flows.whole}) "
            f"GROUP BY {', '.join(kept.names for kept in self._kept)}"
        )
        named = {d.alias: d for axis in self._axes for d in interface_dimensions(flows.measure, axis)}
        self.interfaces_sql = interfaces_sql(flows, list(named.values())) if flows.measure.side else ""

    def cells(self, table: pa.Table) -> Cells:
        """Amounts of the answer."""
        places = zip(*(kept.keys(table) for kept in self._kept), strict=True)
        return dict(zip(places, integers(table.column("_amount")), strict=True))

    def axis(self, cells: Cells, place: int, interfaces: pa.Table | None) -> list[Key | None]:
        """Combinations of an axis, the largest first, the rest last."""
        sums: dict[Key | None, float] = defaultdict(float)
        for combination, amount in cells.items():
            sums[combination[place]] += amount
        if interfaces is not None:
            capacities = Capacities([self._axes[place]], self._flows.measure, interfaces)
            sums = {key: amount if key is None else amount / capacities.of(key) for key, amount in sums.items()}
        return sorted(sums, key=lambda key: (key is None, -sums[key], str(key)))

    def value(
        self, cells: Cells, interfaces: pa.Table | None, seconds: int
    ) -> Callable[[Key | None, Key | None], float]:
        """Gives the value of a cell in the unit; of rates over so many seconds."""
        measure = self._flows.measure
        capacities = None if interfaces is None else Capacities(self._axes, measure, interfaces)
        rests = [Rest(frozenset(key for key in keys if key is not None)) for keys in zip(*cells, strict=True)]

        def value(down: Key | None, across: Key | None) -> float:
            amount = cells.get((down, across), 0)
            if not amount or capacities is None:
                return amount * measure.value(seconds)
            choices = (rest if key is None else key for key, rest in zip((down, across), rests, strict=True))
            return amount * measure.value(seconds, capacities.of(*choices))

        return value


def _axis(key: Key | None, dimensions: Sequence[Dimension], names: Names) -> HeatmapAxis:
    if key is None:
        return HeatmapAxis([], [], other=True, time=None)
    return HeatmapAxis(json_key(key), labels(dimensions, key, names), other=False, time=None)
