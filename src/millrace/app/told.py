"""What the parts say of themselves, put together for the HTTP interface."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any

from millrace.pipeline import NullSink, Pipeline, SinkBranch
from millrace.receive import UdpReceiver

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
        "sinks": {branch.sink_name: sink_told(branch) for branch in pipeline.sinks},
        "last_error": writer.last_error,
    }


def sink_told(branch: SinkBranch) -> dict[str, Any]:
    """What became of the flows that came for a sink, as JSON can say it."""
    return {
        "taken_flows": branch.taken,
        "filtered_flows": branch.filtered,
        "written_flows": branch.written,
        "dropped_flows": dict(branch.dropped),
        "unfinished_flows": branch.unfinished,
        "waiting_flows": branch.waiting_rows,
        "last_error": branch.trouble.error,
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
