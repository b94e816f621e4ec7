"""Answers questions about flows per time: the series, the opposite direction, the previous period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from millrace.query.buckets import Bucketed, bucketed
from millrace.query.dimensions import Dimension, dimensions_of
from millrace.query.flows import Flows, interface_columns
from millrace.query.implausible import implausible_flows
from millrace.query.previous import previous
from millrace.query.questions import SeriesQuestion
from millrace.query.results import Series, moment, sources
from millrace.query.run import Run
from millrace.query.selection import Selection
from millrace.query.series import SeriesStatement
from millrace.query.source import answering
from millrace.query.spread import FLOW_TIMES, REACH_SECONDS
from millrace.query.sql import Parameters
from millrace.query.units import MEASURES, Measure, opposite
from millrace.schema import Column


@dataclass(frozen=True, slots=True)
class Direction:
    """Flows of one direction, and how they are grouped."""

    selection: Selection
    dimensions: Sequence[Dimension]
    measure: Measure

    def columns(self, run: Run) -> list[Column]:
        """Columns that a table must have."""
        columns = [dimension.column for dimension in self.dimensions]
        return [*columns, *self.selection.columns, *interface_columns(self.measure, run.schema)]


def series(question: SeriesQuestion, selection: Selection, run: Run) -> Series:
    """Answer a question about flows per time. Raises QueryError and StoreError."""
    if question.spread:  # the first flow that was received may have begun so long before
        selection = replace(selection, first=max(selection.first - REACH_SECONDS, 0))
    forward = Direction(selection, dimensions_of(question.dimensions, question, run.schema), MEASURES[question.unit])
    directions = [forward, _opposite(forward, question, run)] if question.bidirectional else [forward]
    times = [run.schema[name] for name in FLOW_TIMES] if question.spread else []
    columns = [column for direction in directions for column in direction.columns(run)]
    usable = answering(run.tables, [*columns, *times], selection.end)
    measured = forward.measure.rate
    found = bucketed(usable, selection, question.points, question.interval_seconds, question.interval, figures=measured)
    chosen, buckets = found.plan, found.buckets
    marks = run.may_be_implausible(chosen.start, chosen.end)
    answers = [
        _Answer(direction, question, found, run, marks=marks and direction is forward) for direction in directions
    ]
    return Series(
        dimensions=[dimension.column.name for dimension in forward.dimensions],
        unit=question.unit,
        start=moment(chosen.start),
        end=moment(chosen.end),
        asked_start=moment(selection.asked[0]),
        asked_end=moment(selection.asked[1]),
        covered_start=moment(buckets.covered[0]),
        covered_end=moment(buckets.covered[1]),
        interval=buckets.interval,
        interval_seconds=buckets.step,
        figures_seconds=found.figures_seconds,
        times=[moment(second) for second in buckets.starts.tolist()],
        seconds=buckets.seconds.tolist(),
        rows=answers[0].rows,
        reverse=answers[1].rows if question.bidirectional else None,
        previous=previous(question.previous, selection, buckets, forward.measure, run, spread=question.spread)
        if question.previous
        else None,
        total=answers[0].total,
        sources=sources(chosen),
        implausible_flows=implausible_flows(selection, chosen, run, answers[0].marked),
        sql=run.sql,
    )


def _opposite(forward: Direction, question: SeriesQuestion, run: Run) -> Direction:
    dimensions = [
        Dimension(run.schema.opposite(dimension.column), dimension.v4, dimension.v6) for dimension in forward.dimensions
    ]
    return Direction(forward.selection.opposite(run.schema), dimensions, MEASURES[opposite(question.unit)])


class _Answer:
    """Series of one direction."""

    def __init__(
        self, direction: Direction, question: SeriesQuestion, found: Bucketed, run: Run, *, marks: bool
    ) -> None:
        flows = Flows(
            found.plan, direction.selection, direction.dimensions, direction.measure, Parameters(),
            whole=found.whole, spread_step=found.spread_step if question.spread else None, marks=marks,
        )  # fmt: skip
        statement = SeriesStatement(
            flows, direction.dimensions, found.buckets, found.fine, question.limit, question.limit_by
        )
        amounts = statement.ask(run)
        self.rows = statement.rows(amounts, run.names)
        self.total = statement.total(amounts)
        self.marked = amounts.marked
