"""Synthetic exporters that send: a model's traffic live, or pooled datagrams as load."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from millrace.batch import DatagramBatch
from millrace.generate.config import GenerateSettings
from millrace.generate.curve import intensity
from millrace.generate.datagrams import Datagrams
from millrace.generate.model import Model, default_model
from millrace.generate.stream import ExporterStream
from millrace.generate.traffic import Traffic, of_exporter
from millrace.receive import Sender

_TICK_S = 0.1
_TICK_FLOWS = 4000
"""Flows of a tick at most, by making ticks shorter: what is sent at once must fit a socket buffer."""

_MIN_TICK_S = 0.01


class DatagramSender(Protocol):
    """What the generator needs of a sender (see `millrace.receive.Sender`)."""

    def open(self) -> None:
        """Connect."""

    def close(self) -> None:
        """Disconnect."""

    def send(self, datagrams: DatagramBatch) -> int:
        """Send all; return how many the kernel took."""


SenderFactory = Callable[[str, int, str | None], DatagramSender]
"""``(host, port, source address or None) -> sender``."""


def udp_sender(host: str, port: int, source: str | None) -> Sender:
    """The real sender: UDP, from `source` if given."""
    return Sender(host, port, source=None if source is None else (source, 0))


@dataclass(frozen=True, slots=True)
class Progress:
    """What has been sent so far.

    Attributes
    ----------
    flows, datagrams : int
        Encoded and handed over.
    failed : int
        Datagrams that the kernel did not take.
    seconds : float
        Since the beginning.
    """

    flows: int
    datagrams: int
    failed: int
    seconds: float


class Generator:
    """Sends what a model's exporters report, as time goes by.

    Parameters
    ----------
    settings : GenerateSettings
    model : Model, optional
    sender : callable
        Makes a sender for each exporter.
    clock_ns : callable
        Unix nanoseconds.
    """

    def __init__(
        self,
        settings: GenerateSettings,
        model: Model | None = None,
        *,
        sender: SenderFactory = udp_sender,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        chosen = model or default_model()
        self._settings = settings
        self.model = chosen if settings.protocol == "mix" else chosen.with_protocol(settings.protocol)
        self._sender = sender
        self._clock_ns = clock_ns

    def run(
        self,
        *,
        duration_s: float | None = None,
        count: int | None = None,
        stop: threading.Event | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Progress:
        """Send until a duration has passed, `count` flows are sent or `stop` is set; else for ever.

        Raises
        ------
        SourceError
            If the host is unknown or an address cannot be used.
        """
        stop = stop or threading.Event()
        began_ns = self._clock_ns()
        sent = Progress(0, 0, 0, 0.0)
        with ExitStack() as stack:
            outlets = [self._open(stack, index, began_ns) for index in range(len(self.model.exporters))]
            streams = [stream for stream, _ in outlets]
            for parts, flows, seconds in self._ticks(streams, began_ns, duration_s, count, stop):
                taken = sum(_send(part, sender) for part, (_, sender) in zip(parts, outlets, strict=True))
                failed = sum(len(part) for part in parts) - taken
                sent = Progress(sent.flows + flows, sent.datagrams + taken, sent.failed + failed, seconds)
                if on_progress is not None:
                    on_progress(sent)
        return sent

    def _open(self, stack: ExitStack, index: int, began_ns: int) -> tuple[ExporterStream, DatagramSender]:
        """Stream and open sender of an exporter; on loopback it sends from its own address."""
        exporter, settings = self.model.exporters[index], self._settings
        own = has_own_addresses(settings.host)
        sender = self._sender(settings.host, settings.port_of(exporter.protocol), exporter.address if own else None)
        sender.open()
        stack.callback(sender.close)
        # From one address, observation domains tell the exporters apart.
        domain = None if own else index + 1
        return ExporterStream(exporter, local_as=self.model.local_as, start_ns=began_ns, domain=domain), sender

    def _ticks(
        self,
        streams: list[ExporterStream],
        began_ns: int,
        duration_s: float | None,
        count: int | None,
        stop: threading.Event,
    ) -> Iterator[tuple[list[Datagrams], int, float]]:
        """Datagrams per exporter, number of flows and seconds of one tick after the other."""
        traffic = Traffic(self.model)
        rng = np.random.default_rng([self._settings.seed, began_ns // 1_000_000_000])
        tick_s = max(_MIN_TICK_S, min(_TICK_S, _TICK_FLOWS / self._settings.rate))
        last_ms, flows, owed = began_ns // 1_000_000, 0, 0.0
        while not stop.wait(tick_s):
            now_ns = self._clock_ns()
            if duration_s is not None:
                now_ns = min(now_ns, began_ns + int(duration_s * 1e9))
            seconds = (now_ns - began_ns) / 1e9
            now_ms = max(now_ns // 1_000_000, last_ms + 1)
            owed += self._expected(last_ms, now_ms)
            rows = int(owed) if count is None else min(int(owed), count - flows)
            owed -= rows
            drawn = traffic.draw(rng, last_ms, now_ms, rows, first=flows)
            yield [s.encode(of_exporter(drawn, i), now_ns) for i, s in enumerate(streams)], rows, seconds
            last_ms, flows = now_ms, flows + rows
            if (count is not None and flows >= count) or (duration_s is not None and seconds >= duration_s):
                return

    def _expected(self, start_ms: int, stop_ms: int) -> float:
        """Flows to send for a stretch of time; what is hopelessly late is left out, not sent in a burst."""
        seconds = min((stop_ms - start_ms) / 1000, 1.0)
        relative = 1.0
        if self._settings.curve:
            relative = float(intensity(self.model, np.array([stop_ms], np.int64)).total[0])
        return self._settings.rate * seconds * relative


def _send(datagrams: Datagrams, sender: DatagramSender) -> int:
    return sender.send(datagrams.batch("127.0.0.1")) if len(datagrams) else 0


def has_own_addresses(host: str) -> bool:
    """Whether exporters can have addresses of their own towards a collector: on IPv4 loopback, where Linux has 2²⁴."""
    try:
        address = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0]
    except OSError:
        return False
    return sys.platform == "linux" and str(address).startswith("127.")
