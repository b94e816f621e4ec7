"""Sending of batches at a steady rate, or with the timing of their capture."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millrace.batch import DatagramBatch
from millrace.receive.send import Sender

_TICK_SECONDS = 0.001
_BURST_SECONDS = 0.002
_LONGEST_SLEEP_SECONDS = 0.1
_PROGRESS_SECONDS = 0.2
_FORGIVEN_SECONDS = 1.0
"""A sender that is further behind than this stays behind rather than catching up in a long burst."""

_CAPTURE_BURST = 64
"""Datagrams sent at once when the capture's own times rule."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay did.

    Attributes
    ----------
    datagrams, bytes, failed : int
        As in `SendCounts`, of this replay.
    seconds : float
        From the first datagram to the last.
    """

    datagrams: int
    bytes: int
    failed: int
    seconds: float


Progress = Callable[[int], None]
"""Called a few times per second, and at the end, with the number of datagrams dealt with so far."""


def replay(
    batches: Iterable[DatagramBatch],
    sender: Sender,
    *,
    rate: float | None = None,
    speed: float | None = 1.0,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> ReplayResult:
    """Send batches, paced, until they end or `stop` is set.

    Parameters
    ----------
    batches : iterable of DatagramBatch
        Taken one by one, as sending goes on; may be endless.
    sender : Sender
        Open.
    rate : float, optional
        Datagrams per second, evenly spread: at most 2 ms' worth at once.
    speed : float, optional
        Without `rate`: multiple of the pace at which the datagrams were
        captured (`DatagramBatch.time_ns`). None sends as fast as possible.
    on_progress : callable, optional
    stop : Event, optional
        Ends the replay within 0.1 s when set.

    Raises
    ------
    ValueError
        If `rate` or `speed` is not positive.
    """
    for name, value in (("rate", rate), ("speed", speed)):
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, not {value}")
    pacer = _Pacer(sender, on_progress or (lambda _: None), stop or threading.Event())
    before = (sender.counts.datagrams, sender.counts.bytes, sender.counts.failed)
    burst = _CAPTURE_BURST if rate is None else max(1, math.ceil(rate * _BURST_SECONDS))
    first_ns: int | None = None
    for batch in batches:
        if not len(batch):
            continue
        first_ns = int(batch.time_ns[0]) if first_ns is None else first_ns
        if rate is not None:
            due = (pacer.done + np.arange(len(batch))) / rate
        elif speed is not None:
            due = np.maximum.accumulate(batch.time_ns - first_ns) / (speed * 1e9)
        else:
            due, burst = np.zeros(len(batch)), len(batch)
        if not pacer.send(batch, due, burst):
            break
    pacer.finish()
    counts = sender.counts
    return ReplayResult(
        counts.datagrams - before[0], counts.bytes - before[1], counts.failed - before[2], pacer.elapsed_seconds
    )


class _Pacer:
    """Sends datagrams when they are due."""

    def __init__(self, sender: Sender, on_progress: Progress, stop: threading.Event) -> None:
        self.done = 0
        self.elapsed_seconds = 0.0
        self._sender = sender
        self._on_progress = on_progress
        self._stop = stop
        self._began: float | None = None
        self._next_progress = 0.0
        self._reported = 0

    def send(self, batch: DatagramBatch, due: NDArray[np.float64], burst: int) -> bool:
        """Send a batch; False if asked to stop.

        Parameters
        ----------
        batch : DatagramBatch
        due : ndarray of float64, shape (n,)
            Seconds after the replay's beginning, ascending.
        burst : int
            Most datagrams at once.
        """
        sent = 0
        while sent < len(batch):
            if self._stop.is_set():
                return False
            now = self._now(float(due[sent]))
            ready = int(np.searchsorted(due, now, side="right"))
            until = min(ready, sent + burst)
            if until > sent:
                self._sender.send(batch, sent, until)
                self.done += until - sent
                sent = until
                self._report()
            if sent < len(batch):
                self._sleep_until(float(due[min(sent + burst, len(batch)) - 1]), float(due[sent]))
        return True

    def _now(self, next_due: float) -> float:
        """Seconds since the beginning; what is hopelessly late is put off rather than sent in a burst."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        if now - self._began - next_due > _FORGIVEN_SECONDS and next_due > 0:
            self._began = now - next_due
        self.elapsed_seconds = now - self._began
        return self.elapsed_seconds

    def _sleep_until(self, burst_due: float, next_due: float) -> None:
        """Sleep until the next datagram is due, or for a tick so that a few are sent together."""
        assert self._began is not None
        elapsed = time.monotonic() - self._began
        if elapsed >= burst_due:
            # Behind: a burst is due already.
            return
        wait = min(max(next_due - elapsed, _TICK_SECONDS), _LONGEST_SLEEP_SECONDS)
        time.sleep(wait)

    def finish(self) -> None:
        """Tell the final number."""
        if self._reported != self.done:
            self._on_progress(self.done)

    def _report(self) -> None:
        if self.elapsed_seconds >= self._next_progress:
            self._on_progress(self.done)
            self._reported = self.done
            self._next_progress = self.elapsed_seconds + _PROGRESS_SECONDS
