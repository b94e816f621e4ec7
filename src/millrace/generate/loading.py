"""Load: pooled datagrams of a few exporters, sent at a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from millrace.generate.generator import DatagramSender, Progress, SenderFactory, has_own_addresses, udp_sender
from millrace.generate.load import LoadPool

_BURST = 32
"""Datagrams sent at once: about 45 kB, a small part of a socket buffer."""

_TICK_S = 0.0005
_REFRESH_NS = 20 * 1_000_000_000
_PROGRESS_S = 0.5


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What load to send.

    Parameters
    ----------
    host : str
    port : int
    protocol : str
    rate : float
        Flows per second.
    flows : int
        How many in all; whole datagrams are sent, so a few more.
    exporters : int
        Sources; on loopback each has an address of its own.
    """

    host: str
    port: int
    protocol: str
    rate: float
    flows: int
    exporters: int = 4


class LoadGenerator:
    """Sends pooled datagrams.

    Parameters
    ----------
    plan : LoadPlan
    sender : callable
        Makes a sender for each exporter.
    """

    def __init__(self, plan: LoadPlan, *, sender: SenderFactory = udp_sender) -> None:
        self._plan = plan
        self._sender = sender
        self.pools = [
            LoadPool(plan.protocol, datagrams=512, domain=index + 1, agent=_address(index), seed=index)
            for index in range(plan.exporters)
        ]

    def run(
        self, *, stop: threading.Event | None = None, on_progress: Callable[[Progress], None] | None = None
    ) -> Progress:
        """Send the plan's flows, evenly spread; what is late is sent as soon as possible.

        Raises
        ------
        SourceError
            If the host is unknown or an address cannot be used.
        """
        stop = stop or threading.Event()
        with ExitStack() as stack:
            senders = [self._open(stack, index) for index in range(len(self.pools))]
            return self._pump(senders, stop, on_progress or (lambda _: None))

    def _open(self, stack: ExitStack, index: int) -> DatagramSender:
        source = _address(index) if has_own_addresses(self._plan.host) else None
        sender = self._sender(self._plan.host, self._plan.port, source)
        sender.open()
        stack.callback(sender.close)
        return sender

    def _pump(
        self, senders: list[DatagramSender], stop: threading.Event, on_progress: Callable[[Progress], None]
    ) -> Progress:
        per_datagram = self.pools[0].per_datagram
        total = -(-self._plan.flows // per_datagram)
        datagrams_per_s = self._plan.rate / per_datagram
        sent = taken = turn = announced = 0
        next_progress, announce_ns = _PROGRESS_S, 0
        began = time.perf_counter()
        while sent < total and not stop.is_set():
            now_ns = time.time_ns()
            if now_ns >= announce_ns:
                announced += self._announce(senders, now_ns)
                announce_ns = now_ns + _REFRESH_NS
            elapsed = time.perf_counter() - began
            due = min(total, int(elapsed * datagrams_per_s) + 1) - sent
            if due <= 0:
                time.sleep(_TICK_S)
                continue
            part = self.pools[turn].take(min(due, _BURST), now_ns)
            taken += senders[turn].send(part.batch("127.0.0.1"))
            sent += len(part)
            turn = (turn + 1) % len(senders)
            if elapsed >= next_progress:
                next_progress = elapsed + _PROGRESS_S
                on_progress(Progress(sent * per_datagram, taken + announced, sent - taken, elapsed))
        return Progress(sent * per_datagram, taken + announced, sent - taken, time.perf_counter() - began)

    def _announce(self, senders: list[DatagramSender], now_ns: int) -> int:
        count = 0
        for pool, sender in zip(self.pools, senders, strict=True):
            announced = pool.preamble(now_ns)
            if announced is not None:
                count += sender.send(announced.batch("127.0.0.1"))
        return count


def _address(index: int) -> str:
    return f"127.0.2.{index + 1}"
