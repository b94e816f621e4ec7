"""What the store says of itself: metrics, and what somebody should look at."""

from __future__ import annotations

from millrace.store.embedded import EmbeddedStore
from millrace.store.store import Maintenance, Store
from millrace.telemetry import Condition, Metrics


def publish_store(metrics: Metrics, store: EmbeddedStore) -> None:
    """Metric of what the store deleted."""
    metrics.callback(
        "counter", "store", "deleted_rows", "Rows deleted, by act (retention, drop-oldest, set-aside …) and table.",
        lambda: [(labels, float(rows)) for labels, rows in store.deleted_rows().items()], ("act", "table"),
    )  # fmt: skip


class StoreMetrics:
    """Metrics of the store's maintenance."""

    def __init__(self, metrics: Metrics) -> None:
        labels = ("resolution",)
        self._taken = metrics.counter("store", "rolled_up_rows", "Rows that rollups were made of.", labels)
        self._written = metrics.counter("store", "rollup_rows", "Rows that rollups wrote.", labels)
        self._closed = metrics.counter("store", "closed_rows", "Flows of hours that are over, sorted and packed.")
        self._seconds = metrics.counter("store", "maintenance_seconds", "Time spent on rollups and retention.")
        self._errors = metrics.counter("store", "maintenance_errors", "Rounds of maintenance that failed.")

    def add(self, done: Maintenance) -> None:
        """Count a round."""
        for resolution, rows in done.rolled_up_rows.items():
            self._taken.labels(resolution).inc(rows)
        for resolution, rows in done.written_rows.items():
            self._written.labels(resolution).inc(rows)
        self._closed.inc(done.closed_rows)
        self._seconds.inc(done.seconds)
        self._errors.inc(len(done.errors))


def store_condition(store: Store) -> Condition:
    """What of the store somebody should look at."""
    warnings = store.warnings()
    return Condition("degraded", warnings) if warnings else Condition()
