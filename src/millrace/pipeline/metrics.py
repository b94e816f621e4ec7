"""What decoding, queues, the writers and branches count, as metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from millrace.batch import address_text
from millrace.pipeline.pipeline import Pipeline
from millrace.pipeline.sink_branch import SinkBranch
from millrace.telemetry import BoundedLabel, Metrics, Samples

_COUNTERS: tuple[tuple[str, str, Callable[[SinkBranch], int]], ...] = (
    ("taken_flows", "Flows that came for a sink: written, filtered out, dropped, or waiting.", lambda b: b.taken),
    ("filtered_flows", "Flows that the filter of a sink left out.", lambda b: b.filtered),
    ("written_flows", "Flows that a sink took.", lambda b: b.written),
    (
        "unfinished_flows",
        "Of the written ones, flows in files that could not be finished.",
        lambda b: b.unfinished,
    ),
    ("refusals", "Attempts to write to a sink that failed.", lambda b: b.refusals),
)
_GAUGES: tuple[tuple[str, str, Callable[[SinkBranch], int]], ...] = (
    ("waiting_flows", "Flows that wait for a sink.", lambda b: b.waiting_rows),
    ("waiting_bytes", "Bytes of flows that wait for a sink.", lambda b: b.waiting_bytes),
)


def publish_pipeline(metrics: Metrics, pipeline: Pipeline, max_exporters: int) -> None:
    """Metrics of decoding, queues, the writers, and branches to sinks."""
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
    _publish_sinks(metrics, pipeline.sinks)


def _publish_sinks(metrics: Metrics, branches: Sequence[SinkBranch]) -> None:
    """Metrics per sink."""
    for what, text, read in _COUNTERS:
        metrics.callback("counter", "sinks", what, text, lambda r=read: _each(branches, r), ("sink",))  # type: ignore[misc]
    metrics.callback(
        "counter", "sinks", "dropped_flows", "Flows that were lost to a sink, by reason.",
        lambda: [
            ((branch.sink_name, reason), float(amount))
            for branch in branches
            for reason, amount in list(branch.dropped.items())
        ],
        ("sink", "reason"),
    )  # fmt: skip
    for what, text, read in _GAUGES:
        metrics.callback("gauge", "sinks", what, text, lambda r=read: _each(branches, r), ("sink",))  # type: ignore[misc]


def _each(branches: Sequence[SinkBranch], read: Callable[[SinkBranch], int]) -> Iterable[tuple[tuple[str, ...], float]]:
    return [((branch.sink_name,), float(read(branch))) for branch in branches]


def _by_reason(lost: Mapping[str, int]) -> Samples:
    return [((reason,), float(amount)) for reason, amount in list(lost.items())]


def _summed(rows: Iterable[tuple[tuple[str, ...], int]]) -> Samples:
    """Add up series that share their labels (exporters beyond the bound share ``other``)."""
    totals: Counter[tuple[str, ...]] = Counter()
    for labels, amount in rows:
        totals[labels] += amount
    return [(labels, float(amount)) for labels, amount in totals.items()]
