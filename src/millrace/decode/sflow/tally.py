"""Counting per exporter without a loop over datagrams."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from millrace.batch.arrays import I64, AnyArray
from millrace.decode.exporters import Exporters
from millrace.decode.result import Counts, Event

PROTOCOL = "sflow-v5"


class Tally:
    """Counts of one batch, by the exporter of each datagram.

    Parameters
    ----------
    counts : Counts
        Where to count.
    exporters : Exporters
        Who sent each datagram.
    """

    def __init__(self, counts: Counts, exporters: Exporters) -> None:
        self._counts = counts
        self._index = exporters.index
        self._keys = exporters.keys()
        self.example: dict[int, str] = {}

    def event(self, event: Event, datagram: I64 | None, amount: AnyArray | None = None) -> None:
        """Count an event.

        Parameters
        ----------
        event : str
        datagram : ndarray of int64, shape (k,), optional
            Datagram of each occurrence; None: once per datagram.
        amount : ndarray of integers, shape (k,), optional
            How many times each.
        """
        keys = self._keys
        totals = self._totals(datagram, amount)
        self._counts.add_events(event, (((keys[exporter], PROTOCOL, event), total) for exporter, total in totals))

    def odd(self, event: Event, datagram: I64, example: Callable[[int], str]) -> None:
        """Count something that agents should not do, once per datagram given; `example` tells what one of them was."""
        exporter = self._index[datagram]
        # Backwards: the first of each exporter is its last.
        exporters, backwards, amount = np.unique(exporter[::-1], return_index=True, return_counts=True)
        last = len(exporter) - 1 - backwards
        for number, at, times in zip(exporters.tolist(), last.tolist(), amount.tolist(), strict=True):
            self._counts.event(self._keys[number], PROTOCOL, event, times, example(at))

    def drop(self, unit: str, reason: str, datagram: I64, detail: Callable[[int], str] | None) -> None:
        """Count what was given up; `detail` explains the first occurrence (None: nothing is wrong with it)."""
        if not len(datagram):
            return
        first = int(self._index[datagram[0]])
        text = detail(0) if detail else ""
        for exporter, total in self._totals(datagram, None):
            self._counts.drop(self._keys[exporter], PROTOCOL, unit, reason, total, text if exporter == first else "")
            if detail:
                self.example[exporter] = f"{reason}: {text}" if exporter == first else reason

    def _totals(self, datagram: I64 | None, amount: AnyArray | None) -> list[tuple[int, int]]:
        if len(self._keys) == 1:
            times = len(self._index if datagram is None else datagram)
            return [(0, times if amount is None else int(amount.sum()))]
        index = self._index if datagram is None else self._index[datagram]
        totals = np.bincount(index, amount, len(self._keys)).astype(np.int64)
        some = np.flatnonzero(totals)
        return list(zip(some.tolist(), totals[some].tolist(), strict=True))
