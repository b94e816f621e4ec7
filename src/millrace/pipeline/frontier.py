"""Up to which moment everything that was received is stored."""

from __future__ import annotations

import threading
from collections import deque

from millrace.batch import DatagramBatch

_OLDEST_MS = 60_000.0
"""Datagrams of a file have times of their own; those that wait longer for the decoder than this came now, too."""


class Frontier:
    """Follows batches from reception to the store; safe to use from several threads.

    What waits, in whatever queue, tells from when on flows are missing: up to
    its oldest reception everything is stored, or was given up and counted.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._received: dict[int, float] = {}
        self._decoded: deque[tuple[int, float]] = deque()

    def enter(self, batch: DatagramBatch, now_ms: float) -> None:
        """A batch was received.

        Parameters
        ----------
        batch : DatagramBatch
            The same object is given to `leave` or `decoded`.
        now_ms : float
            Unix milliseconds.
        """
        oldest_ms = float(batch.time_ns.min()) / 1e6 if len(batch) else now_ms
        with self._guard:
            self._received[id(batch)] = oldest_ms if now_ms - _OLDEST_MS <= oldest_ms <= now_ms else now_ms

    def leave(self, batch: DatagramBatch) -> None:
        """A batch was refused."""
        with self._guard:
            self._received.pop(id(batch), None)

    def decoded(self, batch: DatagramBatch, rows: int) -> None:
        """A batch has become flows that wait for the store, or was given up.

        Parameters
        ----------
        batch : DatagramBatch
        rows : int
            Flows that have been given to the writer since the start.
        """
        with self._guard:
            oldest_ms = self._received.pop(id(batch), None)
            if oldest_ms is not None:
                self._decoded.append((rows, oldest_ms))

    def oldest_ms(self, finished_rows: int) -> float | None:
        """Moment, Unix milliseconds, at which the oldest that waits was received; None: nothing waits.

        Parameters
        ----------
        finished_rows : int
            Flows that the writer has stored or given up since the start.
        """
        with self._guard:
            while self._decoded and self._decoded[0][0] <= finished_rows:
                self._decoded.popleft()
            waiting = (*self._received.values(), *(oldest_ms for _, oldest_ms in self._decoded))
        return min(waiting, default=None)
