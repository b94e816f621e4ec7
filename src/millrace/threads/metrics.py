"""What threads and jobs count, as metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from millrace.telemetry import Metrics
from millrace.threads.ticker import Ticker
from millrace.threads.trouble import Trouble


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
