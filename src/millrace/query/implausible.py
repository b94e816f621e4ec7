"""How many flows of a selection have figures that cannot be right."""

from __future__ import annotations

from dataclasses import replace

from millrace.query.run import Run
from millrace.query.selection import PLAUSIBLE, Selection
from millrace.query.source import answering, relation
from millrace.query.sql import Parameters
from millrace.query.tables import Plan, plan


def implausible_flows(selection: Selection, chosen: Plan, run: Run) -> int:
    """Flows of the range of an answer that are marked as implausible, whether they are left out or not.

    Parameters
    ----------
    selection : Selection
    chosen : Plan
        Of the answer: gives the range.
    run : Run

    Raises
    ------
    QueryError, StoreError
    """
    parameters = Parameters()
    everything = replace(selection, leave_out_implausible=False)
    condition = everything.condition(parameters)
    marked = f"NOT ({PLAUSIBLE})"
    usable = answering(run.tables, selection.columns, chosen.end)
    source = relation(
        plan(usable, chosen.start, chosen.end), [], f"{condition} AND {marked}" if condition else marked, parameters
    )
    sql = f"SELECT sum(Flows) AS _flows FROM ({source})"  # noqa: S608 - values are bound
    # Not among the statements of the answer, which give its figures.
    answer = run.query(sql, parameters.used(sql))
    return int(answer.column("_flows")[0].as_py()) if answer.num_rows else 0
