"""What a capture file held, besides the datagrams."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class CaptureReport:
    """Filled while a capture is read; complete once the reader is exhausted.

    Attributes
    ----------
    name : str
        File name, as messages show it.
    container : str
        ``pcap``, ``pcapng``, ``ipfix-stream``, ``payload``, ``payloads`` or ``hex``.
    packets : int
        Packets, messages or payloads found.
    datagrams : int
        UDP datagrams given.
    truncated : int
        Datagrams among them that the capture does not hold to their end.
    skipped : Counter of str
        Packets that gave no datagram, by reason: ``not-ip``, ``not-udp``, ``other-port``, ``link-type``,
        ``malformed`` (lengths that contradict one another), ``cut`` (captured too short for its headers),
        ``fragment-incomplete``, ``fragment-overflow``.
    fragments : int
        IP fragments that were joined into datagrams.
    damage : str
        Why reading ended before the container did; empty if all is well.
    """

    name: str = ""
    container: str = ""
    packets: int = 0
    datagrams: int = 0
    truncated: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    fragments: int = 0
    damage: str = ""

    def skip(self, reason: str, amount: int = 1) -> None:
        """Count packets that gave no datagram."""
        if amount:
            self.skipped[reason] += amount

    def take_payloads(self, amount: int) -> None:
        """Count payloads that are given as they are; they were no packets after all."""
        self.skipped.clear()
        self.packets = self.datagrams = amount
