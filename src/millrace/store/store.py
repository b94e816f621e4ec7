"""What a store is: the contract between the pipeline, the queries and whoever keeps the flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from millrace.batch import FlowBatch
from millrace.store.cancel import Cancel
from millrace.store.knowledge import Gaps

LATE_SECONDS = 300
"""Flows of a moment have mostly come when it is so long ago; later ones came late."""


@dataclass(slots=True)
class Maintenance:
    """What one round of `Store.maintain` did.

    Attributes
    ----------
    rolled_up_rows : dict
        Source rows taken, by resolution (``1m``).
    written_rows : dict
        Rollup rows written, by resolution.
    closed_rows : int
        Flows of hours that are over, sorted and packed.
    seconds : float
        Time it took.
    errors : list of str
        What failed; it is tried again in a later round.
    """

    rolled_up_rows: dict[str, int] = field(default_factory=dict)
    written_rows: dict[str, int] = field(default_factory=dict)
    closed_rows: int = 0
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TableStatus:
    """Size and extent of a table.

    Attributes
    ----------
    rows, bytes_on_disk, parts : int
    detached : int
        Parts that were unreadable and set aside.
    oldest_ms, newest_ms : int, optional
        Range of ``TimeReceived`` in Unix milliseconds (to the second); None if empty.
    keep_days : int, optional
        Age in days from which on rows are dropped; None: they are kept.
    """

    rows: int
    bytes_on_disk: int
    parts: int
    detached: int
    oldest_ms: int | None
    newest_ms: int | None
    keep_days: int | None = None


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """State of a store.

    Attributes
    ----------
    tables : dict
        By table name.
    free_bytes, total_bytes : int
        Of the device.
    last_error : str
        Last failure of an insert or of maintenance; empty when the last attempt succeeded.
    rolled_up_to_ms : dict
        By resolution: every interval that ends at or before this time is in
        the rollup (flows that come later still are added). None before the
        first round of maintenance.
    waiting_rows : int
        Flows that wait for the finest rollup now, or did when its last round began, if those were more.
    gaps : mapping
        By table: the times whose flows do not tell a column, since it came later (`millrace.store.knowledge`).
    warnings : tuple of str
        What somebody should look at, as sentences: a clock that disagrees with what is stored.
    past_changes : int
        How often what is stored of the past changed since the start: flows older than `LATE_SECONDS` came,
        or some were deleted on purpose. Answers about the past of before may be other ones now.
    """

    tables: dict[str, TableStatus]
    free_bytes: int
    total_bytes: int
    last_error: str
    rolled_up_to_ms: dict[str, int | None]
    waiting_rows: int = 0
    gaps: Mapping[str, Gaps] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    past_changes: int = 0


class Store(Protocol):
    """Where flows go and where questions are answered.

    All methods may be called from several threads.
    """

    def start(self) -> None:
        """Open, migrate, recover.

        Raises
        ------
        StoreLockedError, StoreCorruptError, StoreLossError, StoreError
            With what to do about it.
        """

    def stop(self) -> None:
        """Close; what was inserted stays."""

    def insert(self, flows: FlowBatch, *, token: str | None = None) -> None:
        """Store flows; blocks until they are in ``flows`` and survive the death of the process.

        Parameters
        ----------
        flows : FlowBatch
        token : str, optional
            Names the batch: a second insert with the same token does nothing.

        Raises
        ------
        StoreFullError
            No room; nothing of the batch was stored, or the same token may be used again.
        StoreError
            Anything else; likewise.
        """

    def insert_counters(self, counters: FlowBatch) -> None:
        """Store interface counters; as `insert`."""

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        max_rows: int | None = None,
        max_seconds: float | None = None,
        max_memory_bytes: int | None = None,
        cancel: Cancel | None = None,
        typed: bool = True,
    ) -> pa.Table:
        """Answer a question; read only, with bound ``{name:Type}`` parameters.

        Unless `typed`, times in whole seconds and enumerations stay numbers, which saves the
        engine from analysing the statement a second time.

        Raises
        ------
        QueryError
            The SQL is wrong, or a bound is exceeded.
        StoreCorruptError
            A stored part cannot be read.
        QueryCancelledError
            `cancel` was used.
        """

    def execute_local(self, sql: str, format: str = "PrettyCompact") -> bytes:  # noqa: A002 - ClickHouse's word
        """Answer a question of the local operator, in one of ClickHouse's output formats; read only."""

    def may_be_implausible(self, start_s: int, end_s: int) -> bool:
        """Whether flows of a range (Unix seconds, end excluded) may be marked as implausible; false: none is.

        Flows are heeded before they are stored: asked after a statement, it knows of all that this has read.
        """

    def maintain(self, now_ms: int) -> Maintenance:
        """Roll up what is closed at `now_ms`, drop what expired, make room where that is wanted.

        Called about once a second by one thread. The store's own troubles are
        in the result, not raised.

        Parameters
        ----------
        now_ms : int
            Unix milliseconds.
        """

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at, as sentences; does not block."""

    def status(self) -> StoreStatus:
        """Sizes, extents, free space, progress of the rollups; StoreError if they cannot be told."""
