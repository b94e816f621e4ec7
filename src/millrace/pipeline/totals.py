"""What the decoder counted since the start, bounded however many exporters are forged."""

from __future__ import annotations

from collections import Counter

from millrace.decode import Counts
from millrace.decode.result import MAX_ISSUES, Issue

OTHERS = bytes(16)
"""Address (``::``) under which exporters beyond the bound are added up."""


class Totals:
    """Sums of `Counts`; the first `max_exporters` exporters have sums of their own.

    Parameters
    ----------
    max_exporters : int

    Attributes
    ----------
    events, drops : Counter
        As in `Counts`.
    issues : list of Issue
        The latest ones.
    """

    def __init__(self, max_exporters: int) -> None:
        self._max_exporters = max_exporters
        self._known: set[bytes] = set()
        self.events: Counter[tuple[bytes, str, str]] = Counter()
        self.drops: Counter[tuple[bytes, str, str, str]] = Counter()
        self.issues: list[Issue] = []

    def add(self, counts: Counts) -> None:
        """Add the counts of a batch."""
        for (exporter, protocol, event), amount in counts.events.items():
            self.events[self._own(exporter), protocol, event] += amount
        for (exporter, protocol, unit, reason), amount in counts.drops.items():
            self.drops[self._own(exporter), protocol, unit, reason] += amount
        self.issues = (self.issues + counts.issues)[-MAX_ISSUES:]

    def _own(self, exporter: bytes) -> bytes:
        if exporter in self._known:
            return exporter
        if len(self._known) >= self._max_exporters:
            return OTHERS
        self._known.add(exporter)
        return exporter
