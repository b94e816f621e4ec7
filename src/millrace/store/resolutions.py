"""The tables that hold flows: raw, and one per rollup resolution."""

from __future__ import annotations

from dataclasses import dataclass

RAW_TABLE = "flows"
"""Every flow as it was received: a view of the tables that hold them (see `millrace.store.boundary`)."""

OPEN_TABLE = "flows_open"
"""Flows of the hours that are not closed yet, as they came."""

CLOSED_TABLE = "flows_closed"
"""Flows of the hours before, sorted and packed."""

BEFORE_TABLE = "flows_before"
"""Flows that an earlier version stored, until they are sorted and packed."""

FLOW_TABLES = (OPEN_TABLE, CLOSED_TABLE, BEFORE_TABLE)

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
    Resolution("1m", "flows_1m0s", 60, OPEN_TABLE, "toStartOfMinute", "toDate(TimeReceived)"),
    Resolution("5m", "flows_5m0s", 300, "flows_1m0s", "toStartOfFiveMinutes", "toMonday(TimeReceived)"),
    Resolution("1h", "flows_1h0m0s", 3600, "flows_5m0s", "toStartOfHour", "toYYYYMM(TimeReceived)"),
)
"""Rollups from fine to coarse."""


def shown_as(table: str) -> str:
    """Name by which people know what a table holds."""
    return RAW_TABLE if table in FLOW_TABLES else table


def held_in(name: str) -> tuple[str, ...]:
    """Tables that may hold what people know by a name: of ``flows``, also that of version 1."""
    return (RAW_TABLE, *FLOW_TABLES) if name == RAW_TABLE else (name,)
