"""Which time each table of a store is complete for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from millrace.query.tables import FOREVER, Table
from millrace.store.resolutions import RAW_TABLE, RESOLUTIONS
from millrace.store.store import StoreStatus

_COARSEST_SECONDS = 3600


class StoreTables:
    """Tables of a store, for `QueryEngine`.

    Parameters
    ----------
    status : callable
        `Store.status`, asked each time: whoever asks often keeps its answer a moment (`threads.kept`).
    arrived : callable, optional
        Asked each time: Unix second before which every flow that was received is stored; None: all are.
    """

    def __init__(self, status: Callable[[], StoreStatus], arrived: Callable[[], int | None] | None = None) -> None:
        self._status = status
        self._arrived = arrived

    def __call__(self) -> list[Table]:
        """The tables, the flows themselves first."""
        # Before the store is asked: what is stored meanwhile is not missed.
        arrived = None if self._arrived is None else self._arrived()
        raw, *rollups = complete_tables(self._status())
        return [replace(raw, arrived=arrived), *rollups]


def complete_tables(status: StoreStatus) -> list[Table]:
    """For which time each table is complete.

    A table whose oldest row is as old as that of any other knows all there
    ever was: it answers for earlier times too (with nothing). One that begins
    later has expired what was before.
    """
    oldest = {name: table.oldest_ms // 1000 for name, table in status.tables.items() if table.oldest_ms is not None}
    origin = min((oldest[name] for name in _NAMES if name in oldest), default=0)

    def since(name: str) -> int:
        first = oldest.get(name, 0)
        return 0 if first < origin + _COARSEST_SECONDS else first

    # The finest of those that know all there ever was tells best when that began.
    first = next((oldest[name] for name in _NAMES if oldest.get(name, FOREVER) < origin + _COARSEST_SECONDS), FOREVER)
    rollups = [
        Table(
            resolution.table,
            resolution.seconds,
            since=since(resolution.table),
            until=(status.rolled_up_to_ms.get(resolution.name) or 0) // 1000,
            waiting_rows=status.waiting_rows if resolution is RESOLUTIONS[0] else 0,
            first=first,
            gaps=status.gaps.get(resolution.table, {}),
            past_changes=status.past_changes,
        )
        for resolution in RESOLUTIONS
    ]
    raw = Table(
        RAW_TABLE,
        since=since(RAW_TABLE),
        first=first,
        gaps=status.gaps.get(RAW_TABLE, {}),
        past_changes=status.past_changes,
    )
    return [raw, *rollups]


_NAMES = (RAW_TABLE, *(resolution.table for resolution in RESOLUTIONS))
