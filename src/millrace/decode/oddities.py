"""What exporters tell that cannot be right: how often, and when last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from millrace.decode.result import Counts, Event

_TRIED = 256
"""Exporters known for longer that are passed over; they come again after all others."""


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
    lasting : callable
        Whether an exporter (sixteen bytes) is known for longer: others make room before it does, so that nobody
        hides what he made of an exporter behind a flood of forged ones.
    """

    def __init__(self, most: int, lasting: Callable[[bytes], bool] = lambda _: False) -> None:
        self._most = most
        self._lasting = lasting
        self._by_exporter: dict[bytes, dict[Event, Oddity]] = {}

    def note(self, counts: Counts, now_ns: int) -> None:
        """Take over what was counted of a batch that was received until `now_ns`."""
        for (exporter, event), amount in counts.odd.items():
            if exporter not in self._by_exporter and len(self._by_exporter) >= self._most:
                self._make_room()
            known = self._by_exporter.setdefault(exporter, {})
            before = known[event].count if event in known else 0
            known[event] = Oddity(event, before + amount, now_ns, counts.examples.get((exporter, event), ""))

    def _make_room(self) -> None:
        for _ in range(_TRIED):
            first = next(iter(self._by_exporter))
            oddities = self._by_exporter.pop(first)
            if not self._lasting(first):
                return
            self._by_exporter[first] = oddities
        del self._by_exporter[next(iter(self._by_exporter))]

    def of(self, exporter: bytes) -> tuple[Oddity, ...]:
        """Oddities of an exporter (sixteen bytes)."""
        return tuple(self._by_exporter.get(exporter, {}).values())
