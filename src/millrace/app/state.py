"""What the parts say of themselves, put together for health checks and the HTTP interface."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any

from millrace.pipeline import NullSink, Pipeline, Writer
from millrace.receive import UdpReceiver
from millrace.store import Store
from millrace.telemetry import Condition, Health, worst

STATUS_AGE_S = 2.0
"""How long a page may be shown what parts said of themselves: to ask them anew for each of many pages costs."""

STORE_STATUS_AGE_S = 1.0
"""Every question and every page asks for it, and it reads tables; rollups advance once a minute."""


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
        "waiting_bytes": pipeline.waiting_bytes,
        "stored_flows": writer.stored,
        "waiting_flows": writer.waiting_rows,
        "dropped_flows": dict(writer.dropped),
        "dropped_counters": dict(pipeline.counters.dropped),
        "unenriched_flows": pipeline.unenriched,
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
    health.register("receive", receiver.condition)
    health.register("decoder", lambda: _decoder_condition(pipeline))
    health.register("writer", lambda: _writer_condition(pipeline.writer, "flows"))
    health.register("counters", lambda: _writer_condition(pipeline.counters, "interface counters"))


def _decoder_condition(pipeline: Pipeline) -> Condition:
    decoding = pipeline.decoding
    conditions = [
        decoding.trouble.condition("failed", "datagrams are lost, decoding fails"),
        decoding.saving.condition("degraded", "a restart would forget what exporters announced since"),
        *(trouble.condition("degraded", f"flows are stored, but {trouble.what} fails") for trouble in pipeline.asides),
    ]
    if not pipeline.threads[0].alive:
        conditions.append(Condition("failed", ("the thread that decodes does not run",)))
    if pipeline.refused.lately():
        what = f"{pipeline.refused_datagrams} datagrams were dropped because decoding did not keep up"
        conditions.append(Condition("degraded", (what,)))
    if pipeline.crowded.lately():
        # No alarm: whoever can send a datagram could set it off at will.
        what = f"Bounds of what is remembered of exporters were reached lately ({pipeline.crowded} since the start)"
        why = "a flood of forged exporters, or a network that is larger than the bounds in decode"
        conditions.append(Condition(notes=(f"{what}: {why}.",)))
    return worst(conditions)


def store_condition(store: Store) -> Condition:
    """What of the store somebody should look at."""
    warnings = store.warnings()
    return Condition("degraded", warnings) if warnings else Condition()


def _writer_condition(writer: Writer, what: str) -> Condition:
    conditions = [writer.trouble.condition("failed", f"{what} wait, the store refuses them")]
    if not writer.alive:
        conditions.append(Condition("failed", (f"the thread that stores {what} does not run",)))
    if writer.dropped.lately():
        conditions.append(Condition("degraded", (f"{what} were given up: {writer.dropped}",)))
    return worst(conditions)
