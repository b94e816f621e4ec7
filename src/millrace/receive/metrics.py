"""What sockets count, as metrics."""

from __future__ import annotations

from collections.abc import Iterable

from millrace.receive.udp import SocketStats, UdpReceiver
from millrace.telemetry import Metrics, Samples
from millrace.threads import kept

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


def publish_receiver(metrics: Metrics, receiver: UdpReceiver) -> None:
    """Metrics per socket."""
    labels = ("address", "port", "socket")
    # One reading serves all metrics of a scrape: it parses a file of the kernel.
    ask = kept(receiver.stats, age_s=0.2)
    for field, (what, text) in _SOCKET_COUNTERS.items():
        metrics.callback("counter", "receive", what, text, lambda f=field: _sockets(ask(), f), labels)  # type: ignore[misc]
    for field, (what, text) in _SOCKET_GAUGES.items():
        metrics.callback("gauge", "receive", what, text, lambda f=field: _sockets(ask(), f), labels)  # type: ignore[misc]


def _sockets(sockets: Iterable[SocketStats], field: str) -> Samples:
    for stats in sockets:
        value = getattr(stats, field)
        if value is not None:
            yield _socket_labels(stats), float(value)


def _socket_labels(stats: SocketStats) -> tuple[str, ...]:
    return stats.address, str(stats.port), str(stats.index)
