"""The flows of a question as SQL: what to group by, what to add up, when, and whose speed counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millrace.query.dimensions import Dimension
from millrace.query.run import Run
from millrace.query.selection import Selection
from millrace.query.source import SECOND, answering, relation
from millrace.query.spread import SHARE, SpreadFlows
from millrace.query.sql import Parameters
from millrace.query.tables import ReadPlan, plan
from millrace.query.units import Measure
from millrace.schema import Column, Schema


class Flows:
    """Relations that statements read from.

    Parameters
    ----------
    plan : ReadPlan
    selection : Selection
    dimensions : sequence of Dimension
        Columns of the relations.
    measure : Measure
    parameters : Parameters
        Takes the values.
    whole : ReadPlan, optional
        Plan of the same range for sums over all of it, which coarser tables may answer.
    spread_step : int, optional
        Spread flows over intervals of this length, in seconds.
    marks : bool
        Let statements tell implausible flows, if the relations have all flows of the selection.

    Attributes
    ----------
    marks : bool
        Whether they can: the relations have the column.
    whole : str
        SQL with the flows of the range, for sums over all of it.
    buckets : str
        SQL with the flows and the time of each (`SECOND`).
    amount : str
        SQL of what a row of either adds to the measure.

    Raises
    ------
    QueryError
        If nothing is stored of that time.
    """

    def __init__(
        self,
        plan: ReadPlan,
        selection: Selection,
        dimensions: Sequence[Dimension],
        measure: Measure,
        parameters: Parameters,
        *,
        whole: ReadPlan | None = None,
        spread_step: int | None = None,
        marks: bool = False,
    ) -> None:
        self.plan = plan
        self.measure = measure
        self.parameters = parameters
        self.amount = measure.amount
        interface = interface_names(measure)
        selects = [*(dimension.select(parameters) for dimension in dimensions), *interface]
        condition = selection.condition(parameters, measure)
        left_out = selection.leave_out_implausible or measure.condition or spread_step is not None
        self.marks = marks and not left_out
        if self.marks:
            selects.append("`Implausible`")
        if spread_step is None:
            self.whole = relation(whole or plan, selects, condition, parameters)
            self.buckets = relation(plan, selects, condition, parameters, timed=True)
        else:
            names = [*(dimension.name for dimension in dimensions), *interface]
            spread = SpreadFlows(plan, selects, names, condition, parameters)
            self.whole, self.buckets = spread.whole_sql, spread.buckets_sql(spread_step)
            self.amount = f"toFloat64({measure.amount}) * {SHARE}"

    def number(self, seconds: int) -> str:
        """SQL of the number of the interval of so many seconds, from the Unix epoch on, of a row of `buckets`."""
        return f"intDiv({SECOND}, {self.parameters.add('UInt32', seconds)})"


def interface_names(measure: Measure) -> list[str]:
    """Quoted names of the columns that tell an interface, and its speed, of a measure in per cent."""
    if not measure.side:
        return []
    return ["`ExporterAddress`", f"`{measure.side}If`", f"`{measure.side}IfSpeed`"]


def interface_columns(measure: Measure, schema: Schema) -> list[Column]:
    """The same columns."""
    return [schema[name.strip("`")] for name in interface_names(measure)]


def flows_of(
    selection: Selection,
    dimensions: Iterable[Dimension],
    measure: Measure,
    run: Run,
    like: Flows | None = None,
    *,
    marks: bool = False,
) -> Flows:
    """Flows of a whole range, without intervals.

    Parameters
    ----------
    selection : Selection
    dimensions : iterable of Dimension
    measure : Measure
    run : Run
    like : Flows, optional
        Flows of the same selection with further dimensions, of whose statement
        these are a part: fewer dimensions may be answered from coarser tables.
    marks : bool
        As of `Flows`; not where the store knows that there are none.

    Raises
    ------
    QueryError
        If nothing is stored of that time.
    """
    distinct = list({dimension.alias: dimension for dimension in dimensions}.values())
    columns = [dimension.column for dimension in distinct]
    usable = answering(
        run.tables, [*columns, *selection.columns, *interface_columns(measure, run.schema)], selection.end
    )
    chosen = plan(usable, selection.start, selection.end)
    if like is None:
        marks = marks and run.may_be_implausible(chosen.start, chosen.end)
        return Flows(chosen, selection, distinct, measure, Parameters(), marks=marks)
    if (chosen.start, chosen.end) != (like.plan.start, like.plan.end) or chosen == like.plan:
        return like
    return Flows(chosen, selection, distinct, measure, like.parameters)
