"""Publishes what the rooms count as Prometheus metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from millrace.batch import address_text
from millrace.pipeline import Pipeline
from millrace.receive import SocketStats, UdpReceiver
from millrace.store import EmbeddedStore, Maintenance
from millrace.telemetry import BoundedLabel, Metrics
from millrace.threads import Ticker, Trouble, kept

_SOCKET_COUNTERS = {
    "datagrams": ("datagrams", "Datagrams read from the kernel."),
    "bytes": ("bytes", "Bytes read from the kernel."),
    "failed": ("failed_datagrams", "Datagrams lost to an error while reading them."),
    "truncated": ("truncated_datagrams", "Datagrams longer than receive.datagram_bytes."),
    "refused": ("refused_datagrams", "Datagrams from outside receive.allow."),
    "emit_refused": ("dropped_datagrams", "Datagrams dropped because the decoder's queue was full."),
    "kernel_drops": ("kernel_dropped_datagrams", "Datagrams the kernel dropped: its buffer was full."),
}  # fmt: skip
_SOCKET_GAUGES = {
    "queue_bytes": ("queue_bytes", "Kernel memory of datagrams that wait to be read."),
    "buffer_bytes": ("buffer_bytes", "Receive buffer that the kernel granted."),
}

Rows = Iterable[tuple[tuple[str, ...], float]]


def publish_receiver(metrics: Metrics, receiver: UdpReceiver) -> None:
    """Metrics per socket."""
    labels = ("address", "port", "socket")
    # One reading serves all metrics of a scrape: it parses a file of the kernel.
    ask = kept(receiver.stats, age_s=0.2)
    for field, (what, text) in _SOCKET_COUNTERS.items():
        metrics.callback("counter", "receive", what, text, lambda f=field: _sockets(ask(), f), labels)  # type: ignore[misc]
    for field, (what, text) in _SOCKET_GAUGES.items():
        metrics.callback("gauge", "receive", what, text, lambda f=field: _sockets(ask(), f), labels)  # type: ignore[misc]


def _sockets(sockets: Iterable[SocketStats], field: str) -> Rows:
    for stats in sockets:
        value = getattr(stats, field)
        if value is not None:
            yield _socket_labels(stats), float(value)


def _socket_labels(stats: SocketStats) -> tuple[str, ...]:
    return stats.address, str(stats.port), str(stats.index)


def publish_pipeline(metrics: Metrics, pipeline: Pipeline, max_exporters: int) -> None:
    """Metrics of decoding, queues and the writer."""
    label: BoundedLabel[bytes] = BoundedLabel(max_exporters, address_text, pipeline.reserved)
    writer = pipeline.writer

    metrics.callback(
        "counter", "decode", "events", "Things decoded, per exporter: datagrams, sets, records, flows, lost …",
        lambda: _summed(((label(e), *rest), n) for (e, *rest), n in list(pipeline.counts.events.items())),
        ("exporter", "protocol", "event"),
    )  # fmt: skip
    metrics.callback(
        "counter", "decode", "dropped", "What did not become flows, by reason.",
        lambda: _summed(((label(e), *rest), n) for (e, *rest), n in list(pipeline.counts.drops.items())),
        ("exporter", "protocol", "unit", "reason"),
    )  # fmt: skip
    metrics.callback(
        "counter", "enrich", "implausible_flows", "Flows whose figures cannot be right, by reason; they are stored.",
        lambda: _summed(
            ((label(exporter), rule), amount)
            for exporter, marked in list(pipeline.counts.implausible.items())
            for rule, amount in list(marked.flows.items())
        ),
        ("exporter", "reason"),
    )  # fmt: skip
    for what, text, lost in (
        ("dropped_flows", "Decoded flows that were given up, by reason.", writer.dropped),
        ("dropped_counters", "Interface counters that were given up, by reason.", pipeline.counters.dropped),
    ):
        metrics.callback("counter", "pipeline", what, text, lambda lost=lost: _by_reason(lost), ("reason",))  # type: ignore[misc]
    for kind, what, text, read in (
        ("counter", "stored_flows", "Flows that the store accepted.", lambda: writer.stored),
        ("counter", "store_refusals", "Attempts to store that failed.", lambda: writer.refusals),
        ("counter", "refused_datagrams", "Datagrams refused by the full queue.", lambda: pipeline.refused_datagrams),
        ("counter", "failed_datagrams", "Datagrams lost to a defect in decoding.", lambda: pipeline.failed_datagrams),
        (
            "counter",
            "unenriched_flows",
            "Flows stored without names, as looking up failed.",
            lambda: pipeline.unenriched,
        ),
        ("gauge", "queue_bytes", "Datagrams that wait to be decoded.", lambda: pipeline.waiting_bytes),
        (
            "gauge",
            "slowest_batch_seconds",
            "Longest that decoding a batch took in the last minute or two.",
            lambda: pipeline.decoding.slowest.seconds,
        ),
        ("gauge", "waiting_bytes", "Decoded flows that wait to be stored.", lambda: writer.waiting_bytes),
        ("gauge", "waiting_flows", "Decoded flows that wait to be stored.", lambda: writer.waiting_rows),
        ("gauge", "last_insert_seconds", "Time the last insert took.", lambda: writer.last_insert_s),
    ):
        metrics.callback(kind, "pipeline", what, text, lambda r=read: [((), float(r()))])  # type: ignore[arg-type, misc]


class Supervised(Protocol):
    """A thread that is looked after."""

    trouble: Trouble

    @property
    def restarts(self) -> int:
        """How often it was begun anew."""
        ...


def publish_threads(metrics: Metrics, others: Mapping[str, Supervised], jobs: Mapping[str, Ticker]) -> None:
    """Metrics of the jobs that are done every so often, and of other threads."""
    threads: dict[str, Supervised] = {**others, **jobs}
    for what, text, read in (
        ("failures", "Errors of a thread, each of which cost one piece of its work.", lambda t: t.trouble.failures),
        ("restarts", "How often a thread died and was begun anew.", lambda t: t.restarts),
    ):
        metrics.callback(
            "counter", "threads", what, text,
            lambda r=read: [((name,), float(r(thread))) for name, thread in threads.items()], ("thread",),  # type: ignore[misc]
        )  # fmt: skip
    metrics.callback(
        "counter", "threads", "runs", "How often a job was done.",
        lambda: [((name,), float(job.runs)) for name, job in jobs.items()], ("thread",),
    )  # fmt: skip
    metrics.callback(
        "gauge", "threads", "last_run_seconds", "How long a job took last.",
        lambda: [((name,), job.last_seconds) for name, job in jobs.items()], ("thread",),
    )  # fmt: skip


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
        self._seconds = metrics.counter("store", "maintenance_seconds", "Time spent on rollups and retention.")
        self._errors = metrics.counter("store", "maintenance_errors", "Rounds of maintenance that failed.")

    def add(self, done: Maintenance) -> None:
        """Count a round."""
        for resolution, rows in done.rolled_up_rows.items():
            self._taken.labels(resolution).inc(rows)
        for resolution, rows in done.written_rows.items():
            self._written.labels(resolution).inc(rows)
        self._seconds.inc(done.seconds)
        self._errors.inc(len(done.errors))


def _by_reason(lost: Mapping[str, int]) -> Rows:
    return [((reason,), float(amount)) for reason, amount in list(lost.items())]


def _summed(rows: Iterable[tuple[tuple[str, ...], int]]) -> Rows:
    """Add up series that share their labels (exporters beyond the bound share ``other``)."""
    totals: Counter[tuple[str, ...]] = Counter()
    for labels, amount in rows:
        totals[labels] += amount
    return [(labels, float(amount)) for labels, amount in totals.items()]
