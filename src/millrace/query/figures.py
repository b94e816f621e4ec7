"""A series of amounts as a row of an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import AnyArray
from millrace.query.buckets import Buckets
from millrace.query.largest import PERCENTILE
from millrace.query.questions import LimitBy
from millrace.query.render import Key, json_key
from millrace.query.results import SeriesRow
from millrace.query.units import Measure


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a series adds up: bytes, packets or flows.

    Attributes
    ----------
    buckets : ndarray of float64
        In each bucket.
    fine : tuple of float, optional
        Minimum, maximum and 95th percentile of finer intervals; absent: the buckets are those intervals.
    """

    buckets: AnyArray
    fine: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """Makes values of a unit from amounts.

    Parameters
    ----------
    measure : Measure
    buckets : Buckets
    fine_seconds : int
        Length of the finer intervals.
    """

    measure: Measure
    buckets: Buckets
    fine_seconds: int = 0

    def points(self, amounts: AnyArray, capacity: float) -> AnyArray:
        """Value in each bucket; `capacity` in bit/s for percentages."""
        values = amounts * self.measure.value(1.0, capacity)
        return values / self.buckets.seconds if self.measure.rate else values

    def average(self, amounts: AnyArray, capacity: float) -> float:
        """Average over what is covered of the range; of a volume that of a bucket."""
        seconds = self.buckets.covered_seconds
        if not seconds:
            return 0.0
        whole = float(amounts.sum())
        if not self.measure.rate:
            return whole * self.measure.factor / self.buckets.parts
        return whole * self.measure.value(1.0, capacity) / seconds

    def row(self, key: Key | None, labels: list[str], amounts: Amounts, capacity: float) -> SeriesRow:
        """A row; `key` None is "other"."""
        points = self.points(amounts.buckets, capacity)
        some = self.buckets.some
        steady = points[some.start : some.stop]
        minimum, maximum, percentile = figures_of(steady)
        if amounts.fine is not None:
            each = self.measure.value(1.0, capacity)
            minimum, maximum, percentile = (amount * each / self.fine_seconds for amount in amounts.fine)
        return SeriesRow(
            dimensions=json_key(key or ()),
            labels=labels,
            other=key is None,
            points=points.tolist(),
            average=self.average(amounts.buckets, capacity),
            minimum=minimum,
            maximum=maximum,
            last=float(steady[-1]),
            percentile95=percentile,
            total=0.0 if self.measure.side else float(amounts.buckets.sum()),
        )


def figures_of(points: AnyArray) -> tuple[float, float, float]:
    """Minimum, maximum and 95th percentile of some points."""
    return float(points.min()), float(points.max()), _percentile(points)


def _percentile(values: AnyArray) -> float:
    """Interpolated linearly, as `largest` does it; NumPy's own takes a hundred times as long for so few values."""
    ascending = np.sort(values)
    place = PERCENTILE * (len(ascending) - 1)
    low = int(place)
    high = min(low + 1, len(ascending) - 1)
    # In this form, that of equal values is that value.
    return float(ascending[low] + (ascending[high] - ascending[low]) * (place - low))


def figure(row: SeriesRow, limit_by: LimitBy) -> float:
    """Figure of a row by which it is shown."""
    match limit_by:
        case "average":
            return row.average
        case "maximum":
            return row.maximum
        case "last":
            return row.last
        case "p95":
            return row.percentile95
