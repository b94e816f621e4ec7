"""Combinations of dimensions with the largest value over a range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from millrace.query import units
from millrace.query.capacity import Capacities, interface_dimensions, interfaces_sql, with_capacities
from millrace.query.dimensions import Dimension, dimensions_of, listed
from millrace.query.flows import Flows, flows_of
from millrace.query.implausible import MARKED, MARKED_SQL, implausible_flows, marked_of
from millrace.query.labels import labels
from millrace.query.questions import TopQuestion
from millrace.query.render import Key, json_key, keys
from millrace.query.results import Top, TopRow, moment, sources
from millrace.query.run import Run
from millrace.query.selection import Selection
from millrace.query.units import MEASURES, OVERHEAD_BYTES, Measure
from millrace.query.wide import integers

_SUMS = f"sum({units.OCTETS}) AS _bytes, sum({units.PACKETS}) AS _packets, sum({units.FLOWS}) AS _flows"


def top(question: TopQuestion, selection: Selection, run: Run) -> Top:
    """Answer a question about the largest combinations. Raises QueryError and StoreError."""
    dimensions = dimensions_of(question.dimensions, question, run.schema)
    measure = MEASURES[question.unit]
    flows = flows_of(selection, dimensions, measure, run, marks=True)
    chosen = flows.plan
    statement = TopStatement(flows, dimensions, question.limit)
    answer = run.ask(statement.sql, statement.parameters)
    found, total = statement.split(answer)
    interfaces = run.ask(statement.interfaces_sql, statement.parameters) if statement.interfaces_sql else None
    covered = selection.covered(chosen.start, chosen.end)
    shape = _Shape(measure, covered[1] - covered[0], total)
    capacities = None if interfaces is None else Capacities([dimensions], measure, interfaces)
    return Top(
        dimensions=[dimension.column.name for dimension in dimensions],
        unit=question.unit,
        start=moment(chosen.start),
        end=moment(chosen.end),
        asked_start=moment(selection.asked[0]),
        asked_end=moment(selection.asked[1]),
        covered_start=moment(covered[0]),
        covered_end=moment(covered[1]),
        rows=[
            shape.row(sums, labels(dimensions, sums.key, run.names), capacities.of(sums.key) if capacities else 0.0)
            for sums in _rows(keys(dimensions, found), found)
        ],
        total=shape.row(shape.everything, [], capacities.everything if capacities else 0.0),
        sources=sources(chosen),
        implausible_flows=implausible_flows(selection, chosen, run, marked_of(answer.slice(0, 1))),
        sql=run.sql,
    )


class TopStatement:
    """SQL of the largest combinations and of the total, and of the interfaces of percentages.

    Parameters
    ----------
    flows : Flows
    dimensions : sequence of Dimension
    limit : int
        Combinations at most.

    Attributes
    ----------
    sql : str
        The sums of everything, then the combinations with theirs: one pass.
    interfaces_sql : str
        The interfaces of whose speed percentages are; empty for other units.
    """

    def __init__(self, flows: Flows, dimensions: Sequence[Dimension], limit: int) -> None:
        self.parameters = flows.parameters
        names = listed(dimensions)
        named = interface_dimensions(flows.measure, dimensions)
        counted, shown = (f"{MARKED_SQL}, ", f"{MARKED}, ") if flows.marks else ("", "")
        found = (
            f"SELECT grouping({names}) > 0 AS _all, {names}, {_SUMS}, {counted}sum({flows.amount}) AS _sum "  # noqa: S608 - values are bound
            f"FROM ({flows.whole}) GROUP BY GROUPING SETS (({names}), ())"
        )
        order = "_sum"
        if named:
            found = with_capacities(found, flows, named)
            order = "_sum / _capacity"
        place = self.parameters.add("UInt32", limit + 1)
        self.sql = (
            f"SELECT _all, {names}, {shown}_bytes, _packets, _flows FROM ({found}) "  # noqa: S608 - values are bound
            f"ORDER BY _all DESC, {order} DESC, {names} LIMIT {place}"
        )
        self.interfaces_sql = interfaces_sql(flows, named) if flows.measure.side else ""

    @staticmethod
    def split(table: pa.Table) -> tuple[pa.Table, _Sums]:
        """The combinations, and the sums of everything."""
        # Of no flows there is no total either.
        total = _rows([()], table.slice(0, 1))[0] if table.num_rows else _Sums((), 0, 0, 0)
        return table.slice(1), total


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of a combination."""

    key: Key
    bytes: int
    packets: int
    flows: int

    def amount(self, measure: Measure) -> int:
        """What the measure counts, before its factor."""
        match measure.amount:
            case units.FLOWS:
                return self.flows
            case units.PACKETS:
                return self.packets
            case units.OCTETS:
                return self.bytes
            case _:
                return self.bytes + OVERHEAD_BYTES * self.packets


def _rows(found: Sequence[Key], table: pa.Table) -> list[_Sums]:
    sums = (integers(table.column(name)) for name in ("_bytes", "_packets", "_flows"))
    return [_Sums(*row) for row in zip(found, *sums, strict=True)]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Makes rows of sums."""

    measure: Measure
    seconds: int
    everything: _Sums

    def row(self, sums: _Sums, labels: list[str], capacity: float) -> TopRow:
        """A row; `capacity` in bit/s for percentages."""
        amount = sums.amount(self.measure)
        value = amount * self.measure.value(self.seconds, capacity)
        share = amount / (self.everything.amount(self.measure) or 1)
        return TopRow(json_key(sums.key), labels, value, share, sums.bytes, sums.packets, sums.flows)
