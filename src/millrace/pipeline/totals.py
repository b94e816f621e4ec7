"""What the decoder counted since the start, bounded however many exporters are forged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from millrace.batch import Coded, FlowBatch
from millrace.decode import Counts
from millrace.decode.result import MAX_ISSUES, Issue
from millrace.schema import IMPLAUSIBLE

OTHERS = bytes(16)
"""Address (``::``) under which exporters beyond the bound are added up."""


@dataclass(slots=True)
class Marked:
    """Implausible flows of an exporter.

    Attributes
    ----------
    flows : Counter of str
        How many, by rule (`IMPLAUSIBLE`).
    last_ns : int
        When the last of them came, Unix nanoseconds.
    """

    flows: Counter[str] = field(default_factory=Counter)
    last_ns: int = 0


class Totals:
    """Sums of `Counts`; the first `max_exporters` exporters, and the reserved ones, have sums of their own.

    Parameters
    ----------
    max_exporters : int
    reserved : callable
        Whether an exporter has its own at any time; bounds their number itself.

    Attributes
    ----------
    events, drops : Counter
        As in `Counts`.
    issues : list of Issue
        The latest ones.
    implausible : dict of Marked
        By exporter.
    """

    def __init__(self, max_exporters: int, reserved: Callable[[bytes], bool] = lambda _: False) -> None:
        self._max_exporters = max_exporters
        self._reserved = reserved
        self._known: set[bytes] = set()
        self._taken = 0
        self.events: Counter[tuple[bytes, str, str]] = Counter()
        self.drops: Counter[tuple[bytes, str, str, str]] = Counter()
        self.issues: list[Issue] = []
        self.implausible: dict[bytes, Marked] = {}

    def add(self, counts: Counts) -> None:
        """Add the counts of a batch."""
        for (exporter, protocol, event), amount in counts.events.items():
            self.events[self._own(exporter), protocol, event] += amount
        for (exporter, protocol, unit, reason), amount in counts.drops.items():
            self.drops[self._own(exporter), protocol, unit, reason] += amount
        self.issues = (self.issues + counts.issues)[-MAX_ISSUES:]

    def add_marked(self, flows: FlowBatch, now_ns: int) -> None:
        """Count the implausible flows of an enriched batch."""
        marks, exporters = flows.columns.get("Implausible"), flows.columns.get("ExporterAddress")
        if not isinstance(marks, np.ndarray) or not marks.any() or not isinstance(exporters, Coded):
            return
        rows = np.flatnonzero(marks)
        pairs, amounts = np.unique(
            exporters.codes[rows].astype(np.int64) * len(IMPLAUSIBLE) + marks[rows], return_counts=True
        )
        for pair, amount in zip(pairs.tolist(), amounts.tolist(), strict=True):
            exporter, rule = divmod(pair, len(IMPLAUSIBLE))
            marked = self.implausible.setdefault(self._own(bytes(exporters.values[exporter])), Marked())
            marked.flows[IMPLAUSIBLE[rule]] += amount
            marked.last_ns = now_ns

    def _own(self, exporter: bytes) -> bytes:
        if exporter in self._known:
            return exporter
        reserved = self._reserved(exporter)
        if not reserved and self._taken >= self._max_exporters:
            return OTHERS
        self._known.add(exporter)
        self._taken += not reserved
        return exporter
