"""What the store wants of an engine that speaks ClickHouse's SQL: all that tables, rollups and questions stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from millrace.store.cancel import Cancel
from millrace.store.native import Buffer


class Engine(Protocol):
    """Runs statements.

    All methods may be called from several threads, block until the statement is over, and fail
    with `EngineError` (see `millrace.store.faults`) whatever the engine is; with `StoreError`
    where it is not started. What a statement wrote when it returns survives the death of the process.
    """

    def start(self) -> None:
        """Open it.

        Raises
        ------
        StoreError
            If it cannot be opened.
        """

    def stop(self) -> None:
        """End questions that run, wait for what is being written, and close."""

    def execute(
        self,
        sql: str,
        settings: Mapping[str, int | str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Run a statement that writes, with bound values.

        Raises
        ------
        EngineError
            If it fails; something of it may have been written.
        """

    def rows(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[list[str]]:
        """Run a small SELECT of the store's own, with bound values; rows of texts.

        Raises
        ------
        EngineError
            If it fails.
        """

    def insert(
        self,
        table: str,
        names: Sequence[str],
        structure: str,
        block: Sequence[Buffer],
        settings: Mapping[str, int | str],
    ) -> None:
        """Insert one Native block; returns when the part is committed.

        Parameters
        ----------
        table : str
        names : sequence of str
            Columns of the block, in its order.
        structure : str
            Their types, as the ``file`` table function wants them.
        block : sequence of bytes-like
            The encoded block.
        settings : mapping
            Settings of the statement.

        Raises
        ------
        TornError
            If the rows of some partitions are not stored, those of others are.
        EngineError
            If it fails; a repetition with the same deduplication token is safe.
        OSError
            If the block cannot be handed over.
        """

    def read(
        self,
        sql: str,
        output: str,
        parameters: Mapping[str, object],
        settings: Mapping[str, int | float | str],
        cancel: Cancel | None = None,
        *,
        sealed: bool = False,
    ) -> bytes:
        """Run a statement that may only read; the result in a ClickHouse format.

        If `sealed`, sources outside of the store (files, other hosts) and changes of settings are refused, too.

        Raises
        ------
        QueryCancelledError
            If it was cancelled before it began.
        EngineError
            If it fails or is cancelled.
        """

    def check_writes(self) -> None:
        """Look whether writes failed without a statement that did, as those of merges, and put it right.

        Raises
        ------
        EngineError
            If a statement of it fails; the next look goes on.
        """

    def release_memory(self) -> None:
        """Give memory of this machine that was freed back to the system; EngineError if it cannot."""
