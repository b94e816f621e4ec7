"""The tables that hold flows: raw, and one per rollup resolution."""

from __future__ import annotations

from dataclasses import dataclass

RAW_TABLE = "flows"
"""Every flow as it was received."""

COUNTER_TABLE = "interface_counters"
"""Interface counters of sFlow counter samples."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """One rollup.

    Parameters
    ----------
    name : str
        Short name, used as a label (``1m``).
    table : str
        Table that holds it. Akvorado's names, so that its queries run here.
    seconds : int
        Length of an interval.
    source : str
        Table it is computed from: the next finer one.
    start_of : str
        ClickHouse function that rounds a time down to an interval.
    partition : str
        Partition expression over ``TimeReceived``. A partition is dropped
        whole when it expires, so it is a small part of the usual retention.
    """

    name: str
    table: str
    seconds: int
    source: str
    start_of: str
    partition: str

    def floor_ms(self, time_ms: int) -> int:
        """Start of the interval that a time lies in, Unix milliseconds."""
        return time_ms - time_ms % (self.seconds * 1000)


RESOLUTIONS: tuple[Resolution, ...] = (
    Resolution("1m", "flows_1m0s", 60, RAW_TABLE, "toStartOfMinute", "toDate(TimeReceived)"),
    Resolution("5m", "flows_5m0s", 300, "flows_1m0s", "toStartOfFiveMinutes", "toMonday(TimeReceived)"),
    Resolution("1h", "flows_1h0m0s", 3600, "flows_5m0s", "toStartOfHour", "toYYYYMM(TimeReceived)"),
)
"""Rollups from fine to coarse."""
