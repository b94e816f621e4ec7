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
class Scale:
    """Makes values of a unit from amounts (bytes, packets, flows) in intervals.

    Parameters
    ----------
    measure : Measure
    buckets : Buckets
    """

    measure: Measure
    buckets: Buckets

    def points(self, amounts: AnyArray, capacity: float) -> AnyArray:
        """Value in each interval; `capacity` in bit/s for percentages."""
        values = amounts * self.measure.value(1.0, capacity)
        return values / self.buckets.seconds if self.measure.rate else values

    def average(self, amounts: AnyArray, capacity: float) -> float:
        """Average over the whole range; of a volume that of an interval."""
        seconds = float(self.buckets.seconds.sum())
        whole = float(amounts.sum())
        if not self.measure.rate:
            return whole * self.measure.factor * self.buckets.step / seconds
        return whole * self.measure.value(seconds, capacity)

    def row(self, key: Key | None, labels: list[str], amounts: AnyArray, capacity: float) -> SeriesRow:
        """A row; `key` None is "other"."""
        points = self.points(amounts, capacity)
        whole = self.buckets.whole
        steady = points[whole.start : whole.stop] if whole else points
        return SeriesRow(
            dimensions=json_key(key or ()),
            labels=labels,
            other=key is None,
            points=points.tolist(),
            average=self.average(amounts, capacity),
            minimum=float(steady.min()),
            maximum=float(steady.max()),
            last=float(steady[-1]),
            percentile95=_percentile(steady),
            total=0.0 if self.measure.side else float(amounts.sum()),
        )


def _percentile(values: AnyArray) -> float:
    """Interpolated linearly, as `largest` does it; NumPy's own takes a hundred times as long for so few values."""
    ascending = np.sort(values)
    place = PERCENTILE * (len(ascending) - 1)
    low = int(place)
    high = min(low + 1, len(ascending) - 1)
    return float(ascending[low] * (1 - (place - low)) + ascending[high] * (place - low))


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
