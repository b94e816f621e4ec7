"""Flows per time: SQL, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from millrace.batch.arrays import AnyArray
from millrace.lang import Names
from millrace.query.buckets import Buckets, Fine, unit_of
from millrace.query.capacity import Capacities, Rest, interface_dimensions, interfaces_sql
from millrace.query.dimensions import Dimension
from millrace.query.figures import Amounts, Scale, figure, figures_of
from millrace.query.flows import Flows
from millrace.query.implausible import MARKED_SQL, MARKED_TOO_SQL, marked_of
from millrace.query.kept import Kept
from millrace.query.labels import labels
from millrace.query.largest import largest
from millrace.query.questions import LimitBy
from millrace.query.render import Key
from millrace.query.results import SeriesRow
from millrace.query.run import Run


@dataclass(frozen=True, slots=True)
class SeriesAmounts:
    """Answer to a `SeriesStatement`.

    Attributes
    ----------
    each : dict
        Amounts of each combination, and of the rest (None).
    everything : Amounts
    interfaces : Table or None
        Interfaces of whose speed percentages are.
    marked : int or None
        Implausible flows among them; None: not counted.
    """

    each: dict[Key | None, Amounts]
    everything: Amounts
    interfaces: pa.Table | None
    marked: int | None


class SeriesStatement:
    """One series for each of the largest combinations of dimensions, and one for the rest.

    Parameters
    ----------
    flows : Flows
    dimensions : sequence of Dimension
        None: one series of everything.
    buckets : Buckets
    fine : Fine, optional
        Intervals of minimum, maximum and 95th percentile; absent: the buckets are.
    limit : int
    limit_by : LimitBy

    Attributes
    ----------
    sql : str
        A row per series: in arrays, the seconds at which buckets or finer intervals begin, in units, and amounts.
    interfaces_sql : str
        The interfaces of whose speed percentages are; empty for other units.
    """

    def __init__(
        self,
        flows: Flows,
        dimensions: Sequence[Dimension],
        buckets: Buckets,
        fine: Fine | None = None,
        limit: int = 1,
        limit_by: LimitBy = "average",
    ) -> None:
        self._dimensions = dimensions
        self._measure = flows.measure
        self._limit_by = limit_by
        self._fine = fine
        self.buckets = buckets
        self.parameters = flows.parameters
        self._kept = Kept(dimensions)
        kept, names = (f"{self._kept.columns}, ", f"{self._kept.names}, ") if dimensions else ("", "")
        # Buckets and intervals of figures are told apart afterwards: so few numbers are left then.
        numbered = fine is not None or buckets.even
        self._unit = unit_of(buckets, fine) if numbered else 1
        second = flows.number(self._unit) if numbered else buckets.sql(flows.parameters)
        counted, marked = (f", {MARKED_SQL}", f", {MARKED_TOO_SQL}") if flows.marks else ("", "")
        self.sql = (
            f"SELECT {names}groupArray(_unit) AS _units, groupArray(_sum) AS _amounts{marked} FROM ("  # noqa: S608 - values are bound
            f"SELECT {kept}toUInt32({second}) AS _unit, toFloat64(sum({flows.amount})) AS _sum{counted} "
            f"FROM ({flows.buckets}) "
            f"GROUP BY {names}_unit)"
        )
        if dimensions:
            self.sql = f"{self.sql} GROUP BY {self._kept.names}"
            shown = largest(flows, dimensions, limit, limit_by, buckets, fine)
            self.sql = f"WITH {self._kept.query} AS ({shown}) {self.sql}"
        named = interface_dimensions(flows.measure, dimensions)
        self.interfaces_sql = interfaces_sql(flows, named) if flows.measure.side else ""

    def ask(self, run: Run) -> SeriesAmounts:
        """Put the statements. Raises QueryError and StoreError."""
        answer = run.ask(self.sql, self.parameters)
        each, everything = self.amounts(answer)
        interfaces = run.ask(self.interfaces_sql, self.parameters) if self.interfaces_sql else None
        return SeriesAmounts(each, everything, interfaces, marked_of(answer))

    def amounts(self, table: pa.Table) -> tuple[dict[Key | None, Amounts], Amounts]:
        """Amounts of each combination, and of the rest (None); and of everything."""
        found: dict[Key | None, Amounts] = {}
        everything = self._dense(np.zeros(0, np.int64), np.zeros(0))
        columns = [table.column(name).combine_chunks() for name in ("_units", "_amounts")]
        for place, key in enumerate(self._kept.keys(table) if self._dimensions else [()] * table.num_rows):
            units, values = (column[place].values.to_numpy() for column in columns)
            dense = self._dense(units.astype(np.int64) * self._unit, values)
            found[key] = self._amounts(dense)
            everything = [total + more for total, more in zip(everything, dense, strict=True)]
        return found, self._amounts(everything)

    def _dense(self, seconds: AnyArray, amounts: AnyArray) -> list[AnyArray]:
        """Amounts in each bucket, and in each fine interval if there are any, of those that begin at some seconds."""
        places = np.maximum(np.searchsorted(np.asarray(self.buckets.edges), seconds, "right") - 1, 0)
        found = [np.bincount(places, amounts, self.buckets.count)]
        if self._fine is not None:
            numbers = seconds // self._fine.seconds - self._fine.first
            whole = (numbers >= 0) & (numbers < self._fine.count)
            found.append(np.bincount(numbers[whole], amounts[whole], self._fine.count))
        return found

    @staticmethod
    def _amounts(dense: list[AnyArray]) -> Amounts:
        return Amounts(dense[0], figures_of(dense[1]) if len(dense) > 1 else None)

    def rows(self, found: SeriesAmounts, names: Names) -> list[SeriesRow]:
        """Rows of an answer, the largest first, the rest last."""
        capacities = None
        if found.interfaces is not None:
            capacities = Capacities([self._dimensions], self._measure, found.interfaces)
        shown = frozenset(key for key in found.each if key is not None)

        def row(key: Key | None, amounts: Amounts) -> SeriesRow:
            capacity = 0.0 if capacities is None else capacities.of(Rest(shown) if key is None else key)
            return self._scale.row(key, labels(self._dimensions, key or (), names) if key else [], amounts, capacity)

        rows = [row(key, amounts) for key, amounts in found.each.items()]
        return sorted(rows, key=lambda r: (r.other, -figure(r, self._limit_by), -r.average, str(r.dimensions)))

    def total(self, found: SeriesAmounts) -> SeriesRow:
        """Everything as one series."""
        return self._scale.row((), [], found.everything, self.capacity(found))

    def capacity(self, found: SeriesAmounts) -> float:
        """Speed of all interfaces together, in bit/s; 0 for units that need none."""
        return 0.0 if found.interfaces is None else Capacities([], self._measure, found.interfaces).everything

    @property
    def _scale(self) -> Scale:
        return Scale(self._measure, self.buckets, self._fine.seconds if self._fine else 0)
