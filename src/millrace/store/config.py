"""Settings of the store."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from millrace.config import Section

_MIB = 1024 * 1024


class StoreSettings(Section):
    """How long flows are kept and what the embedded engine may use."""

    retention_raw_days: int = Field(15, ge=1, le=3650)
    """Days for which every single flow is kept."""

    retention_1m_days: int = Field(7, ge=1, le=3650)
    """Days for which the rollup of 1 minute is kept."""

    retention_5m_days: int = Field(90, ge=1, le=3650)
    """Days for which the rollup of 5 minutes is kept."""

    retention_1h_days: int = Field(365, ge=1, le=3650)
    """Days for which the rollup of 1 hour is kept."""

    retention_counters_days: int = Field(90, ge=1, le=3650)
    """Days for which interface counters are kept."""

    allow_shorter_retention: bool = False
    """Start although a retention is shorter than the store was last run with, and delete what is older. Without it
    such a start is refused, since a forgotten configuration file looks the same."""

    allow_newer_store: bool = False
    """Open a store that a newer version of Millrace wrote. What this version does not know stays in it, unseen."""

    fsync: bool = False
    """Wait for the device on every insert. Without it a stored flow survives a killed process, not a power failure."""

    min_free_bytes: int = Field(256 * _MIB, ge=0)
    """The store is full when less than this is free on the device: merges and other programs need some room. With
    `when_full: drop-oldest` 16 MiB are kept at least."""

    max_bytes: int = Field(0, ge=0)
    """The store is full when its tables take more than this on the device; 0: no bound but the device. Merges need
    some room beyond it for a while."""

    when_full: Literal["refuse", "drop-oldest"] = "refuse"
    """What gives way when the store is full: `refuse` the newest flows, which wait and are given up (and counted) when
    there is no more room for them to wait; `drop-oldest` deletes the oldest flows, then the oldest of the rollups."""

    memory_bytes: int = Field(2048 * _MIB, ge=1024 * _MIB)
    """What the whole process is to take. Half of it is for the engine's statements, which are refused more; the rest is
    the program, what is on its way to the store, and what allocators keep: they give it back when it comes close."""

    query_memory_bytes: int = Field(512 * _MIB, ge=16 * _MIB)
    """Memory of one query, and at most 15/64 of `memory_bytes`; beyond half of it grouping and sorting use the disk.
    While one needs that much, others that need more than a little wait for it."""

    query_max_rows: int = Field(1_000_000, ge=1)
    """Rows that one query may return unless the caller says otherwise."""

    query_max_seconds: float = Field(30.0, gt=0)
    """Time that one query may take unless the caller says otherwise."""

    query_connections: int = Field(8, ge=1, le=64)
    """Queries that may run at the same time; more wait."""

    merge_threads: int = Field(1, ge=1, le=64)
    """Background merges at the same time."""

    close_after_seconds: float = Field(600.0, ge=0, le=86_400)
    """How long after its end an hour is closed: its flows are sorted and packed to less than half. Later flows are
    added to it when there are many of them, or another hour is closed."""

    rollup_grace_seconds: float = Field(5.0, ge=0, le=3600)
    """How long after its end an interval is closed. Later flows are added to it when they come."""

    rollup_max_groups: int = Field(1_000_000, ge=10_000)
    """Rows that one rollup statement aims to produce at most; bounds its memory (about 200 bytes each)."""

    rollup_threads: int = Field(1, ge=1, le=64)
    """Threads of a rollup statement."""

    @property
    def engine_bytes(self) -> int:
        """What all statements of the engine may take together."""
        return self.memory_bytes // 2
