"""What the parts say of themselves, put together for health checks and the HTTP interface."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any, TypeVar

from millrace.pipeline import NullSink, Pipeline
from millrace.receive import UdpReceiver
from millrace.store import Store
from millrace.telemetry import Condition, Health

_STATUS_AGE_S = 2.0
"""Status of the store is asked for by every question and every page; it reads tables, so it is kept a moment."""

Answer = TypeVar("Answer")


def kept(ask: Callable[[], Answer], age_s: float = _STATUS_AGE_S) -> Callable[[], Answer]:
    """Ask at most once per `age_s` seconds."""
    last: list[tuple[float, Answer]] = []

    def answer() -> Answer:
        now = time.monotonic()
        if not last or now - last[0][0] > age_s:
            last[:] = [(now, ask())]
        return last[0][1]

    return answer


def store_facts(store: Store) -> Callable[[], dict[str, Any]]:
    """Status of the store, as JSON can say it."""
    return kept(lambda: asdict(store.status()))


def pipeline_totals(pipeline: Pipeline, receiver: UdpReceiver) -> dict[str, Any]:
    """Totals since the start, over all exporters, as JSON can say it."""
    events: Counter[str] = Counter()
    for (_, _, event), amount in list(pipeline.counts.events.items()):
        events[event] += amount
    drops: Counter[str] = Counter()
    for (_, _, unit, reason), amount in list(pipeline.counts.drops.items()):
        drops[f"{unit}: {reason}"] += amount
    writer = pipeline.writer
    return {
        "decoded": dict(events),
        "not_decoded": dict(drops),
        "listeners": listeners(receiver),
        "storing": storing(pipeline),
        "sockets": [asdict(stats) for stats in receiver.stats()],
        "refused_datagrams": pipeline.refused_datagrams,
        "failed_datagrams": pipeline.decode_errors,
        "waiting_bytes": pipeline.waiting_bytes,
        "stored_flows": writer.stored,
        "waiting_flows": writer.waiting_rows,
        "dropped_flows": dict(writer.dropped),
        "last_error": writer.last_error,
    }


def listeners(receiver: UdpReceiver) -> list[dict[str, Any]]:
    """Where exporters may send, once per address and port in the order of the configuration, as JSON can say it.

    ``reach`` is who can send there: ``all``, ``machine`` (loopback) or ``address`` (whoever reaches that one).
    """
    places = dict.fromkeys(receiver.addresses)
    return [{"protocol": "udp", "address": address, "port": port, "reach": _reach(address)} for address, port in places]


def _reach(address: str) -> str:
    known = ip_address(address.partition("%")[0])
    if known.is_unspecified:
        return "all"
    return "machine" if known.is_loopback else "address"


def storing(pipeline: Pipeline) -> str:
    """Whether what passes is kept: ``yes``, ``refused`` (the store takes nothing now), ``no`` (the null sink)."""
    if isinstance(pipeline.sink, NullSink):
        return "no"
    return "refused" if pipeline.writer.last_error else "yes"


def health_checks(health: Health, pipeline: Pipeline, receiver: UdpReceiver) -> None:
    """Register what makes the collector degraded or failed."""
    health.register("receive", lambda: _receiver_condition(receiver))
    health.register("pipeline", lambda: _pipeline_condition(pipeline))


def _receiver_condition(receiver: UdpReceiver) -> Condition:
    errors = tuple(f"UDP {stats.address} port {stats.port}: {stats.error}" for stats in receiver.stats() if stats.error)
    return Condition("failed", errors) if errors else Condition()


def _pipeline_condition(pipeline: Pipeline) -> Condition:
    writer = pipeline.writer
    if not pipeline.alive:
        return Condition("failed", ("a thread of the pipeline has ended; restart and look at the log",))
    if writer.last_error:
        return Condition("failed", (f"flows wait, the store refuses them: {writer.last_error}",))
    reasons = []
    if pipeline.refused_datagrams:
        reasons.append(f"{pipeline.refused_datagrams} datagrams were dropped because decoding did not keep up")
    if sum(writer.dropped.values()):
        reasons.append(f"{sum(writer.dropped.values())} flows were given up: {dict(writer.dropped)}")
    return Condition("degraded", tuple(reasons)) if reasons else Condition()
