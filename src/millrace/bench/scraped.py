"""What a collector says of itself in Prometheus' text format, read back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families


class Series(NamedTuple):
    """Time series of a name, those with the labels if some are named."""

    name: str
    labels: Mapping[str, str] = {}


@dataclass(slots=True)
class Scraped:
    """Metrics of a moment.

    Attributes
    ----------
    moment : float
        Monotonic seconds, before the collector was asked.
    samples : dict
        Name to pairs of labels and value.
    """

    moment: float = 0.0
    samples: dict[str, list[tuple[dict[str, str], float]]] = field(default_factory=lambda: defaultdict(list))

    def sum(self, name: str, **labels: str) -> int:
        """Sum over the series of a name that have these labels; 0 if there is none."""
        return int(
            sum(
                value
                for had, value in self.samples.get(name, ())
                if all(had.get(label) == wanted for label, wanted in labels.items())
            )
        )

    def of(self, series: Series) -> int:
        """`sum` over what a `Series` names."""
        return self.sum(series.name, **series.labels)


def scraped(text: str, moment: float = 0.0) -> Scraped:
    """Read what ``GET /metrics`` answered."""
    found = Scraped(moment)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.samples[sample.name].append((sample.labels, sample.value))
    return found
