"""What flows from each value of a column to each value of the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pyarrow as pa

from millrace.errors import QueryError
from millrace.lang import Names
from millrace.query.dimensions import Dimension, dimensions_of
from millrace.query.flows import Flows, flows_of
from millrace.query.implausible import MARKED_SQL, MARKED_TOO_SQL, implausible_flows, marked_of
from millrace.query.kept import Kept
from millrace.query.labels import label
from millrace.query.largest import absent, largest_of_each
from millrace.query.questions import SankeyQuestion
from millrace.query.render import Key, json_key
from millrace.query.results import Sankey, SankeyLink, SankeyNode, moment, sources
from millrace.query.run import Run
from millrace.query.selection import Selection
from millrace.query.source import is_rolled
from millrace.query.units import MEASURES
from millrace.query.wide import integers

Node = tuple[int, Key | None]
"""Place of a column, and its value; None: the rest."""


def sankey(question: SankeyQuestion, selection: Selection, run: Run) -> Sankey:
    """Answer a question about what flows where.

    Raises
    ------
    QueryError
        Also for percentages: shares of the speed of interfaces do not flow.
    StoreError
    """
    measure = MEASURES[question.unit]
    if measure.side:
        raise QueryError(
            f"the unit {question.unit!r} has no meaning here; use 'l2-bits/s', of which it is a percentage"
        )
    dimensions = dimensions_of(question.dimensions, question, run.schema)
    if len(dimensions) < 2:
        raise QueryError("give two different columns at least")
    flows = flows_of(selection, dimensions, measure, run, marks=True)
    statement = SankeyStatement(flows, _parts(flows, selection, dimensions, run), dimensions, question.limit)
    answer = run.ask(statement.sql, flows.parameters)
    links = statement.links(answer)
    marked = marked_of(answer)
    covered = selection.covered(flows.plan.start, flows.plan.end)
    rate = measure.value(covered[1] - covered[0])
    amounts = _amounts(links, len(dimensions))
    nodes = sorted(amounts, key=lambda node: (node[0], node[1] is None, -amounts[node], str(node[1])))
    places = {node: place for place, node in enumerate(nodes)}
    return Sankey(
        dimensions=[dimension.column.name for dimension in dimensions],
        unit=question.unit,
        start=moment(flows.plan.start),
        end=moment(flows.plan.end),
        asked_start=moment(selection.asked[0]),
        asked_end=moment(selection.asked[1]),
        covered_start=moment(covered[0]),
        covered_end=moment(covered[1]),
        nodes=[_node(node, amounts[node] * rate, dimensions, run.names) for node in nodes],
        links=[
            SankeyLink(places[source], places[target], amount * rate)
            for (source, target), amount in sorted(
                links.items(), key=lambda link: (places[link[0][0]], places[link[0][1]])
            )
        ],
        total=sum(amount for (column, _), amount in amounts.items() if column == 0) * rate,
        sources=sources(flows.plan),
        # Each pair of neighbours has all flows.
        implausible_flows=implausible_flows(
            selection, flows.plan, run, None if marked is None else marked // (len(dimensions) - 1)
        ),
        sql=run.sql,
    )


Part = tuple[Flows, Sequence[Dimension]]
"""Some of the dimensions, and the flows from which the largest values of each are found in one pass."""


def _parts(flows: Flows, selection: Selection, dimensions: Sequence[Dimension], run: Run) -> list[Part]:
    """Dimensions that rollups have apart from the others, if that lets them be answered from rollups."""
    rolled = [dimension for dimension in dimensions if is_rolled(dimension.column)]
    alone = flows_of(selection, rolled, flows.measure, run, like=flows)
    if not rolled or alone is flows:
        return [(flows, dimensions)]
    return [(alone, rolled), (flows, [dimension for dimension in dimensions if dimension not in rolled])]


class SankeyStatement:
    """SQL of the amounts between the values of neighbouring columns.

    One pass groups by each pair of neighbours, so that all pairs are about the
    same flows and what enters a node leaves it.

    Parameters
    ----------
    flows : Flows
    parts : sequence of Part
        The same, for the largest values.
    dimensions : sequence of Dimension
    limit : int
        Values of each column.

    Attributes
    ----------
    sql : str
    """

    def __init__(
        self,
        flows: Flows,
        parts: Sequence[Part],
        dimensions: Sequence[Dimension],
        limit: int,
    ) -> None:
        found = {
            dimension.name: f"(SELECT arrayJoin(tupleElement(_largest{part}, {place})))"
            for part, (_, some) in enumerate(parts)
            for place, dimension in enumerate(some, 1)
        }
        self._kept = [
            Kept([dimension], str(place), found[dimension.name]) for place, dimension in enumerate(dimensions)
        ]
        tops = ", ".join(kept.top for kept in self._kept)
        queries = (
            f"({largest_of_each(alone, some, limit)}) AS _largest{part}" for part, (alone, some) in enumerate(parts)
        )
        pairs = (f"({left.names}, {right.names})" for left, right in zip(self._kept, self._kept[1:], strict=False))
        names = ", ".join(kept.names for kept in self._kept)
        counted, marked = (f"{MARKED_SQL}, ", f"{MARKED_TOO_SQL}, ") if flows.marks else ("", "")
        self.sql = (
            f"WITH {', '.join(queries)} SELECT grouping({tops}) AS _absent, {names}, {marked}sum(_amount) AS _amount "  # noqa: S608 - values are bound
            f"FROM (SELECT {', '.join(kept.columns for kept in self._kept)}, {counted}sum({flows.amount}) AS _amount "
            f"FROM ({flows.whole}) GROUP BY {names}) GROUP BY GROUPING SETS ({', '.join(pairs)})"
        )

    def links(self, table: pa.Table) -> dict[tuple[Node, Node], int]:
        """Amounts between nodes."""
        keys = [kept.keys(table) for kept in self._kept]
        last = len(keys) - 1
        lefts = {absent((place, place + 1), len(keys)): place for place in range(last)}
        found: dict[tuple[Node, Node], int] = defaultdict(int)
        marks = zip(table.column("_absent").to_pylist(), integers(table.column("_amount")), strict=True)
        for row, (mark, amount) in enumerate(marks):
            left = lefts[mark]
            found[(left, keys[left][row]), (left + 1, keys[left + 1][row])] += amount
        return found


def _amounts(links: dict[tuple[Node, Node], int], count: int) -> dict[Node, int]:
    """What each node passes on; nodes of the last column: what they receive."""
    found: dict[Node, int] = defaultdict(int)
    for (source, target), amount in links.items():
        found[source] += amount
        if target[0] == count - 1:
            found[target] += amount
    return found


def _node(node: Node, rate: float, dimensions: Sequence[Dimension], names: Names) -> SankeyNode:
    column, key = node
    if key is None:
        return SankeyNode(column, None, "", other=True, rate=rate)
    return SankeyNode(column, json_key(key)[0], label(dimensions[column].column, key[0], names), other=False, rate=rate)
