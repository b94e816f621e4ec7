"""Live subscribers: each sees flows as they pass, and never slows them down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from millrace.batch import FlowBatch
from millrace.pipeline.branch import Branch
from millrace.pipeline.queues import ByteQueue

MAX_SUBSCRIBERS = 64
_QUEUE_BYTES = 8 * 2**20


class Subscription:
    """Batches of flows for one subscriber; what it does not take in time is counted as missed."""

    def __init__(self) -> None:
        self._queue: ByteQueue[FlowBatch] = ByteQueue(_QUEUE_BYTES)
        self.missed = 0
        """Flows that this subscriber was too slow for."""

    def offer(self, flows: FlowBatch, size: int | None = None) -> None:
        """Hand over a batch without waiting. `size`: its bytes, if known."""
        if not self._queue.offer(flows, size):
            self.missed += len(flows)

    def take(self, timeout_s: float) -> FlowBatch | None:
        """The next batch, or None if none comes in time."""
        return self._queue.take(timeout_s)


class LiveHub(Branch):
    """Hands each batch to every subscriber; see `Branch`."""

    def __init__(self) -> None:
        super().__init__("live", "showing live flows")
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []

    def give(self, flows: FlowBatch, size: int) -> None:
        """Offer a batch to every subscriber (cheap when there is none)."""
        for subscription in self._subscriptions:
            subscription.offer(flows, size)

    @contextmanager
    def subscribe(self) -> Iterator[Subscription | None]:
        """Subscribe for the length of a ``with`` block; None when there are too many subscribers."""
        subscription = Subscription()
        with self._lock:
            full = len(self._subscriptions) >= MAX_SUBSCRIBERS
            if not full:
                self._subscriptions = [*self._subscriptions, subscription]
        try:
            yield None if full else subscription
        finally:
            with self._lock:
                self._subscriptions = [s for s in self._subscriptions if s is not subscription]
