"""What exporters tell that cannot be right: how often, and when last."""

from __future__ import annotations

from dataclasses import dataclass

from millrace.decode.result import Counts, Event

JUMP = 10
"""A sampling rate that changes by more than so many times makes traffic look as much larger or smaller."""


def jumps(before: int, now: int) -> bool:
    """Whether a sampling rate changes remarkably; one that was not known (0 or less) does not."""
    return before > 0 and now > 0 and max(before, now) > JUMP * min(before, now)


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that an exporter does and should not.

    Attributes
    ----------
    event : str
        One of `ODD_EVENTS`.
    count : int
        How often since the start.
    last_ns : int
        When it was last received, Unix nanoseconds.
    example : str
        What the last one was; empty where the event says it all.
    """

    event: Event
    count: int
    last_ns: int
    example: str = ""


class Oddities:
    """Oddities by exporter.

    Parameters
    ----------
    most : int
        Exporters remembered; the one first noted makes room.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_exporter: dict[bytes, dict[Event, Oddity]] = {}

    def note(self, counts: Counts, now_ns: int) -> None:
        """Take over what was counted of a batch that was received until `now_ns`."""
        for (exporter, event), amount in counts.odd.items():
            if exporter not in self._by_exporter and len(self._by_exporter) >= self._most:
                del self._by_exporter[next(iter(self._by_exporter))]
            known = self._by_exporter.setdefault(exporter, {})
            before = known[event].count if event in known else 0
            known[event] = Oddity(event, before + amount, now_ns, counts.examples.get((exporter, event), ""))

    def of(self, exporter: bytes) -> tuple[Oddity, ...]:
        """Oddities of an exporter (sixteen bytes)."""
        return tuple(self._by_exporter.get(exporter, {}).values())
