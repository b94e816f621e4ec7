"""What exporters tell that cannot be right: how often, and when last."""

from __future__ import annotations

from dataclasses import dataclass

from millrace.decode.result import Counts, Event


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
    """

    event: Event
    count: int
    last_ns: int


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
            known[event] = Oddity(event, before + amount, now_ns)

    def of(self, exporter: bytes) -> tuple[Oddity, ...]:
        """Oddities of an exporter (sixteen bytes)."""
        return tuple(self._by_exporter.get(exporter, {}).values())
