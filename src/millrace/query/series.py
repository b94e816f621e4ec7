"""Flows per time: SQL, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from millrace.batch.arrays import AnyArray
from millrace.lang import Names
from millrace.query.buckets import Buckets, Fine
from millrace.query.capacity import Capacities, Rest, interface_dimensions, interfaces_sql
from millrace.query.dimensions import Dimension
from millrace.query.figures import Amounts, Scale, figure
from millrace.query.flows import Flows
from millrace.query.kept import Kept
from millrace.query.labels import labels
from millrace.query.largest import absent, largest, percentile_sql, within
from millrace.query.questions import LimitBy
from millrace.query.render import Key
from millrace.query.results import SeriesRow
from millrace.query.run import Run
from millrace.query.wide import floats

_FIGURES = ("_minimum", "_maximum", "_percentile")
_NONE = (0.0, 0.0, 0.0)


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
    """

    each: dict[Key | None, Amounts]
    everything: Amounts
    interfaces: pa.Table | None


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
        The amounts of each series in each bucket, and its figures.
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
        bucket = f"{buckets.sql(flows.parameters)} AS _bucket"
        kept, names = (f"{self._kept.columns}, ", f"{self._kept.names}, ") if dimensions else ("", "")
        found = f"sum({flows.amount}) AS _amount FROM ({flows.buckets})"
        if fine is None:
            self.sql = f"SELECT {kept}{bucket}, {found} GROUP BY {names}_bucket"
        else:
            number = f"{flows.number(fine.seconds)} AS _fine"
            found = f"SELECT {kept}{bucket}, {number}, {found} GROUP BY {names}_bucket, _fine"
            self.sql = self._with_figures(found, names, fine)
        if dimensions:
            shown = largest(flows, dimensions, limit, limit_by, buckets, fine)
            self.sql = f"WITH {self._kept.query} AS ({shown}) {self.sql}"
        named = interface_dimensions(flows.measure, dimensions)
        self.interfaces_sql = interfaces_sql(flows, named) if flows.measure.side else ""

    def _with_figures(self, found: str, names: str, fine: Fine) -> str:
        """SQL of three kinds of rows: each series in each bucket, the figures of each, and those of all together."""
        told = ["_bucket", "_fine", self._kept.top][: 3 if names else 2]
        sets = [f"({names}_bucket)", f"({names}_fine)", "(_fine)"] if names else ["(_bucket)", "(_fine)"]
        self._in_buckets = absent([place for place, name in enumerate(told) if name != "_fine"], len(told))
        self._of_all = absent([1], len(told))
        inside = within("_fine", (fine.first, fine.last), self.parameters)
        return (
            f"SELECT _absent, {names}_bucket, sum(_part) AS _amount, toFloat64(maxIf(_part, {inside})) AS _maximum, "  # noqa: S608 - values are bound
            f"if(countIf({inside}) < {fine.count}, 0, toFloat64(minIf(_part, {inside}))) AS _minimum, "
            f"{percentile_sql('toFloat64(_part)', inside, fine.count)} AS _percentile FROM ("
            f"SELECT grouping({', '.join(told)}) AS _absent, {names}_bucket, _fine, sum(_amount) AS _part "
            f"FROM ({found}) GROUP BY GROUPING SETS ({', '.join(sets)})) GROUP BY _absent, {names}_bucket"
        )

    def ask(self, run: Run) -> SeriesAmounts:
        """Put the statements. Raises QueryError and StoreError."""
        each, everything = self.amounts(run.ask(self.sql, self.parameters))
        interfaces = run.ask(self.interfaces_sql, self.parameters) if self.interfaces_sql else None
        return SeriesAmounts(each, everything, interfaces)

    def amounts(self, table: pa.Table) -> tuple[dict[Key | None, Amounts], Amounts]:
        """Amounts of each combination, and of the rest (None); and of everything."""
        kinds = table.column("_absent").to_numpy() if self._fine else np.zeros(table.num_rows)
        drawn = table.filter(pa.array(kinds == (self._in_buckets if self._fine else 0)))
        values = floats(drawn.column("_amount")).tolist()
        places = self.buckets.places(drawn.column("_bucket").to_numpy().astype(np.int64)).tolist()
        found: dict[Key | None, AnyArray] = {}
        for key, place, value in zip(self._keys(drawn), places, values, strict=True):
            found.setdefault(key, np.zeros(self.buckets.count))[place] += value
        if not self._dimensions:
            found.setdefault((), np.zeros(self.buckets.count))
        everything = sum(found.values(), np.zeros(self.buckets.count))
        if self._fine is None:
            return {key: Amounts(values) for key, values in found.items()}, Amounts(everything)
        figures = self._figures(table.filter(pa.array(kinds != self._in_buckets)))
        return {key: Amounts(values, figures[key]) for key, values in found.items()}, Amounts(
            everything, figures["all"]
        )

    def _figures(self, table: pa.Table) -> dict[Key | Literal["all"] | None, tuple[float, float, float]]:
        """Minimum, maximum and percentile of each combination, and of everything together."""
        rows = list(zip(*(table.column(name).to_pylist() for name in _FIGURES), strict=True))
        kinds = table.column("_absent").to_pylist()
        found: dict[Key | Literal["all"] | None, tuple[float, float, float]] = {"all": _NONE}
        for key, kind, figures in zip(self._keys(table), kinds, rows, strict=True):
            found["all" if kind == self._of_all else key] = figures
        if not self._dimensions:
            found[()] = found["all"]
        return found

    def _keys(self, table: pa.Table) -> list[Key | None]:
        return self._kept.keys(table) if self._dimensions else [()] * table.num_rows

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
