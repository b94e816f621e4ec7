"""Flows per time: SQL, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from millrace.batch.arrays import AnyArray
from millrace.lang import Names
from millrace.query.buckets import Buckets
from millrace.query.capacity import Capacities, Rest, interface_dimensions, interfaces_sql
from millrace.query.dimensions import Dimension
from millrace.query.figures import Scale, figure
from millrace.query.flows import Flows
from millrace.query.kept import Kept
from millrace.query.labels import labels
from millrace.query.largest import largest
from millrace.query.questions import LimitBy
from millrace.query.render import Key
from millrace.query.results import SeriesRow
from millrace.query.run import Run


class SeriesStatement:
    """One series for each of the largest combinations of dimensions, and one for the rest.

    Parameters
    ----------
    flows : Flows
    dimensions : sequence of Dimension
        None: one series of everything.
    buckets : Buckets
    limit : int
    limit_by : LimitBy

    Attributes
    ----------
    sql : str
        The amounts of each series in each interval.
    interfaces_sql : str
        The interfaces of whose speed percentages are; empty for other units.
    """

    def __init__(
        self,
        flows: Flows,
        dimensions: Sequence[Dimension],
        buckets: Buckets,
        limit: int = 1,
        limit_by: LimitBy = "average",
    ) -> None:
        self._dimensions = dimensions
        self._measure = flows.measure
        self._limit_by = limit_by
        self.buckets = buckets
        self.parameters = flows.parameters
        self._kept = Kept(dimensions)
        bucket = f"{flows.bucket(buckets.step)} AS _bucket"
        if not dimensions:
            self.sql = f"SELECT {bucket}, sum({flows.amount}) AS _amount FROM ({flows.buckets}) GROUP BY _bucket"  # noqa: S608 - values are bound
        else:
            self.sql = (
                f"WITH {self._kept.query} AS ({largest(flows, dimensions, limit, limit_by, buckets)}) "  # noqa: S608 - values are bound
                f"SELECT {bucket}, {self._kept.columns}, sum({flows.amount}) AS _amount FROM ({flows.buckets}) "
                f"GROUP BY _bucket, {self._kept.names}"
            )
        named = interface_dimensions(flows.measure, dimensions)
        self.interfaces_sql = interfaces_sql(flows, named) if flows.measure.side else ""

    def amounts(self, table: pa.Table) -> dict[Key | None, AnyArray]:
        """Amounts in each interval of each combination, and of the rest (None)."""
        places = table.column("_bucket").to_numpy().astype(np.int64) - self.buckets.first
        values = table.column("_amount").to_numpy().astype(np.float64)
        keys = self._kept.keys(table) if self._dimensions else [()] * table.num_rows
        found: dict[Key | None, AnyArray] = {}
        for key, place, value in zip(keys, places.tolist(), values.tolist(), strict=True):
            found.setdefault(key, np.zeros(self.buckets.count))[place] += value
        if not self._dimensions:
            found.setdefault((), np.zeros(self.buckets.count))
        return found

    def rows(self, amounts: dict[Key | None, AnyArray], interfaces: pa.Table | None, names: Names) -> list[SeriesRow]:
        """Rows of an answer, the largest first, the rest last."""
        scale = Scale(self._measure, self.buckets)
        capacities = None if interfaces is None else Capacities([self._dimensions], self._measure, interfaces)
        shown = frozenset(key for key in amounts if key is not None)

        def row(key: Key | None, found: AnyArray) -> SeriesRow:
            capacity = 0.0 if capacities is None else capacities.of(Rest(shown) if key is None else key)
            return scale.row(key, labels(self._dimensions, key or (), names) if key else [], found, capacity)

        rows = [row(key, found) for key, found in amounts.items()]
        return sorted(rows, key=lambda r: (r.other, -figure(r, self._limit_by), -r.average, str(r.dimensions)))

    def total(self, amounts: dict[Key | None, AnyArray], interfaces: pa.Table | None) -> SeriesRow:
        """Everything as one series."""
        everything = sum(amounts.values(), np.zeros(self.buckets.count))
        return Scale(self._measure, self.buckets).row((), [], everything, self.capacity(interfaces))

    def capacity(self, interfaces: pa.Table | None) -> float:
        """Speed of all interfaces together, in bit/s; 0 for units that need none."""
        return 0.0 if interfaces is None else Capacities([], self._measure, interfaces).everything

    def ask(self, run: Run) -> tuple[dict[Key | None, AnyArray], pa.Table | None]:
        """Amounts as of `amounts`, and the interfaces of percentages. Raises QueryError and StoreError."""
        amounts = self.amounts(run.ask(self.sql, self.parameters))
        return amounts, run.ask(self.interfaces_sql, self.parameters) if self.interfaces_sql else None
