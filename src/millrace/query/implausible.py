"""How many flows of a selection have figures that cannot be right.

A statement that reads all flows of the selection looks for them as it goes
(`MARKED`), unless the store knows that there are none in its range: a statement
of its own would cost 10 ms of the engine's work, however few flows there are. It
finds rows of the store; to count their flows would cost a twelfth of an answer
more. Where there are some, which is rare, where they are left out, or flows that
cannot be measured, there is one all the same.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from millrace.query.run import Run
from millrace.query.selection import PLAUSIBLE, Selection
from millrace.query.source import answering, relation
from millrace.query.sql import Parameters
from millrace.query.tables import ReadPlan, plan

MARKED = "_marked"
"""Column of answers: rows of the store with implausible flows, which may be several, among those that were read."""

MARKED_SQL = f"sum(NOT ({PLAUSIBLE})) AS {MARKED}"

MARKED_TOO_SQL = f"sum({MARKED}) AS {MARKED}"
"""The same of groups that have it."""


def implausible_flows(selection: Selection, chosen: ReadPlan, run: Run, counted: int | None = None) -> int:
    """Flows of the range of an answer that are marked as implausible, whether they are left out or not.

    Parameters
    ----------
    selection : Selection
    chosen : ReadPlan
        Of the answer: gives the range.
    run : Run
    counted : int, optional
        Where a statement of the answer tells it already, as `marked_of` has it.

    Raises
    ------
    QueryError, StoreError
    """
    if counted is not None:
        return counted
    # Asked after the statements of the answer: what came while they ran is known by now.
    if not run.may_be_implausible(chosen.start, chosen.end):
        return 0
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


def marked_of(answer: pa.Table) -> int | None:
    """Implausible flows of an answer: 0 if its statement found none; None if it found some, or did not look."""
    if MARKED not in answer.column_names or any(answer.column(MARKED).to_pylist()):
        return None
    return 0
